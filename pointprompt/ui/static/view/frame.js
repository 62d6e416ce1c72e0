// The elements of a tile: a photo, its colour view, what is painted over them, and what stands below.

/** @import { ManifestImage } from "../contract.js" */

// Tiles of a row share its height, so that no photo may be too wide or too narrow for that.
const ASPECTS = [0.4, 4];

/**
 * @param {ManifestImage} image
 * @param {readonly [number, number]} grid Of tokens.
 */
export function createFrame(image, [h, w]) {
  const aspect = image.width / image.height;
  const element = make("figure", "pp-tile");
  const shownAspect = Math.min(Math.max(aspect, ASPECTS[0]), ASPECTS[1]);
  element.style.setProperty("--pp-aspect", String(shownAspect));

  const photo = make("img", "pp-photo");
  photo.alt = "";
  photo.loading = "lazy";
  photo.decoding = "async";
  photo.draggable = false;

  const colors = make("canvas", "pp-colors");
  [colors.width, colors.height] = [w, h];

  const heat = make("canvas", "pp-heat");
  [heat.width, heat.height] = [w, h];

  const preview = make("canvas", "pp-preview");
  preview.hidden = true;

  const overlay = make("canvas", "pp-overlay");
  overlay.tabIndex = 0;
  overlay.setAttribute("role", "application");
  overlay.setAttribute("aria-describedby", "pp-keys");

  const frame = make("div", "pp-frame");
  frame.style.aspectRatio = String(aspect);
  frame.append(photo, colors, heat, preview, overlay);

  const name = make("span", "pp-name");
  name.textContent = image.name;
  name.title = image.name;
  const share = make("span", "pp-share");
  const caption = document.createElement("figcaption");
  caption.append(name, ...(image.remark ? [remarkSign(image.remark)] : []), share);

  element.append(frame, caption);
  return { element, photo, colors, heat, overlay, preview, share };
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 */
function make(tag, className) {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}

/**
 * What is to be said of a photo: in full on hover, on focus, and to assistive tools.
 * @param {string} remark
 */
function remarkSign(remark) {
  const sign = make("button", "pp-remark");
  sign.type = "button";
  sign.textContent = "i";
  sign.title = remark;
  sign.dataset.remark = remark;
  sign.setAttribute("aria-label", `Remark: ${remark}`);
  return sign;
}
