// One image of the set: its photo, its colour view and what is painted over both.

import { borderOf, fit, maskImage, paintClicks, paintCursor, paintMask } from "./paint.js";
import { listen } from "./pointer.js";

// Steps of the keyboard's cursor, in tokens.
const STEP = 1;
const LONG_STEP = 8;
// Tiles of a row share its height, so that no photo may be too wide or too narrow for that.
const ASPECTS = [0.4, 4];

// on.press(index, {x, y, other, touch}), on.remove(index, {x, y}); `view(index)` gives what to show:
// {clicks, mask, grid, presence, display}, the mask of `grid` rows and columns.
export function createTile(image, index, { photoUrl, atlas, grid, color, view, on }) {
  const [h, w] = grid;
  const element = document.createElement("figure");
  element.className = "pp-tile";
  const aspect = image.width / image.height;
  element.style.setProperty("--pp-aspect", Math.min(Math.max(aspect, ASPECTS[0]), ASPECTS[1]));

  const frame = document.createElement("div");
  frame.className = "pp-frame";
  frame.style.aspectRatio = String(aspect);

  const photo = document.createElement("img");
  photo.className = "pp-photo";
  photo.alt = "";
  photo.loading = "lazy";
  photo.decoding = "async";
  photo.draggable = false;
  photo.src = photoUrl;

  const colors = document.createElement("canvas");
  colors.className = "pp-colors";
  [colors.width, colors.height] = [w, h];

  const overlay = document.createElement("canvas");
  overlay.className = "pp-overlay";
  overlay.tabIndex = 0;
  overlay.setAttribute("role", "application");

  const caption = document.createElement("figcaption");
  const name = document.createElement("span");
  name.className = "pp-name";
  name.textContent = image.name;
  name.title = image.name;
  const share = document.createElement("span");
  share.className = "pp-share";
  caption.append(name, ...(image.remark ? [remarkSign(image.remark)] : []), share);

  frame.append(photo, colors, overlay);
  element.append(frame, caption);

  // The centre of the middle token.
  let cursor = { x: (Math.floor(w / 2) + 0.5) / w, y: (Math.floor(h / 2) + 0.5) / h };
  let focused = false;
  let visible = false;
  let stale = true;
  let drawn = { mask: null };
  let measured = { mask: null };

  // What is derived from a mask is made once for each new mask, and only for tiles that are seen.
  function maskLayers(mask, [rows, columns]) {
    if (drawn.mask !== mask) {
      const image = maskImage(mask, rows, columns, color);
      drawn = { mask, image, border: borderOf(mask, rows, columns), color };
    }
    return drawn;
  }

  // Counted once for each new mask.
  function coverageOf(mask) {
    if (measured.mask !== mask) {
      measured = { mask, covered: mask.reduce((sum, token) => sum + token, 0) / mask.length };
    }
    return measured.covered;
  }

  function paint() {
    stale = !visible;
    if (stale) return;
    const { clicks, mask, grid: maskGrid, display } = view(index);
    const surface = fit(overlay);
    if (mask) paintMask(surface, maskLayers(mask, maskGrid), maskGrid, display);
    paintClicks(surface, clicks);
    if (focused) paintCursor(surface, cursor);
  }

  function describe() {
    const { clicks, mask, presence } = view(index);
    const covered = mask ? coverageOf(mask) : 0;
    const text = mask ? `${percent(covered)} · ${presence.toFixed(2)}` : "";
    if (share.textContent !== text) share.textContent = text;
    share.title = mask
      ? `The mask covers ${percent(covered)} of the image. How sure it is that the thing is here: ${presence.toFixed(2)} of 1.`
      : "";
    element.classList.toggle("pp-empty", Boolean(mask) && covered === 0);
    overlay.setAttribute(
      "aria-label",
      `${image.name}, image ${index + 1}. ${clicks.length === 1 ? "1 click" : `${clicks.length} clicks`}. ` +
        (mask ? `Mask covers ${percent(covered)}.` : "No mask yet."),
    );
  }

  function refresh() {
    describe();
    paint();
  }

  // Its longer side, in the screen's own pixels.
  const shownSide = () =>
    Math.max(overlay.clientWidth, overlay.clientHeight) * (window.devicePixelRatio || 1);

  function setVisible(now) {
    visible = now;
    if (visible && stale) paint();
  }

  function moveCursor(dx, dy) {
    const inside = (value, step, tokens) =>
      Math.min(Math.max(value + step / tokens, 0.5 / tokens), 1 - 0.5 / tokens);
    cursor = { x: inside(cursor.x, dx, w), y: inside(cursor.y, dy, h) };
    focused = true;
    paint();
  }

  overlay.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? LONG_STEP : STEP;
    const actions = {
      ArrowLeft: () => moveCursor(-step, 0),
      ArrowRight: () => moveCursor(step, 0),
      ArrowUp: () => moveCursor(0, -step),
      ArrowDown: () => moveCursor(0, step),
      Enter: () => on.press(index, { ...cursor, other: event.shiftKey, touch: false }),
      " ": () => on.press(index, { ...cursor, other: event.shiftKey, touch: false }),
      Delete: () => on.remove(index, cursor),
      Backspace: () => on.remove(index, cursor),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  // The cursor is for the keyboard: a tile that a mouse clicked does not show it.
  overlay.addEventListener("focus", () => {
    focused = overlay.matches(":focus-visible");
    paint();
  });
  overlay.addEventListener("blur", () => {
    focused = false;
    paint();
  });
  listen(overlay, (press) => on.press(index, press));

  atlas.then((picture) => {
    if (picture) colors.getContext("2d").drawImage(picture, 0, index * h, w, h, 0, 0, w, h);
  });

  // A photo that was lost on its way, once more.
  function reload() {
    if (photo.complete && photo.naturalWidth === 0) photo.src = photoUrl;
  }

  return {
    element,
    overlay,
    paint,
    refresh,
    reload,
    setVisible,
    isVisible: () => visible,
    shownSide,
  };
}

// What is to be said of a photo: in full on hover, on focus, and to assistive tools.
function remarkSign(remark) {
  const sign = document.createElement("button");
  sign.type = "button";
  sign.className = "pp-remark";
  sign.textContent = "i";
  sign.title = remark;
  sign.dataset.remark = remark;
  sign.setAttribute("aria-label", `Remark: ${remark}`);
  return sign;
}

const percent = (share) => {
  if (share === 0) return "0%";
  return share < 0.01 ? "<1%" : `${Math.round(share * 100)}%`;
};
