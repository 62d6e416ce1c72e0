// The tiles of the set: which there are, where they stand, which are seen and how large they are.

import { MAX_SIDE } from "../contract.js";
import { brushOf } from "../state/brush.js";
import { isAway } from "../state/state.js";
import { createAtlas, paintColors } from "./atlas.js";
import { createLayout } from "./layout.js";
import { createTile } from "./tile.js";
import { isSameView, viewOf } from "./views.js";

/**
 * @import { Manifest } from "../contract.js"
 * @import { Actions } from "../state/actions.js"
 * @import { Look } from "../state/look.js"
 * @import { PageStore } from "../state/state.js"
 * @import { Tile } from "./tile.js"
 * @import { TileView } from "./views.js"
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
  let atlas = createAtlas("");
  // By their elements.
  /** @type {Map<Element, number>} */
  let indices = new Map();

  /** @param {number} image */
  const view = (image) => viewOf(store.get(), image);

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
    layout.open(tiles.map((tile) => tile.element));
    for (const element of indices.keys()) seen.observe(element);
    show(tiles);
  }

  /** @param {Manifest} manifest */
  function tilesOf(manifest) {
    atlas = createAtlas(addressOf(manifest.colors));
    return manifest.images.map((one, index) =>
      createTile(one, index, {
        photoUrl: addressOf(one.tile),
        atlas,
        grid: manifest.grid,
        view,
        preview: (image) => store.get().preview?.get(image)?.contour ?? null,
        press: actions.press,
        remove: actions.remove,
        hover: actions.hover,
        brush: () => brushOf(store.get()),
        paint: actions.paint,
        buttons: { enlarge: actions.focus, lock: actions.lock, skip: actions.skip },
      }),
    );
  }

  /** @type {Partial<Look>} */
  let last = {};
  /** @type {TileView[]} */
  let shown = [];
  let previews = 0; // For tests and benchmarks.

  /** The tiles on which something else is to be drawn. */
  function refresh() {
    const { look } = store.get();
    const all = last.display !== look.display || last.view !== look.view;
    last = look;
    /** @type {Tile[]} */
    const changed = [];
    tiles.forEach((tile, index) => {
      const now = viewOf(store.get(), index);
      const before = shown[index];
      shown[index] = now;
      if (all || !before || !isSameView(before, now)) changed.push(tile);
    });
    show(changed);
  }

  /** Paints before it writes, so that the page is not laid out anew for every tile. @param {Tile[]} changed */
  function show(changed) {
    for (const tile of changed) tile.paint();
    for (const tile of changed) tile.describe();
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
      ({ history, look, answer, answers, live }) =>
        [history.present, look.display, look.view, answer, answers, live],
      refresh,
    ),
    store.subscribe(
      ({ preview }) => [preview],
      (preview) => {
        tiles.forEach((tile) => tile.paintPreview());
        const isShown = String(preview !== null);
        if (root.dataset.preview !== isShown) root.dataset.preview = isShown;
        if (preview) previews += 1;
        root.dataset.previews = String(previews);
      },
    ),
    store.subscribe(({ look }) => [look.view], (now) => {
      root.dataset.view = now;
      tiles.forEach((tile) => tile.paint());
    }),
    store.subscribe((state) => [isAway(state)], reload),
    store.subscribe(({ look }) => [look.mode, look.brush], () => tiles.forEach((tile) => tile.retrace())),
  ];

  /** Photos that were lost on their way, once more. */
  function reload() {
    if (!isAway(store.get())) tiles.forEach((tile) => tile.reload());
  }

  return {
    /** Focuses the next tile, or the one so many further on. */
    go: layout.go,
    /** The image of the tile under the pointer or with the focus; null for none. */
    here() {
      const tile = grid.querySelector(".pp-tile:hover") ?? document.activeElement?.closest(".pp-tile");
      return store.get().hover?.image ?? (tile && indices.get(tile)) ?? null;
    },
    view,
    /** @param {number} image */
    element: (image) => /** @type {HTMLElement | undefined} */ (tiles[image]?.element),
    /** @param {HTMLCanvasElement} canvas @param {number} image */
    paintColors: (canvas, image) =>
      paintColors(atlas, canvas, image, { grid: store.get().manifest?.grid ?? [1, 1], isWanted: () => true }),
    reload,
    destroy() {
      unsubscribe.forEach((end) => end());
      resized.disconnect();
      layout.destroy();
      close();
    },
  };
}
