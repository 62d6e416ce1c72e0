// Where the tiles stand: in which order, which of them not at all, in rows of which height. Knows
// their elements, not what they show.

import { createPlace } from "./place.js";
import { createRoving } from "./roving.js";
import { layRows } from "./rows.js";

/** @import { PageStore } from "../state/state.js" */

/**
 * @param {HTMLElement} grid
 * @param {PageStore} store
 * @param {() => void} moved Tiles have got other sizes.
 */
export function createLayout(grid, store, moved) {
  /** @type {readonly HTMLElement[]} */
  let elements = [];
  const roving = createRoving(grid);
  const place = createPlace(grid);

  /** Rows for the room that there is now. */
  const lay = () => layRows(grid, store.get().look.tileSize);

  /** @param {readonly number[] | null} arranged */
  function arrange(arranged) {
    const standing = arranged && new Set(arranged);
    elements.forEach((element, index) => (element.hidden = standing?.has(index) === false));
    grid.append(...(arranged ?? []).map((index) => elements[index]));
    lay();
    roving.update();
  }

  const unsubscribe = [
    store.subscribe(
      ({ arranged }) => [arranged],
      (arranged) => {
        arrange(arranged);
        moved();
      },
    ),
    store.subscribe(
      ({ look }) => [look.tileSize],
      () => {
        place.keep(lay);
        moved();
      },
    ),
  ];

  return {
    /** @param {readonly HTMLElement[]} tiles In the order they came in. */
    open(tiles) {
      elements = tiles;
      grid.replaceChildren(...tiles);
      arrange(store.get().arranged);
    },
    lay,
    go: roving.go,
    destroy() {
      unsubscribe.forEach((end) => end());
      roving.destroy();
    },
  };
}
