// The elements of a tile: a photo, its colour view, what is painted over them, and what stands below.

/** @import { ManifestImage } from "../contract.js" */

// Tiles of a row share its height: a photo that is too wide or too narrow for that stands in a place
// of these proportions with room around it.
const ASPECTS = [0.5, 2.5];

/**
 * Its canvases take no memory until they are painted.
 * @param {ManifestImage} image
 */
export function createFrame(image) {
  const aspect = image.width / image.height;
  const element = make("figure", "pp-tile");
  const shownAspect = Math.min(Math.max(aspect, ASPECTS[0]), ASPECTS[1]);
  element.style.setProperty("--pp-aspect", String(shownAspect));
  // How much of its place the photo takes, in each direction.
  element.style.setProperty("--pp-across", String(Math.min(aspect / shownAspect, 1)));
  element.style.setProperty("--pp-down", String(Math.min(shownAspect / aspect, 1)));

  const photo = make("img", "pp-photo");
  photo.alt = "";
  photo.loading = "lazy";
  photo.decoding = "async";
  photo.draggable = false;

  const colors = make("canvas", "pp-colors");
  const heat = make("canvas", "pp-heat");
  const preview = make("canvas", "pp-preview");
  const overlay = make("canvas", "pp-overlay");
  for (const canvas of [colors, heat, preview, overlay]) [canvas.width, canvas.height] = [0, 0];
  preview.hidden = true;
  // Among all tiles one is where Tab stops.
  overlay.tabIndex = -1;
  overlay.setAttribute("role", "application");
  overlay.setAttribute("aria-describedby", "pp-keys");

  const frame = make("div", "pp-frame");
  frame.append(photo, colors, heat, preview, overlay);
  const enlarge = make("button", "pp-enlarge");
  enlarge.type = "button";
  enlarge.tabIndex = -1;
  enlarge.title = "Large (F)";
  enlarge.setAttribute("aria-label", `${image.name}, large`);
  const place = make("div", "pp-place");
  place.append(frame, enlarge);

  const name = make("span", "pp-name");
  name.textContent = image.name;
  name.title = image.name;
  const share = make("span", "pp-share");
  share.append(make("span", "pp-covered"), make("span", "pp-presence"));
  const caption = document.createElement("figcaption");
  caption.append(name, ...(image.remark ? [remarkSign(image.remark)] : []), share);

  element.append(place, caption);
  return { element, photo, colors, heat, overlay, preview, enlarge, share };
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
  sign.tabIndex = -1;
  sign.textContent = "i";
  sign.title = remark;
  sign.dataset.remark = remark;
  sign.setAttribute("aria-label", `Remark: ${remark}`);
  return sign;
}
