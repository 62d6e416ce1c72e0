// What is drawn over a photo: the mask, its outline, the clicks, the keyboard's cursor.

const MARKER_RADIUS = 7;
const POSITIVE = "#e5484d";
const NEGATIVE = "#2f7df6";

// The part of a mask that does not depend on the tile's size: a small canvas of one pixel a token.
export function maskImage(mask, h, w, [red, green, blue]) {
  const canvas = new OffscreenCanvas(w, h);
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(w, h);
  for (let token = 0; token < mask.length; token += 1) {
    if (mask[token]) pixels.data.set([red, green, blue, 255], token * 4);
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

// The border of a mask as line segments [row, column, row, column] between tokens; the image's own
// edge is no border.
export function borderOf(mask, h, w) {
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

// Size a canvas to its place on the page; its context then takes CSS pixels.
export function fit(canvas) {
  const scale = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  const [pixelWidth, pixelHeight] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
    canvas.width = pixelWidth;
    canvas.height = pixelHeight;
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

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

export function paintClicks({ context, width, height }, clicks) {
  for (const click of clicks) paintClick(context, click.x * width, click.y * height, click.positive);
}

function paintClick(context, x, y, positive) {
  const arm = MARKER_RADIUS - 3.5;
  context.save();
  context.beginPath();
  context.arc(x, y, MARKER_RADIUS, 0, 2 * Math.PI);
  context.fillStyle = positive ? POSITIVE : NEGATIVE;
  context.fill();
  context.strokeStyle = "#000";
  context.lineWidth = 1.5;
  context.stroke();
  context.beginPath();
  context.moveTo(x - arm, y);
  context.lineTo(x + arm, y);
  if (positive) {
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
  }
  context.strokeStyle = "#fff";
  context.lineWidth = 2;
  context.stroke();
  context.restore();
}

export function paintCursor({ context, width, height }, cursor) {
  const [x, y] = [cursor.x * width, cursor.y * height];
  const path = new Path2D();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    path.moveTo(x + dx * 4, y + dy * 4);
    path.lineTo(x + dx * 13, y + dy * 13);
  }
  context.save();
  context.strokeStyle = "#000";
  context.lineWidth = 4;
  context.stroke(path);
  context.strokeStyle = "#fff";
  context.lineWidth = 2;
  context.stroke(path);
  context.restore();
}
