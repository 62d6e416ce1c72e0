// Mouse, pen and touch with a brush -> a way over an image, told as it goes on and when it has ended.
// Knows no masks. Clicks are `pointer.js`'s.

import { placeIn } from "./pointer.js";

/** @import { Place } from "../state/brush.js" */

/**
 * A way so far, or where the brush is held; null for nowhere.
 * @typedef {{way: Place[], other: boolean, isDown: boolean} | null} Trace
 */

/**
 * @param {HTMLElement} element
 * @param {{isOn: () => boolean, traced: (trace: Trace) => void, painted: (way: Place[], other: boolean) => void}} on isOn:
 *   whether there is a brush. other: with the opposite of it.
 */
export function listenToBrush(element, { isOn, traced, painted }) {
  /** @type {{id: number, way: Place[], other: boolean} | null} */
  let down = null;
  const listening = new AbortController();
  const { signal } = listening;
  const placeOf = (/** @type {PointerEvent} */ event) => placeIn(element, event);

  /** @param {PointerEvent} event */
  function start(event) {
    if (!isOn()) return;
    // Two fingers are no brush.
    if (!event.isPrimary) {
      stop();
      return;
    }
    if (event.button !== 0 && event.button !== 2) return;
    element.setPointerCapture(event.pointerId);
    const other = event.button === 2 || event.shiftKey || event.ctrlKey;
    down = { id: event.pointerId, way: [placeOf(event)], other };
    traced({ ...down, isDown: true });
  }

  /** @param {PointerEvent} event */
  function move(event) {
    if (down?.id === event.pointerId) {
      const all = event.getCoalescedEvents?.() ?? [];
      down.way.push(...(all.length ? all : [event]).map(placeOf));
      traced({ ...down, isDown: true });
    } else if (isOn() && !down && event.pointerType !== "touch") {
      traced({ way: [placeOf(event)], other: event.shiftKey, isDown: false });
    }
  }

  /** @param {PointerEvent} event */
  function end(event) {
    if (down?.id !== event.pointerId) return;
    const { way, other } = down;
    stop();
    painted(way, other);
  }

  function stop() {
    down = null;
    traced(null);
  }

  element.addEventListener("pointerdown", start, { signal });
  element.addEventListener("pointermove", move, { signal });
  element.addEventListener("pointerup", end, { signal });
  element.addEventListener("pointercancel", stop, { signal });
  element.addEventListener("pointerleave", () => isOn() && !down && traced(null), { signal });

  return { destroy: () => listening.abort() };
}
