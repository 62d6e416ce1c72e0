// The clicks of a prompt: plain arrays of {image, x, y, positive}, never changed in place.

// The wire wants x and y below 1; this is the largest float32 that is.
const BELOW_ONE = 1 - 2 ** -24;

const inside = (value) => Math.min(Math.max(value, 0), BELOW_ONE);

export const clickAt = (image, x, y, positive) => ({
  image,
  x: inside(x),
  y: inside(y),
  positive,
});

export const add = (clicks, click) => [...clicks, click];

export const removeAt = (clicks, index) => clicks.filter((_, i) => i !== index);

// The same clicks on images that have other places: `places` by the old index.
export const move = (clicks, places) =>
  clicks.map((click) => ({ ...click, image: places[click.image] }));

// Index of the click of this image that is nearest to (x, y), if it is within `radius` pixels of
// a tile of this width and height; else -1.
export function hit(clicks, image, x, y, width, height, radius) {
  let best = -1;
  let bestDistance = radius;
  clicks.forEach((click, index) => {
    if (click.image !== image) return;
    const distance = Math.hypot((click.x - x) * width, (click.y - y) * height);
    if (distance <= bestDistance) {
      best = index;
      bestDistance = distance;
    }
  });
  return best;
}

export function count(clicks) {
  const positive = clicks.filter((click) => click.positive).length;
  return { positive, negative: clicks.length - positive };
}
