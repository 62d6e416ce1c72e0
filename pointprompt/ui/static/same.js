// Whether two sets hold the same images, as far as a browser can tell: by their names and sizes.

const keyOf = ({ name, width, height }) => JSON.stringify([name, width, height]);

// For each index in `before` the index of that image in `after`, which may have another order; null
// where they are not the same images.
export function sameImages(before, after) {
  if (before.length !== after.length) return null;
  const places = new Map(after.map((image, index) => [keyOf(image), index]));
  const moved = before.map((image) => places.get(keyOf(image)));
  const isEach = new Set(moved).size === after.length && !moved.includes(undefined);
  return isEach ? moved : null;
}
