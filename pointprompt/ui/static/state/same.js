// What tells the images of a set, as far as a browser can tell: their names and sizes.

/** @typedef {{name: string, width: number, height: number}} Sized */

/** @param {Sized} image */
const keyOf = ({ name, width, height }) => JSON.stringify([name, width, height]);

/**
 * For each index in `before` the index of that image in `after`, which may have another order; null
 * where they are not the same images.
 * @param {readonly Sized[]} before
 * @param {readonly Sized[]} after
 */
export function sameImages(before, after) {
  if (before.length !== after.length) return null;
  const indices = new Map(after.map((image, index) => [keyOf(image), index]));
  const places = before.map((image) => indices.get(keyOf(image)) ?? -1);
  const isEach = new Set(places).size === after.length && !places.includes(-1);
  return isEach ? places : null;
}

/**
 * What of a set's images tells them from others.
 * @param {readonly Sized[]} images
 * @returns {Sized[]}
 */
export const sizedOf = (images) => images.map(({ name, width, height }) => ({ name, width, height }));

const NAMED = 3;

/**
 * The names of images, of many the first few.
 * @param {readonly {name: string}[]} images
 */
export function listed(images) {
  const names = images.slice(0, NAMED).map(({ name }) => name);
  const more = images.length - names.length;
  return names.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
