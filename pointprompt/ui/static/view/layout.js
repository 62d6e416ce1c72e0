// Where the tiles stand: in which order, which of them not at all, in rows of which height. Knows
// their elements, not what they show.

import { createPlace } from "./place.js";
import { createRoving } from "./roving.js";
import { layRows, layStrip } from "./rows.js";

/** @import { PageStore } from "../state/state.js" */

// Height of tiles below an image that is seen large, in CSS pixels.
const STRIP = 76;

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

  /** Rows for the room that there is now, or one below the image that is seen large. */
  function lay() {
    const { focus, look } = store.get();
    if (focus === null) store.set({ rowHeight: layRows(grid, look.tileSize) });
    else layStrip(grid, STRIP);
  }

  /**
   * @param {number | null} focus
   * @param {number | null} before
   */
  function follow(focus, before) {
    elements.forEach((element, index) => element.classList.toggle("pp-focused", index === focus));
    if (focus !== null) elements[focus]?.scrollIntoView({ block: "nearest", inline: "center" });
    else if (before !== null) roving.focus(elements[before]);
  }

  /** @type {number | null} */
  let focused = null;

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
      ({ focus }) => [focus],
      (focus) => {
        const before = focused;
        focused = focus;
        if ((focus === null) !== (before === null)) {
          lay();
          moved();
        }
        follow(focus, before);
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
