// Wheel, pinch and drag on a place -> a photo in it is to be larger or elsewhere. Knows no photo.

const PER_PIXEL = 0.002;
// A wheel may report lines, or pages.
const PIXELS = [1, 16, 400];

/**
 * @param {HTMLElement} element
 * @param {{zoom: (times: number, point: {x: number, y: number}) => void,
 *          pan: (dx: number, dy: number) => void,
 *          canPan: () => boolean}} on canPan: whether one finger moves the photo.
 */
export function listenToPanning(element, { zoom, pan, canPan }) {
  const listening = new AbortController();
  const { signal } = listening;
  /** @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map();
  let isSpace = false;
  /** @type {number | null} */
  let dragging = null;

  /** @param {{clientX: number, clientY: number}} event */
  function pointOf({ clientX, clientY }) {
    const box = element.getBoundingClientRect();
    return { x: clientX - box.left, y: clientY - box.top };
  }

  /** @param {WheelEvent} event */
  function wheel(event) {
    if (event.altKey) return;
    event.preventDefault();
    // A pinch on a touchpad comes as a wheel with Ctrl, in small steps.
    const pixels = event.deltaY * PIXELS[event.deltaMode] * (event.ctrlKey ? 5 : 1);
    zoom(Math.exp(-PER_PIXEL * pixels), pointOf(event));
  }

  /** @param {PointerEvent} event */
  function down(event) {
    if (event.pointerType === "touch") fingers.set(event.pointerId, pointOf(event));
    const isDrag = event.pointerType !== "touch" && (event.button === 1 || (event.button === 0 && isSpace));
    if (!isDrag) return;
    // It is no press.
    event.stopImmediatePropagation();
    event.preventDefault();
    dragging = event.pointerId;
    element.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  function move(event) {
    const before = fingers.get(event.pointerId);
    if (event.pointerId === dragging) {
      event.stopImmediatePropagation();
      pan(event.movementX, event.movementY);
    } else if (before) {
      const now = pointOf(event);
      fingers.set(event.pointerId, now);
      const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
      if (other) pinch(before, now, other);
      else if (canPan()) pan(now.x - before.x, now.y - before.y);
    }
  }

  /**
   * One of two fingers goes from one place to another.
   * @param {{x: number, y: number}} before
   * @param {{x: number, y: number}} now
   * @param {{x: number, y: number}} other
   */
  function pinch(before, now, other) {
    const apart = Math.hypot(before.x - other.x, before.y - other.y);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    if (apart > 0) zoom(Math.hypot(now.x - other.x, now.y - other.y) / apart, middle);
  }

  /** @param {PointerEvent} event */
  function up(event) {
    fingers.delete(event.pointerId);
    if (event.pointerId !== dragging) return;
    event.stopImmediatePropagation();
    dragging = null;
  }

  /** @param {KeyboardEvent} event */
  function space(event) {
    if (event.key !== " " || document.activeElement !== element) return;
    event.preventDefault();
    isSpace = event.type === "keydown";
    element.classList.toggle("pp-grabs", isSpace);
  }

  element.addEventListener("wheel", wheel, { signal, passive: false });
  element.addEventListener("pointerdown", down, { signal });
  element.addEventListener("pointermove", move, { signal });
  for (const type of ["pointerup", "pointercancel"]) {
    element.addEventListener(type, /** @type {any} */ (up), { signal });
  }
  for (const type of ["keydown", "keyup"]) {
    document.addEventListener(type, /** @type {any} */ (space), { signal });
  }

  return { destroy: () => listening.abort() };
}
