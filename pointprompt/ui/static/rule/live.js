// What the prompt selects, and what a click at the pointer would, found in this browser at once: asks
// the worker, one question at a time and the newest first. The server's masks stay the truth.

import { afterPress } from "../state/press.js";
import { sentSettings } from "../state/state.js";

/**
 * @import { Manifest } from "../contract.js"
 * @import { PageStore, State } from "../state/state.js"
 * @import { Answered, Asked, Known, LiveTile } from "./worker.js"
 */

/**
 * A question, and what becomes of its answer.
 * @typedef {Object} Question
 * @property {Omit<Asked, "kind" | "id">} asked
 * @property {(tiles: LiveTile[] | null) => void} take
 */

/**
 * @param {PageStore} store
 * @param {{addressOf: (path: string) => string, worker?: Worker}} page
 */
export function createLive(store, { addressOf, worker = makeWorker() }) {
  const { get, set } = store;
  let sets = 0;
  /** @type {Set<number>} */
  let known = new Set();
  /** @type {((tiles: LiveTile[] | null) => void) | null} */
  let take = null;
  let id = 0;
  // The newest prompt that the codes at hand say nothing of, so that it is not asked for ever.
  let unanswered = 0;
  /** @type {State["hover"]} */
  let previewed = null;

  /** @param {Manifest | null} manifest */
  function open(manifest) {
    known = new Set();
    take = null;
    unanswered = 0;
    previewed = null;
    if (!manifest) return;
    sets += 1;
    const { grid, images } = manifest;
    const codes = images.map((image) => new URL(addressOf(image.codes), document.baseURI).href);
    worker.postMessage({ kind: "open", set: sets, grid, same: images.map(({ same }) => same), codes });
    want();
  }

  // The clicked ones first: without them nothing can be said of any other.
  function want() {
    const { manifest, history, seen, hover } = get();
    if (!manifest) return;
    const clicked = history.present.clicks.map(({ image }) => image);
    const hovered = hover ? [hover.image] : [];
    worker.postMessage({ kind: "want", images: [...new Set([...clicked, ...hovered, ...seen])] });
  }

  /** @returns {Question | null} */
  function nextQuestion() {
    const state = get();
    if (!state.manifest || !canFollow(state)) return null;
    return standing(state) ?? preview(state);
  }

  /**
   * Of the prompt, in the tiles in sight that it was not found in yet.
   * @param {State} state
   * @returns {Question | null}
   */
  function standing(state) {
    const { asked, live, seen, look, history } = state;
    const isNew = live.seq !== asked;
    /** @param {number} image */
    const isMissing = (image) => {
      const tile = live.tiles.get(image);
      return isNew || !tile || (look.view === "heat" && !tile.heat);
    };
    const images = [...seen].filter((image) => known.has(image) && isMissing(image));
    if (!images.length || unanswered === asked || !history.present.clicks.length) return null;
    return {
      asked: question(state, history.present.clicks, images),
      take(tiles) {
        if (!tiles) {
          unanswered = asked;
          return;
        }
        const before = get().live.seq === asked ? get().live.tiles : [];
        set({ live: { seq: asked, tiles: new Map([...before, ...byImage(tiles)]) } });
      },
    };
  }

  /**
   * Of what a click at the pointer would make of it.
   * @param {State} state
   * @returns {Question | null}
   */
  function preview(state) {
    const { hover, seen, look } = state;
    if (!hover || !look.display.hover || hover === previewed || !known.has(hover.image)) return null;
    previewed = hover;
    const images = [hover.image, ...[...seen].filter((image) => image !== hover.image)];
    return {
      asked: { ...question(state, afterPress(state, hover), images), heat: false, drawn: "contour" },
      take(tiles) {
        // The pointer may be elsewhere by now, and is shown the way to there.
        if (get().hover) set({ preview: tiles ? byImage(tiles) : new Map() });
      },
    };
  }

  function ask() {
    if (take) return;
    const next = nextQuestion();
    if (!next) return;
    take = next.take;
    id += 1;
    worker.postMessage({ kind: "ask", id, ...next.asked });
  }

  /** @param {MessageEvent<Answered | Known>} event */
  function receive({ data }) {
    if (data.kind === "known" && data.set === sets) {
      known.add(data.image);
      unanswered = 0;
    } else if (data.kind === "answer" && data.id === id) {
      const taken = take;
      take = null;
      taken?.(data.tiles);
    }
    ask();
  }
  const listening = new AbortController();
  worker.addEventListener("message", receive, { signal: listening.signal });

  const unsubscribe = [
    store.subscribe(({ manifest }) => [manifest], (manifest) => open(manifest)),
    store.subscribe(
      ({ seen, history, hover }) => [seen, history.present.clicks, hover?.image],
      () => want(),
    ),
    store.subscribe(
      ({ hover }) => [hover === null],
      (isGone) => {
        if (isGone) set({ preview: null });
        if (isGone) previewed = null;
      },
    ),
    store.subscribe(
      ({ asked, seen, hover, look }) => [asked, seen, hover, look.view, look.display.hover],
      () => ask(),
    ),
  ];

  return {
    /** What could not be had may be there now. */
    hurry: want,
    destroy() {
      unsubscribe.forEach((end) => end());
      listening.abort();
      worker.terminate();
    },
  };
}

function makeWorker() {
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
}

/**
 * Whether this browser can do what the settings say.
 * @param {State} state
 */
const canFollow = (state) => sentSettings(state).rule.name === "joint";

/**
 * @param {State} state
 * @param {State["history"]["present"]["clicks"]} clicks
 * @param {number[]} images
 * @returns {Question["asked"]}
 */
function question(state, clicks, images) {
  const { rule, one_only, outline } = sentSettings(state);
  return {
    prompt: { clicks, rule: /** @type {any} */ (rule), one_only },
    images,
    drawn: outline === "tokens" ? "mask" : "contour",
    heat: state.look.view === "heat",
  };
}

/** @param {LiveTile[]} tiles */
const byImage = (tiles) => new Map(tiles.map((tile) => [tile.image, tile]));
