// Mouse, pen and touch on a tile -> a press at (x, y): left or tap, or right, Shift or long press.

const LONG_PRESS_MS = 500;
const STILL_PIXELS = 8;

// pressed({x, y, other, touch}) with x, y from 0 to 1 of the element; `other` for the second kind
// of press. A drag or a scroll is no press.
export function listen(element, pressed) {
  let down = null;

  const cancel = () => {
    if (down) clearTimeout(down.timer);
    down = null;
  };

  const report = (event, other) => {
    const box = element.getBoundingClientRect();
    pressed({
      x: (event.clientX - box.left) / box.width,
      y: (event.clientY - box.top) / box.height,
      other,
      touch: event.pointerType === "touch",
    });
  };

  element.addEventListener("pointerdown", (event) => {
    cancel();
    if (!event.isPrimary || (event.button !== 0 && event.button !== 2)) return;
    down = { id: event.pointerId, x: event.clientX, y: event.clientY };
    if (event.pointerType === "touch") {
      down.timer = setTimeout(() => {
        report(event, true);
        cancel();
        navigator.vibrate?.(10);
      }, LONG_PRESS_MS);
    }
  });

  element.addEventListener("pointermove", (event) => {
    if (!down || event.pointerId !== down.id) return;
    if (Math.hypot(event.clientX - down.x, event.clientY - down.y) > STILL_PIXELS) cancel();
  });

  element.addEventListener("pointerup", (event) => {
    if (!down || event.pointerId !== down.id) return;
    cancel();
    // On a Mac, Ctrl+click is the right click.
    report(event, event.button === 2 || event.shiftKey || event.ctrlKey);
  });

  element.addEventListener("pointercancel", cancel);
  element.addEventListener("pointerleave", cancel);
  element.addEventListener("contextmenu", (event) => event.preventDefault());
}
