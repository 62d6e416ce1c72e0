// The tiles of the set: which there are, where they stand, which are seen and how large they are.

import { MASK_RGB, MAX_SIDE } from "../contract.js";
import { isAway } from "../state/state.js";
import { createAtlas } from "./atlas.js";
import { createLayout } from "./layout.js";
import { createTile } from "./tile.js";

/**
 * @import { Manifest } from "../contract.js"
 * @import { Actions } from "../state/actions.js"
 * @import { Answer, PageStore, Prompt, Look } from "../state/state.js"
 * @import { Tile, TileView } from "./tile.js"
 */

// How far ahead of the screen tiles are painted.
const AHEAD = "200px";
// Masks with edges are asked for at the size they are shown at, in powers of two from this on.
const MIN_SIDE = 256;

/**
 * @param {HTMLElement} root
 * @param {PageStore} store
 * @param {{actions: Actions, addressOf: (path: string) => string}} page
 */
export function createGrid(root, store, { actions, addressOf }) {
  const grid = /** @type {HTMLElement} */ (root.querySelector(".pp-grid"));
  /** @type {Tile[]} */
  let tiles = [];
  // By their elements.
  /** @type {Map<Element, number>} */
  let indices = new Map();

  const seen = new IntersectionObserver(
    (entries) => {
      const now = new Set(store.get().seen);
      for (const { target, isIntersecting } of entries) {
        const index = indices.get(target);
        if (index === undefined) continue;
        tiles[index].setVisible(isIntersecting);
        if (isIntersecting) now.add(index);
        else now.delete(index);
      }
      store.set({ seen: now });
    },
    { rootMargin: AHEAD },
  );

  const layout = createLayout(grid, store, repaint);
  const resized = new ResizeObserver(() => {
    layout.lay();
    repaint();
  });
  resized.observe(grid);

  function repaint() {
    tiles.forEach((tile) => tile.paint());
    measure();
  }

  function measure() {
    const side = 2 ** Math.ceil(Math.log2(Math.max(...tiles.map((tile) => tile.shownSide()), 1)));
    store.set({ side: Math.min(Math.max(side, MIN_SIDE), MAX_SIDE) });
  }

  /**
   * @param {number} index
   * @returns {TileView}
   */
  function viewOf(index) {
    const { manifest, history, look, answer } = store.get();
    const whole = { mask: answer.masks[index] ?? null, grid: manifest?.grid ?? [1, 1] };
    // At token resolution until the edges have come.
    const { mask, grid: maskGrid } = answer.edged[index] ?? whole;
    return {
      clicks: history.present.clicks.filter((click) => click.image === index),
      mask,
      grid: maskGrid,
      presence: answer.presence[index] ?? 0,
      display: look.display,
      hasColors: look.view === "colors" || look.view === "both",
    };
  }

  function close() {
    seen.disconnect();
    tiles.forEach((tile) => tile.destroy());
    tiles = [];
    indices = new Map();
  }

  /** @param {Manifest | null} manifest */
  function open(manifest) {
    close();
    root.dataset.state = manifest ? "open" : "empty";
    if (manifest) tiles = tilesOf(manifest);
    indices = new Map(tiles.map((tile, index) => [tile.element, index]));
    layout.open(tiles.map((tile) => tile.element));
    for (const element of indices.keys()) seen.observe(element);
    tiles.forEach((tile) => tile.refresh());
  }

  /** @param {Manifest} manifest */
  function tilesOf(manifest) {
    const atlas = createAtlas(addressOf(manifest.colors));
    return manifest.images.map((image, index) =>
      createTile(image, index, {
        photoUrl: addressOf(image.tile),
        atlas,
        grid: manifest.grid,
        color: MASK_RGB,
        view: viewOf,
        press: actions.press,
        remove: actions.remove,
      }),
    );
  }

  /** @type {{prompt?: Prompt, display?: Look["display"], answer?: Answer}} */
  let shown = {};

  /**
   * All tiles, or those alone whose edges have come.
   * @param {Prompt} prompt
   * @param {Look["display"]} display
   * @param {Answer} answer
   */
  function refresh(prompt, display, answer) {
    const before = shown;
    shown = { prompt, display, answer };
    const onlyEdges =
      before.prompt === prompt && before.display === display && before.answer?.masks === answer.masks;
    tiles.forEach((tile, index) => {
      if (!onlyEdges || before.answer?.edged[index] !== answer.edged[index]) tile.refresh();
    });
  }

  const unsubscribe = [
    store.subscribe(
      ({ manifest }) => [manifest],
      (manifest) => {
        open(manifest);
        measure();
      },
    ),
    store.subscribe(
      ({ history, look, answer }) => [history.present, look.display, answer],
      (prompt, display, answer) => refresh(prompt, display, answer),
    ),
    store.subscribe(
      ({ look }) => [look.view],
      (view) => {
        root.dataset.view = view;
        tiles.forEach((tile) => tile.paint());
      },
    ),
    store.subscribe((state) => [isAway(state)], reload),
  ];

  function reload() {
    if (!isAway(store.get())) tiles.forEach((tile) => tile.reload());
  }

  return {
    /** Focuses the next tile, or the one so many further on. */
    go: layout.go,
    /** Photos that were lost on their way, once more. */
    reload,
    destroy() {
      unsubscribe.forEach((end) => end());
      resized.disconnect();
      layout.destroy();
      close();
    },
  };
}
