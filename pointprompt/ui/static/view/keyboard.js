// The keyboard on a tile: arrow keys move a cursor from token to token, Enter presses there.

/** @import { Press } from "../state/press.js" */
/** @typedef {{x: number, y: number}} Place From 0 to 1 of the tile. */

// In tokens.
const STEP = 1;
const LONG_STEP = 8;

/**
 * @param {HTMLElement} element
 * @param {readonly [number, number]} grid
 * @param {{press: (press: Press) => void, remove: (place: Place) => void, moved: () => void}} on
 *   moved: the cursor is at another place, has come or has gone.
 */
export function listenToKeys(element, [h, w], on) {
  // The centre of the middle token.
  let cursor = { x: (Math.floor(w / 2) + 0.5) / w, y: (Math.floor(h / 2) + 0.5) / h };
  let isShown = false;
  const listening = new AbortController();
  const { signal } = listening;

  /**
   * @param {number} value
   * @param {number} step
   * @param {number} tokens
   */
  const moved = (value, step, tokens) =>
    Math.min(Math.max(value + step / tokens, 0.5 / tokens), 1 - 0.5 / tokens);

  /**
   * @param {number} dx
   * @param {number} dy
   */
  function move(dx, dy) {
    cursor = { x: moved(cursor.x, dx, w), y: moved(cursor.y, dy, h) };
    show(true);
  }

  /** @param {boolean} now */
  function show(now) {
    isShown = now;
    on.moved();
  }

  /** @param {KeyboardEvent} event */
  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? LONG_STEP : STEP;
    const pressHere = () => on.press({ ...cursor, other: event.shiftKey, touch: false });
    const removeHere = () => on.remove(cursor);
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowLeft: () => move(-step, 0),
      ArrowRight: () => move(step, 0),
      ArrowUp: () => move(0, -step),
      ArrowDown: () => move(0, step),
      Enter: pressHere,
      " ": pressHere,
      Delete: removeHere,
      Backspace: removeHere,
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  element.addEventListener("keydown", press, { signal });
  // The cursor is for the keyboard: a tile that a mouse clicked does not show it.
  element.addEventListener("focus", () => show(element.matches(":focus-visible")), { signal });
  element.addEventListener("blur", () => show(false), { signal });

  return {
    /** Where the cursor is, or null where none is shown. */
    cursor: () => (isShown ? cursor : null),
    destroy: () => listening.abort(),
  };
}
