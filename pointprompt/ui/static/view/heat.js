// The heatmap of an image as colours that rise evenly, for the eye and for the colour-blind: dark blue
// for none, yellow for all.

// After viridis, by Smith and van der Walt 2015 (CC0), between which is mixed.
const STOPS = [
  [68, 1, 84],
  [65, 68, 135],
  [42, 120, 142],
  [34, 168, 132],
  [122, 209, 81],
  [253, 231, 37],
];

const COLORS = Uint8ClampedArray.from({ length: 256 * 4 }, (_, at) => {
  const [value, channel] = [Math.floor(at / 4) / 255, at % 4];
  if (channel === 3) return 255;
  const place = value * (STOPS.length - 1);
  const below = Math.min(Math.floor(place), STOPS.length - 2);
  const [one, other] = [STOPS[below][channel], STOPS[below + 1][channel]];
  return Math.round(one + (place - below) * (other - one));
});

/**
 * @param {HTMLCanvasElement} canvas Of one pixel a token.
 * @param {Uint8Array | null} heat From 0 to 255; null leaves it empty.
 */
export function paintHeat(canvas, heat) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  if (!heat) return;
  const pixels = context.createImageData(width, height);
  heat.forEach((value, token) => pixels.data.set(COLORS.subarray(4 * value, 4 * value + 4), 4 * token));
  context.putImageData(pixels, 0, 0);
}
