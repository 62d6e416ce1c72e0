// How large a photo is shown and where, in a place with an edge. Numbers only; CSS pixels.

/** @typedef {{width: number, height: number}} Extent */
/** @typedef {{scale: number, x: number, y: number}} Zoom Of the photo: pixels by its own, and where its corner is. */

// Beyond it a pixel of a photo is a patch.
const LARGEST = 16;

/**
 * All of it, in the middle.
 * @param {Extent} photo
 * @param {Extent} place
 * @returns {Zoom}
 */
export function fitted(photo, place) {
  const scale = fittedScale(photo, place);
  return { scale, x: (place.width - scale * photo.width) / 2, y: (place.height - scale * photo.height) / 2 };
}

/**
 * @param {Extent} photo
 * @param {Extent} place
 */
const fittedScale = (photo, place) => Math.min(place.width / photo.width, place.height / photo.height);

/**
 * So many times as large, with what is at a point staying there; never smaller than all of it.
 * @param {Zoom} zoom
 * @param {number} times
 * @param {{x: number, y: number}} point
 * @param {Extent} photo
 * @param {Extent} place
 */
export function zoomed({ scale, x, y }, times, point, photo, place) {
  const least = fittedScale(photo, place);
  const next = Math.min(Math.max(scale * times, least), Math.max(LARGEST, least));
  const grown = next / scale;
  const moved = { scale: next, x: point.x - grown * (point.x - x), y: point.y - grown * (point.y - y) };
  return within(moved, photo, place);
}

/**
 * @param {Zoom} zoom
 * @param {number} dx
 * @param {number} dy
 * @param {Extent} photo
 * @param {Extent} place
 */
export const panned = ({ scale, x, y }, dx, dy, photo, place) =>
  within({ scale, x: x + dx, y: y + dy }, photo, place);

/**
 * In the middle where it is smaller than its place, and without a gap where it is larger.
 * @param {Zoom} zoom
 * @param {Extent} photo
 * @param {Extent} place
 * @returns {Zoom}
 */
function within({ scale, x, y }, photo, place) {
  return { scale, x: along(x, scale * photo.width, place.width), y: along(y, scale * photo.height, place.height) };
}

/**
 * @param {number} start
 * @param {number} size
 * @param {number} room
 */
const along = (start, size, room) =>
  size <= room ? (room - size) / 2 : Math.min(Math.max(start, room - size), 0);
