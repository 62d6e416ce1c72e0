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
  const buttons = {
    skip: button("pp-skip", "Skip: leave it out of the download (S)", `Skip ${image.name}`),
    lock: button("pp-lock", "Lock: no click elsewhere changes its mask (L)", `Lock ${image.name}`),
    enlarge: button("pp-enlarge", "Large (F)", `${image.name}, large`),
  };
  const sign = make("span", "pp-hand");
  sign.title = "Edited by hand";
  const place = make("div", "pp-place");
  const row = make("div", "pp-on-tile");
  row.append(...Object.values(buttons));
  place.append(frame, sign, row);

  const name = make("span", "pp-name");
  name.textContent = image.name;
  name.title = image.name;
  const share = make("span", "pp-share");
  share.append(make("span", "pp-covered"), make("span", "pp-presence"));
  const caption = document.createElement("figcaption");
  caption.append(name, ...(image.remark ? [remarkSign(image.remark)] : []), share);

  element.append(place, caption);
  return { element, photo, colors, heat, overlay, preview, buttons, share };
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
 * Out of the way of Tab: keys do the same.
 * @param {string} className
 * @param {string} title
 * @param {string} name
 */
function button(className, title, name) {
  const element = make("button", className);
  element.type = "button";
  element.tabIndex = -1;
  element.title = title;
  element.setAttribute("aria-label", name);
  return element;
}

/**
 * What is to be said of a photo: in full on hover, on focus, and to assistive tools.
 * @param {string} remark
 */
function remarkSign(remark) {
  const sign = button("pp-remark", remark, `Remark: ${remark}`);
  sign.textContent = "i";
  sign.dataset.remark = remark;
  return sign;
}
