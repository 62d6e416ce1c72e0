// Values of tokens -> the line where they are 0, interpolated between the middles of tokens. Knows
// nothing of what the values mean, or of how lines are drawn.

/**
 * Closed lines with what is above 0 inside them, by the even-odd rule.
 * @typedef {Object} Contour
 * @property {Float32Array} points x and y of each, in images' widths and heights.
 * @property {Uint32Array} starts Of each line, in points; the end of the last one follows.
 */

// Around the values once more those of the edge, and beyond them nothing: lines close outside the
// image, where nobody sees them.
const PAD = 2;
const NOTHING = -1;

/**
 * @param {Float32Array} values
 * @param {readonly [number, number]} grid Rows and columns.
 * @returns {Contour}
 *
 * Source: Lorensen and Cline 1987, Marching Cubes, in two dimensions; of the two ways through a cell
 * whose corners differ crosswise, the one that its mean says.
 */
export function contour(values, [h, w]) {
  const width = w + 2 * PAD;
  const { padded, next, points, starts } = scratchFor((h + 2 * PAD) * width);
  pad(values, h, w, padded);
  join(padded, width, next);
  let [point, line] = [0, 0];
  for (let first = 0; first < next.length; first += 1) {
    if (next[first] < 0) continue;
    starts[line] = point;
    line += 1;
    for (let edge = first; next[edge] >= 0; ) {
      const [x, y] = crossing(padded, width, edge);
      points[2 * point] = (x - PAD + 0.5) / w;
      points[2 * point + 1] = (y - PAD + 0.5) / h;
      point += 1;
      const after = next[edge];
      next[edge] = -1;
      edge = after;
    }
  }
  starts[line] = point;
  return { points: points.slice(0, 2 * point), starts: starts.slice(0, line + 1) };
}

let scratch = createScratch(0);

/**
 * What is written over for every image, since a preview draws hundreds of lines: a point an edge, and
 * never as many lines. Of the edges all are -1 again when the lines were followed.
 * @param {number} size
 */
function scratchFor(size) {
  if (scratch.padded.length !== size) scratch = createScratch(size);
  return scratch;
}

/** @param {number} size */
function createScratch(size) {
  return {
    padded: new Float32Array(size),
    next: new Int32Array(2 * size).fill(-1),
    points: new Float32Array(4 * size),
    starts: new Uint32Array(size + 1),
  };
}

/**
 * @param {Float32Array} values
 * @param {number} h
 * @param {number} w
 * @param {Float32Array} padded What it is written to.
 */
function pad(values, h, w, padded) {
  const width = w + 2 * PAD;
  padded.fill(NOTHING);
  for (let row = 1; row < h + 3; row += 1) {
    const from = Math.min(Math.max(row - PAD, 0), h - 1) * w;
    const to = row * width + PAD;
    padded.set(values.subarray(from, from + w), to);
    padded[to - 1] = values[from];
    padded[to + w] = values[from + w - 1];
  }
}

/**
 * For each edge that the line goes through the next one, with what is inside on the left; else -1.
 * Edges go from a value to the right one of it, by its index, and to the one below, after all those.
 * @param {Float32Array} values
 * @param {number} width
 * @param {Int32Array} next What it is written to.
 */
function join(values, width, next) {
  const size = values.length;
  // Which corners of a cell are inside: 1, 2, 4 and 8, clockwise from its upper left. Those on the left
  // edge of the grid are never.
  let corners = 0;
  for (let at = 0; at + width + 1 < size; at += 1) {
    // Its two corners on the right are those on the left of the next one.
    corners = ((corners & 2) >> 1) | ((corners & 4) << 1);
    if (values[at + 1] > 0) corners |= 2;
    if (values[at + width + 1] > 0) corners |= 4;
    if (corners === 0 || corners === 15) continue;
    const [top, bottom, before, beyond] = [at, at + width, size + at, size + at + 1];
    switch (corners) {
      case 1: next[top] = before; break;
      case 2: next[beyond] = top; break;
      case 3: next[beyond] = before; break;
      case 4: next[bottom] = beyond; break;
      case 6: next[bottom] = top; break;
      case 7: next[bottom] = before; break;
      case 8: next[before] = bottom; break;
      case 9: next[top] = bottom; break;
      case 11: next[beyond] = bottom; break;
      case 12: next[before] = beyond; break;
      case 13: next[top] = beyond; break;
      case 14: next[before] = top; break;
      default: {
        const isOne = values[at] + values[at + 1] + values[at + width] + values[at + width + 1] > 0;
        // Crosswise: one region through the middle, or two at its corners.
        if (corners === 5) {
          next[top] = isOne ? beyond : before;
          next[bottom] = isOne ? before : beyond;
        } else {
          next[beyond] = isOne ? bottom : top;
          next[before] = isOne ? top : bottom;
        }
      }
    }
  }
}

/**
 * Where on an edge the values are 0: x and y, in places of the padded grid.
 * @param {Float32Array} values
 * @param {number} width
 * @param {number} edge
 */
function crossing(values, width, edge) {
  const isDown = edge >= values.length;
  const at = isDown ? edge - values.length : edge;
  const [one, other] = [values[at], values[at + (isDown ? width : 1)]];
  const along = one / (one - other);
  const [x, y] = [at % width, Math.floor(at / width)];
  return isDown ? [x, y + along] : [x + along, y];
}
