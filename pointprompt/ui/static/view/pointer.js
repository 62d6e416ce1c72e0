// Mouse, pen and touch on a tile -> a press at (x, y): left or tap, or right, Shift or long press.
// A double click is one press. Where a press would be is told as the pointer moves: of a mouse or pen
// alone, and not while anything is dragged.

/** @import { Press } from "../state/press.js" */

const LONG_PRESS_MS = 500;
const STILL_PIXELS = 8;
// After a press the pointer rests on what it has made; so far from there it is elsewhere.
const AWAY_PIXELS = 10;

/**
 * A drag or a scroll is no press.
 * @param {HTMLElement} element
 * @param {{pressed: (press: Press) => void, hovered: (press: Press | null) => void}} on
 */
export function listen(element, { pressed, hovered }) {
  /** @type {{id: number, x: number, y: number, timer?: ReturnType<typeof setTimeout>} | null} */
  let down = null;
  /** @type {{x: number, y: number} | null} */
  let rested = null;
  /** @type {PointerEvent | null} */
  let over = null;
  const listening = new AbortController();
  const { signal } = listening;

  const cancel = () => {
    clearTimeout(down?.timer);
    down = null;
  };

  /**
   * @param {PointerEvent} event
   * @param {boolean} other
   */
  const pressAt = (event, other) => {
    return { ...placeIn(element, event), other, touch: event.pointerType === "touch" };
  };

  /**
   * @param {PointerEvent} event
   * @param {boolean} other
   */
  const report = (event, other) => {
    rested = { x: event.clientX, y: event.clientY };
    hovered(null);
    pressed(pressAt(event, other));
  };

  const leave = () => {
    cancel();
    over = null;
    rested = null;
    hovered(null);
  };

  /** @param {PointerEvent} event */
  const hover = (event) => {
    if (event.pointerType === "touch") return;
    over = event;
    if (rested && Math.hypot(event.clientX - rested.x, event.clientY - rested.y) < AWAY_PIXELS) return;
    rested = null;
    hovered(event.buttons === 0 ? pressAt(event, event.shiftKey) : null);
  };

  // Shift says the opposite, without a move.
  /** @param {KeyboardEvent} event */
  const shift = (event) => {
    if (event.key === "Shift" && over && !rested) hovered(pressAt(over, event.type === "keydown"));
  };

  /** @param {PointerEvent} event */
  const start = (event) => {
    cancel();
    if (!event.isPrimary || (event.button !== 0 && event.button !== 2)) return;
    down = { id: event.pointerId, x: event.clientX, y: event.clientY };
    if (event.pointerType !== "touch") return;
    down.timer = setTimeout(() => {
      report(event, true);
      cancel();
      navigator.vibrate?.(10);
    }, LONG_PRESS_MS);
  };

  // Only this event counts clicks, and it comes before the pointer is let go.
  /** @param {MouseEvent} event */
  const again = (event) => {
    if (event.detail > 1) cancel();
  };

  /** @param {PointerEvent} event */
  const move = (event) => {
    hover(event);
    if (!down || event.pointerId !== down.id) return;
    if (Math.hypot(event.clientX - down.x, event.clientY - down.y) > STILL_PIXELS) cancel();
  };

  /** @param {PointerEvent} event */
  const end = (event) => {
    if (!down || event.pointerId !== down.id) return;
    cancel();
    // On a Mac, Ctrl+click is the right click.
    report(event, event.button === 2 || event.shiftKey || event.ctrlKey);
  };

  element.addEventListener("pointerdown", start, { signal });
  element.addEventListener("mousedown", again, { signal });
  element.addEventListener("pointermove", move, { signal });
  element.addEventListener("pointerup", end, { signal });
  element.addEventListener("pointercancel", cancel, { signal });
  element.addEventListener("pointerleave", leave, { signal });
  for (const type of ["keydown", "keyup"]) {
    document.addEventListener(type, /** @type {any} */ (shift), { signal });
  }
  element.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });

  return {
    destroy() {
      listening.abort();
      cancel();
    },
  };
}

/**
 * Where a pointer is, from 0 to 1 of an element, or beside it.
 * @param {HTMLElement} element
 * @param {{clientX: number, clientY: number}} event
 */
export function placeIn(element, { clientX, clientY }) {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { x: (clientX - left) / width, y: (clientY - top) / height };
}
