// What is looked at stays where it is on the screen. Knows the elements of tiles, not what they show.

/** @typedef {{tile: Element, top: number}} Place Where on the screen the tile begins. */

/** @param {HTMLElement} grid */
export function createPlace(grid) {
  /** @type {Place | null} */
  let kept = null;
  let scrolledTo = NaN;

  return {
    /**
     * A change of the tiles' sizes after which the tile that is looked at begins where it began.
     * Through many of them, as of a slider, it is the same one, until the page is scrolled.
     * @param {() => void} change
     */
    keep(change) {
      const focused = focusedIn(grid);
      const isSame =
        window.scrollY === scrolledTo &&
        kept?.tile.getClientRects().length === 1 &&
        (!focused || focused.tile === kept.tile);
      const place = isSame ? kept : (focused ?? firstIn(grid));
      change();
      const moved = place ? place.tile.getBoundingClientRect().top - place.top : 0;
      if (moved) window.scrollBy({ top: moved, behavior: "instant" });
      kept = place;
      scrolledTo = window.scrollY;
    },
  };
}

/**
 * @param {Element} tile
 * @returns {Place}
 */
const placeOf = (tile) => ({ tile, top: tile.getBoundingClientRect().top });

/**
 * How high is what stays at the top of the screen.
 * @param {HTMLElement} grid
 */
const topOf = (grid) => parseFloat(getComputedStyle(grid).getPropertyValue("--pp-top")) || 0;

/**
 * The tile with the focus, where that is on the screen.
 * @param {HTMLElement} grid
 */
function focusedIn(grid) {
  const tile = document.activeElement?.closest(".pp-tile");
  return tile && grid.contains(tile) && isInView(tile, topOf(grid)) ? placeOf(tile) : null;
}

/**
 * The first that begins on the screen, or else the first there. None where that is the start of the
 * grid, which does not move.
 * @param {HTMLElement} grid
 */
function firstIn(grid) {
  const top = topOf(grid);
  if (grid.getBoundingClientRect().top >= top) return null;
  const places = [...grid.querySelectorAll(".pp-tile")].filter((tile) => isInView(tile, top)).map(placeOf);
  return places.find((place) => place.top >= top) ?? places[0] ?? null;
}

/**
 * @param {Element} tile
 * @param {number} top
 */
function isInView(tile, top) {
  const box = tile.getBoundingClientRect();
  return box.height > 0 && box.bottom > top && box.top < window.innerHeight;
}

/**
 * Tells the style sheet how high what stays at the top of the screen is.
 * @param {HTMLElement} root
 * @param {HTMLElement} top
 */
export function createTop(root, top) {
  const resized = new ResizeObserver(() => {
    root.style.setProperty("--pp-top", `${Math.ceil(top.getBoundingClientRect().height)}px`);
  });
  resized.observe(top);
  return { destroy: () => resized.disconnect() };
}
