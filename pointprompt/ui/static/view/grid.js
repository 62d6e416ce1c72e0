// The tiles of the set: which there are, where they stand, which are seen and how large they are.

import { MASK_COLORS, MAX_SIDE } from "../contract.js";
import { shownIn } from "../state/shown.js";
import { isAway } from "../state/state.js";
import { createTile, isSameView } from "./tile.js";

/**
 * @import { Manifest } from "../contract.js"
 * @import { Actions } from "../state/actions.js"
 * @import { Look } from "../state/look.js"
 * @import { PageStore } from "../state/state.js"
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

  const resized = new ResizeObserver(() => {
    tiles.forEach((tile) => tile.paint());
    measure();
  });
  resized.observe(grid);

  function measure() {
    const side = 2 ** Math.ceil(Math.log2(Math.max(...tiles.map((tile) => tile.shownSide()), 1)));
    store.set({ side: Math.min(Math.max(side, MIN_SIDE), MAX_SIDE) });
  }

  /**
   * @param {number} index
   * @returns {TileView}
   */
  function viewOf(index) {
    const state = store.get();
    const { display } = state.look;
    return {
      ...shownIn(state, index),
      clicks: state.history.present.clicks.filter((click) => click.image === index),
      display,
      isHeat: state.look.view === "heat",
      color: MASK_COLORS[display.color] ?? Object.values(MASK_COLORS)[0],
    };
  }

  function close() {
    seen.disconnect();
    tiles.forEach((tile) => tile.destroy());
    tiles = [];
    shown = [];
    indices = new Map();
  }

  /** @param {Manifest | null} manifest */
  function open(manifest) {
    close();
    root.dataset.state = manifest ? "open" : "empty";
    if (manifest) tiles = tilesOf(manifest);
    indices = new Map(tiles.map((tile, index) => [tile.element, index]));
    grid.replaceChildren(...indices.keys());
    for (const element of indices.keys()) seen.observe(element);
    tiles.forEach((tile) => tile.refresh());
  }

  /** @param {Manifest} manifest */
  function tilesOf(manifest) {
    const atlas = loadPicture(addressOf(manifest.colors));
    return manifest.images.map((one, index) =>
      createTile(one, index, {
        photoUrl: addressOf(one.tile),
        atlas,
        grid: manifest.grid,
        view: viewOf,
        preview: (image) => store.get().preview?.get(image)?.contour ?? null,
        press: actions.press,
        remove: actions.remove,
        hover: actions.hover,
      }),
    );
  }

  /** @type {{display?: Look["display"], isHeat?: boolean}} */
  let last = {};
  /** @type {TileView[]} */
  let shown = [];
  // How many were shown, for tests and benchmarks.
  let previews = 0;

  /** The tiles on which something else is to be drawn. */
  function refresh() {
    const { look } = store.get();
    const now = { display: look.display, isHeat: look.view === "heat" };
    const all = last.display !== now.display || last.isHeat !== now.isHeat;
    last = now;
    tiles.forEach((tile, index) => {
      const view = viewOf(index);
      const before = shown[index];
      shown[index] = view;
      if (all || !before || !isSameView(before, view)) tile.refresh();
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
      ({ history, look, answer, live }) => [history.present, look.display, look.view, answer, live],
      () => refresh(),
    ),
    store.subscribe(
      ({ preview }) => [preview],
      (preview) => {
        root.dataset.preview = String(preview !== null);
        tiles.forEach((tile) => tile.paintPreview());
        if (preview) previews += 1;
        root.dataset.previews = String(previews);
      },
    ),
    store.subscribe(
      ({ arranged }) => [arranged],
      (arranged) => grid.append(...(arranged ?? []).map((index) => tiles[index].element)),
    ),
    store.subscribe(
      ({ look }) => [look.view, look.tileSize],
      (view, tileSize) => {
        root.dataset.view = view;
        root.style.setProperty("--pp-tile", `${tileSize}px`);
      },
    ),
    store.subscribe((state) => [isAway(state)], reload),
  ];

  function reload() {
    if (!isAway(store.get())) tiles.forEach((tile) => tile.reload());
  }

  return {
    /** Photos that were lost on their way, once more. */
    reload,
    destroy() {
      unsubscribe.forEach((end) => end());
      resized.disconnect();
      close();
    },
  };
}

/**
 * Resolves to null where the picture cannot be had: the photos are still of use.
 * @param {string} url
 */
async function loadPicture(url) {
  const picture = new Image();
  picture.src = url;
  try {
    await picture.decode();
    return picture;
  } catch {
    return null;
  }
}
