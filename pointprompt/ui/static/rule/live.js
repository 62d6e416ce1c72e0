// What the prompt selects, and what a click at the pointer would, found in this browser at once: asks
// the worker, one question at a time and the newest first. The server's masks stay the truth.

import { isLocked, isPrompted } from "../state/edits.js";
import { afterPress } from "../state/press.js";
import { all } from "../state/things.js";
import { canFollow, LINE, question } from "./questions.js";

/**
 * @import { Manifest } from "../contract.js"
 * @import { PageStore, State } from "../state/state.js"
 * @import { Question } from "./questions.js"
 * @import { Answered, Known, LiveTile } from "./worker.js"
 */

/** @typedef {(tiles: LiveTile[] | null) => void} Take What becomes of an answer. */

/**
 * @param {PageStore} store
 * @param {{addressOf: (path: string) => string, worker?: Worker}} page
 */
export function createLive(store, { addressOf, worker = makeWorker() }) {
  const { get, set } = store;
  let sets = 0;
  /** @type {Set<number>} */
  let known = new Set();
  /** @type {Take | null} */
  let take = null;
  let id = 0;
  // The newest prompt that the codes at hand say nothing of, so that it is not asked for ever.
  let unanswered = 0;
  // Where, and of which prompt, what a click would give was asked for last.
  /** @type {{hover: State["hover"], prompt: State["history"]["present"]} | null} */
  let previewed = null;
  // What a click there was found to give: it is taken as it is when the click is made.
  /** @type {{prompt: Question["prompt"], tiles: LiveTile[]} | null} */
  let found = null;

  /** @param {Manifest | null} manifest */
  function open(manifest) {
    known = new Set();
    take = null;
    unanswered = 0;
    previewed = null;
    found = null;
    if (!manifest) return;
    sets += 1;
    const { grid, images, concepts } = manifest;
    const same = images.map((image) => image.same);
    const codes = images.map((image) => new URL(addressOf(image.codes), document.baseURI).href);
    worker.postMessage({ kind: "open", set: sets, grid, same, codes, concepts });
    want();
  }

  // The clicked ones first: without them nothing can be said of any other.
  function want() {
    const { manifest, history, seen, hover } = get();
    if (!manifest) return;
    // Those of other things too, which say what this one is not.
    const clicked = all(history.present).flatMap(({ clicks }) => clicks.map(({ image }) => image));
    const hovered = hover ? [hover.image] : [];
    worker.postMessage({ kind: "want", images: [...new Set([...clicked, ...hovered, ...seen])] });
  }

  /** @returns {{asked: Question, take: Take} | null} */
  function nextQuestion() {
    const state = get();
    if (!state.manifest || !canFollow(state)) return null;
    return standing(state) ?? preview(state);
  }

  /**
   * Of the prompt, in the tiles in sight that it was not found in yet.
   * @param {State} state
   * @returns {{asked: Question, take: Take} | null}
   */
  function standing(state) {
    const { asked, live, seen, look, history } = state;
    const isNew = live.seq !== asked;
    /** @param {number} image */
    const isMissing = (image) => {
      const tile = live.tiles.get(image);
      return isNew || !tile || (look.view === "heat" && !tile.heat);
    };
    // Locked ones stay as they are.
    const isOpen = (/** @type {number} */ image) => !isLocked(history.present, image);
    const images = [...seen].filter((image) => known.has(image) && isOpen(image) && isMissing(image));
    if (!images.length || unanswered === asked || !isPrompted(history.present)) return null;
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
   * @returns {{asked: Question, take: Take} | null}
   */
  function preview(state) {
    const { hover, seen, look, history } = state;
    if (!hover || !look.display.hover || !known.has(hover.image)) return null;
    if (previewed?.hover === hover && previewed.prompt === history.present) return null;
    previewed = { hover, prompt: history.present };
    const images = [hover.image, ...[...seen].filter((image) => image !== hover.image)].filter(
      (image) => !isLocked(history.present, image),
    );
    const wanted = { ...question(state, afterPress(state, hover), images), heat: false, drawn: LINE };
    return {
      asked: wanted,
      take(tiles) {
        found = tiles && { prompt: wanted.prompt, tiles };
        // The pointer may be elsewhere by now, and is shown the way to there.
        if (get().hover) set({ preview: tiles ? byImage(tiles) : new Map() });
      },
    };
  }

  /** Shows what is known of the newest prompt, if a click has just made it what was previewed. */
  function takeFound() {
    const state = get();
    const { asked, live, history } = state;
    const { present } = history;
    if (!found || live.seq === asked || !isPrompted(present) || !canFollow(state)) return;
    const { prompt, drawn } = question(state, present.clicks, []);
    const isSame = JSON.stringify(found.prompt) === JSON.stringify(prompt);
    if (isSame && drawn === LINE) set({ live: { seq: asked, tiles: byImage(found.tiles) } });
  }

  function ask() {
    takeFound();
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
      // It has yet to be found on this one.
      previewed = null;
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
      ({ seen, history, hover }) => [seen, history.present, hover?.image],
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

/** @param {LiveTile[]} tiles */
const byImage = (tiles) => new Map(tiles.map((tile) => [tile.image, tile]));
