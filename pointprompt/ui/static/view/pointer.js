// Mouse, pen and touch on a tile -> a press at (x, y): left or tap, or right, Shift or long press.
// A double click is one press.

/** @import { Press } from "../state/actions.js" */

const LONG_PRESS_MS = 500;
const STILL_PIXELS = 8;

/**
 * A drag or a scroll is no press.
 * @param {HTMLElement} element
 * @param {(press: Press) => void} pressed
 */
export function listen(element, pressed) {
  /** @type {{id: number, x: number, y: number, timer?: ReturnType<typeof setTimeout>} | null} */
  let down = null;
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
  const report = (event, other) => {
    const box = element.getBoundingClientRect();
    pressed({
      x: (event.clientX - box.left) / box.width,
      y: (event.clientY - box.top) / box.height,
      other,
      touch: event.pointerType === "touch",
    });
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
  element.addEventListener("pointerleave", cancel, { signal });
  element.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });

  return {
    destroy() {
      listening.abort();
      cancel();
    },
  };
}
