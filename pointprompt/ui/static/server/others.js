// The masks of the things that are not chosen, which stand beside those of the one that is: asks the
// server for what is missing of them, one thing at a time, while nothing is awaited for the chosen one.

import { askedOfEach, promptMessage } from "../state/messages.js";
import { missing } from "../state/missing.js";
import { sideOf, stillRight } from "../state/state.js";
import { decodeEdges, decodeMasks } from "./codec.js";
import { createDelivery } from "./delivery.js";
import { receiveFailure } from "./failure.js";

/**
 * @import { EdgesAnswer, Manifest, MasksAnswer } from "../contract.js"
 * @import { Job } from "../state/missing.js"
 * @import { Answer, PageStore } from "../state/state.js"
 * @import { AskEdges } from "./fine.js"
 * @import { Predict } from "./masks.js"
 */

const PATIENCE_MS = 60_000;

/**
 * @param {PageStore} store
 * @param {{predict: Predict, edges: AskEdges}} server
 */
export function createOthers(store, server) {
  const { get, set } = store;
  const delivery = createDelivery({ lost: () => {}, patience: PATIENCE_MS });
  let isAsking = false;

  /**
   * @param {Job} job
   * @param {number} side Of edges.
   */
  function ask({ thing, images }, side) {
    const message = { ...promptMessage(get(), thing), seq: 0, heat: false };
    return images ? server.edges({ ...message, images, side }) : server.predict(message);
  }

  /**
   * @param {Job} job
   * @param {Manifest} manifest
   */
  async function fill(job, manifest) {
    const { thing, key, images } = job;
    const side = images ? sideOf(get(), images[0]) : 0;
    const keys = askedOfEach(promptMessage(get(), thing));
    const isWanted = () => get().manifest === manifest && missing(get())?.key === key;
    const received = await delivery.deliver(async () => {
      const answer = await ask(job, side);
      if (!answer) throw new Error("The server did not answer.");
      return answer;
    }, isWanted);
    if (!received || get().manifest !== manifest) return;
    if ("error" in received) {
      await receiveFailure(store, received);
      return;
    }
    const before = get().answers.get(thing.id);
    if (images && before?.key !== key) return;
    const answer = images
      ? await withEdges(/** @type {Answer} */ (before), /** @type {EdgesAnswer} */ (received), side)
      : await withMasks(/** @type {MasksAnswer} */ (received), { key, keys, before }, manifest);
    if (get().manifest === manifest) set({ answers: new Map(get().answers).set(thing.id, answer) });
  }

  async function update() {
    if (isAsking) return;
    isAsking = true;
    // What the server has nothing for would be asked for ever.
    let last = "";
    for (let job = missing(get()); job; job = missing(get())) {
      const what = JSON.stringify([job.thing.id, job.key, job.images]);
      const { manifest } = get();
      if (what === last || !manifest) break;
      last = what;
      try {
        await fill(job, manifest);
      } catch (error) {
        reportError(error);
      }
    }
    isAsking = false;
  }

  const unsubscribe = store.subscribe(
    ({ manifest, history, answer, seen, side, focusSide }) =>
      [manifest, history.present, answer.seq, seen, side, focusSide],
    () => update(),
  );

  return {
    hurry: delivery.hurry,
    destroy() {
      unsubscribe();
      delivery.destroy();
    },
  };
}

/**
 * @param {MasksAnswer} received
 * @param {{key: string, keys: Answer["keys"], before: Answer | undefined}} about
 * @param {Manifest} manifest
 * @returns {Promise<Answer>}
 */
async function withMasks({ seq, masks, presence }, { key, keys, before }, { images, grid }) {
  const decoded = await decodeMasks(masks, images.length, ...grid);
  return { seq, key, keys, masks: decoded, presence, heat: [], edged: standing(before, keys, decoded) };
}

/**
 * Of an answer the edges that stand until newer ones come: where the tokens are the same as before, a
 * line can have moved a little at most.
 * @param {Answer | undefined} before
 * @param {Answer["keys"]} keys Of the answer after it.
 * @param {readonly Uint8Array[]} masks Likewise.
 */
function standing(before, keys, masks) {
  if (!before) return [];
  const right = stillRight(before, keys);
  return before.edged.map(
    (edges, image) =>
      right[image] ?? (edges && isSame(before.masks[image], masks[image]) ? { ...edges, side: 0 } : undefined),
  );
}

/**
 * @param {Uint8Array | undefined} one
 * @param {Uint8Array} other
 */
const isSame = (one, other) =>
  one?.length === other.length && other.every((value, token) => value === one[token]);

/**
 * @param {Answer} answer
 * @param {EdgesAnswer} received
 * @param {number} side
 * @returns {Promise<Answer>}
 */
async function withEdges(answer, { masks }, side) {
  return { ...answer, edged: Object.assign([...answer.edged], await decodeEdges(masks, side)) };
}
