// What is looked at stays where it is on the screen. Knows the elements of tiles, not what they show.

/**
 * A change of the tiles' sizes after which the tile that is looked at begins where it began.
 * @param {HTMLElement} grid
 * @param {() => void} change
 */
export function keepPlace(grid, change) {
  const tile = lookedAt(grid);
  const before = tile?.getBoundingClientRect().top ?? 0;
  change();
  const moved = (tile?.getBoundingClientRect().top ?? before) - before;
  if (moved) window.scrollBy({ top: moved, behavior: "instant" });
}

/**
 * The tile with the focus, where that is on the screen; else the first that begins there, below what
 * stays at its top. None where that is the start of the grid, which does not move.
 * @param {HTMLElement} grid
 */
function lookedAt(grid) {
  const top = parseFloat(getComputedStyle(grid).getPropertyValue("--pp-top")) || 0;
  /** @param {Element} tile */
  const isInView = (tile) => {
    const box = tile.getBoundingClientRect();
    return box.height > 0 && box.bottom > top && box.top < window.innerHeight;
  };
  const focused = document.activeElement?.closest(".pp-tile");
  if (focused && grid.contains(focused) && isInView(focused)) return focused;
  if (grid.getBoundingClientRect().top >= top) return null;
  const tiles = [...grid.querySelectorAll(".pp-tile")].filter(isInView);
  return tiles.find((tile) => tile.getBoundingClientRect().top >= top) ?? tiles[0] ?? null;
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
