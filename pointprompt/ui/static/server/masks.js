// The masks of the chosen thing: asks the server for them at every change, and puts its answer into
// the state whole. A download waits here until the screen shows what it will hold.

import { arrangement } from "../state/arrangement.js";
import { isAsked } from "../state/edits.js";
import { askedOf, askedOfEach, exportMessage, promptMessage, wantsHeat } from "../state/messages.js";
import { fromMessage } from "../state/settings.js";
import { isAnswered, stillRight, troubled } from "../state/state.js";
import { decodeBytes, decodeMasks } from "./codec.js";
import { receiveFailure } from "./failure.js";
import { createLink } from "./link.js";

/**
 * @import { ExportRequest, Failure, Manifest, MasksAnswer, PredictRequest } from "../contract.js"
 * @import { PageStore } from "../state/state.js"
 */

/** @typedef {(request: PredictRequest) => Promise<MasksAnswer | Failure | null | undefined>} Predict */

// An answer that takes longer is said to be awaited.
const LATE_MS = 1500;

/**
 * @param {PageStore} store
 * @param {{predict: Predict, download: (request: ExportRequest) => void}} server
 */
export function createMasks(store, { predict, download }) {
  const { get, set } = store;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let lateTimer;
  // The thing that is asked about, and since which request; what was asked last, and of which set.
  /** @type {{id: number, since: number, manifest: Manifest | null, what: string}} */
  let asking = { id: 0, since: 0, manifest: null, what: "" };

  const link = createLink({
    send: predict,
    receive,
    lost: (masks) => set(troubled(get(), { masks })),
  });

  function expectAnswer() {
    lateTimer ??= setTimeout(() => set({ late: true }), LATE_MS);
  }

  function stopExpecting() {
    clearTimeout(lateTimer);
    lateTimer = undefined;
    set({ late: false });
  }

  /** @param {PredictRequest} request */
  const isOfThisSet = (request) => request.session === get().manifest?.session;

  /**
   * @param {MasksAnswer | Failure} answer
   * @param {PredictRequest} request
   */
  async function receive(answer, request) {
    stopExpecting();
    if (!isOfThisSet(request)) return;
    if ("error" in answer) {
      await receiveFailure(store, answer);
      return;
    }
    const isOfThing = answer.seq >= asking.since;
    if (isOfThing && answer.seq > get().answer.seq) await show(answer, request);
    if (!isOfThisSet(request)) return;
    set(troubled(get(), { refused: "" }));
    if (!isAnswered(get())) expectAnswer();
    else if (get().exporting) startDownload();
  }

  function startDownload() {
    download(exportMessage(get()));
    set({ exporting: false });
  }

  /**
   * @param {MasksAnswer} answer
   * @param {PredictRequest} request
   */
  async function show({ seq, masks, presence, heat }, request) {
    const { manifest } = get();
    if (!manifest) return;
    const n = manifest.images.length;
    const decoded = await decodeMasks(masks, n, ...manifest.grid);
    const heatmaps = await decodeBytes(heat, n);
    if (!isOfThisSet(request) || seq < asking.since) return;
    const isEmpty = !isAsked({ ...request, settings: fromMessage(request.settings) });
    const keys = askedOfEach(request);
    const before = get().answer;
    set({
      answer: {
        seq,
        key: askedOf(request),
        keys,
        masks: isEmpty ? [] : decoded,
        presence: isEmpty ? [] : presence,
        heat: heatmaps,
        edged: stillRight(before, keys),
      },
    });
    // As before a reload, after which nothing was known of what is present.
    const { arranged, look } = get();
    const isAsGiven = look.order === "given" && look.filter === "all";
    if (!arranged && !isEmpty && !isAsGiven) set({ arranged: arrangement(get()) });
  }

  function ask() {
    const { manifest, history } = get();
    if (!manifest) return;
    const { id } = history.present;
    const message = promptMessage(get());
    const what = JSON.stringify([id, message]);
    // What else there is to a thing changes nothing about what clicks make.
    if (asking.manifest === manifest && asking.what === what) return;
    const asked = link.push(message);
    asking = { id, since: id === asking.id ? asking.since : asked, manifest, what };
    set({ asked });
    expectAnswer();
  }

  // Not before the server has shown that it is there, and the screen the prompt that is asked for:
  // gradio loses an event that cannot be sent.
  function askBeforeDownload() {
    if (!get().exporting) return;
    link.repeat();
    expectAnswer();
  }

  const unsubscribe = [
    store.subscribe((state) => [state.manifest, state.history.present, wantsHeat(state)], ask),
    store.subscribe(({ exporting }) => [exporting], askBeforeDownload),
  ];

  return {
    hurry: link.hurry,
    destroy() {
      unsubscribe.forEach((end) => end());
      link.destroy();
      clearTimeout(lateTimer);
    },
  };
}
