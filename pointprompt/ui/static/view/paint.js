// What is drawn over a photo: the mask and its outline.

/**
 * A canvas that is sized to its place on the page.
 * @typedef {Object} Surface
 * @property {CanvasRenderingContext2D} context Takes CSS pixels.
 * @property {number} width
 * @property {number} height
 */

/** @typedef {readonly [number, number, number]} Color Red, green and blue. */
/** @typedef {[number, number, number, number]} Segment From row and column to row and column. */

/**
 * The part of a mask that does not depend on the tile's size: a small canvas of one pixel a token.
 * @param {Uint8Array} mask
 * @param {number} h
 * @param {number} w
 * @param {Color} color
 */
export function maskImage(mask, h, w, [red, green, blue]) {
  const canvas = new OffscreenCanvas(w, h);
  const context = contextOf(canvas);
  const pixels = context.createImageData(w, h);
  for (let token = 0; token < mask.length; token += 1) {
    if (mask[token]) pixels.data.set([red, green, blue, 255], token * 4);
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/**
 * The border of a mask as line segments between tokens; the image's own edge is no border.
 * @param {Uint8Array} mask
 * @param {number} h
 * @param {number} w
 */
export function borderOf(mask, h, w) {
  /** @type {Segment[]} */
  const segments = [];
  for (let row = 0; row < h; row += 1) {
    for (let column = 0; column < w; column += 1) {
      const here = mask[row * w + column];
      if (column + 1 < w && mask[row * w + column + 1] !== here) {
        segments.push([row, column + 1, row + 1, column + 1]);
      }
      if (row + 1 < h && mask[(row + 1) * w + column] !== here) {
        segments.push([row + 1, column, row + 1, column + 1]);
      }
    }
  }
  return segments;
}

/**
 * Sizes a canvas to its place on the page, and empties it.
 * @param {HTMLCanvasElement} canvas
 * @returns {Surface}
 */
export function fit(canvas) {
  const scale = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  const [pixelWidth, pixelHeight] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
    canvas.width = pixelWidth;
    canvas.height = pixelHeight;
  }
  const context = contextOf(canvas);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/**
 * @param {Surface} surface
 * @param {{image: OffscreenCanvas, border: readonly Segment[], color: Color}} layers
 * @param {readonly [number, number]} grid Rows and columns of the mask.
 * @param {{opacity: number, outline: boolean}} display
 */
export function paintMask({ context, width, height }, { image, border, color }, grid, display) {
  const [h, w] = grid;
  context.save();
  context.imageSmoothingEnabled = false;
  context.globalAlpha = display.opacity;
  context.drawImage(image, 0, 0, width, height);
  context.restore();
  if (!display.outline) return;
  const path = new Path2D();
  for (const [row, column, toRow, toColumn] of border) {
    path.moveTo((column * width) / w, (row * height) / h);
    path.lineTo((toColumn * width) / w, (toRow * height) / h);
  }
  context.save();
  context.lineCap = "square";
  // Dark under bright, so that the line shows on any photo.
  context.strokeStyle = "rgba(0, 0, 0, 0.65)";
  context.lineWidth = 2.5;
  context.stroke(path);
  context.strokeStyle = `rgb(${color.join(" ")})`;
  context.lineWidth = 1.25;
  context.stroke(path);
  context.restore();
}

/**
 * Throws where the browser has no such context left to give.
 * @template {HTMLCanvasElement | OffscreenCanvas} Canvas
 * @param {Canvas} canvas
 * @returns {Canvas extends OffscreenCanvas ? OffscreenCanvasRenderingContext2D : CanvasRenderingContext2D}
 */
function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw on a canvas.");
  return /** @type {any} */ (context);
}
