// All tiles are one stop of Tab, however many there are: keys go from one to the next. Knows their
// elements, and neither what they show nor the state.

const STANDING = ".pp-tile:not([hidden])";
const STOPS = ".pp-overlay, .pp-remark";

/** @param {HTMLElement} grid */
export function createRoving(grid) {
  /** Where Tab stops. @type {HTMLElement | null} */
  let current = null;
  const listening = new AbortController();
  const { signal } = listening;

  const standing = () => /** @type {HTMLElement[]} */ ([...grid.querySelectorAll(STANDING)]);

  /** @param {HTMLElement | null} tile */
  function stopAt(tile) {
    if (tile === current) return;
    setStops(current, -1);
    setStops(tile, 0);
    current = tile;
  }

  /** Where no tile is the one any more, it is the first. */
  function update() {
    if (!current?.isConnected || current.hidden) stopAt(standing()[0] ?? null);
  }

  /** @param {HTMLElement | undefined} tile */
  function focus(tile) {
    if (!tile) return;
    /** @type {HTMLElement} */ (tile.querySelector(".pp-overlay")).focus({ preventScroll: true });
    // With its caption.
    tile.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} step */
  function go(step) {
    const tiles = standing();
    const from = current ? tiles.indexOf(current) : -1;
    // From elsewhere on the page the first step is to the tile itself.
    const isHere = grid.contains(document.activeElement);
    const to = isHere ? from + step : Math.max(from, 0);
    focus(tiles[Math.min(Math.max(to, 0), tiles.length - 1)]);
  }

  /** @param {KeyboardEvent} event */
  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    /** @type {Record<string, () => void>} */
    const actions = {
      PageDown: () => go(1),
      PageUp: () => go(-1),
      Home: () => focus(standing()[0]),
      End: () => focus(standing().at(-1)),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  /** @param {FocusEvent} event */
  const follow = ({ target }) =>
    stopAt(target instanceof Element ? target.closest(".pp-tile") : null);

  grid.addEventListener("keydown", press, { signal });
  grid.addEventListener("focusin", follow, { signal });

  return { update, go, focus, destroy: () => listening.abort() };
}

/**
 * @param {HTMLElement | null} tile
 * @param {number} tabIndex
 */
function setStops(tile, tabIndex) {
  /** @type {NodeListOf<HTMLElement>} */
  const stops = tile?.querySelectorAll(STOPS) ?? /** @type {any} */ ([]);
  for (const stop of stops) stop.tabIndex = tabIndex;
}
