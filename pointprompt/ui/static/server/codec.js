// Masks as they come over the wire: base64 of zlib of packed bits, first token in the highest bit. And
// bytes as they go: base64.

/** @import { EdgesAnswer } from "../contract.js" */

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// As many bytes at a time as a function takes arguments.
const SOME = 1 << 15;

/** @param {ArrayBuffer} buffer */
export function encodeBytes(buffer) {
  const bytes = new Uint8Array(buffer);
  const parts = [];
  for (let at = 0; at < bytes.length; at += SOME) parts.push(String.fromCharCode(...bytes.subarray(at, at + SOME)));
  return btoa(parts.join(""));
}

/** @param {string} text */
const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/**
 * One array of bytes for each of the n images; none of "".
 * @param {string} text
 * @param {number} n
 */
export async function decodeBytes(text, n) {
  if (!text) return [];
  const bytes = await inflate(fromBase64(text));
  const size = bytes.length / n;
  return Array.from({ length: n }, (_, image) => bytes.subarray(image * size, (image + 1) * size));
}

/**
 * One array of h * w zeros and ones for each of the n images.
 * @param {string} text
 * @param {number} n
 * @param {number} h
 * @param {number} w
 */
export async function decodeMasks(text, n, h, w) {
  const packed = await inflate(fromBase64(text));
  const size = h * w;
  if (packed.length !== Math.ceil((n * size) / 8)) {
    throw new Error("The masks do not fit the images.");
  }
  return Array.from({ length: n }, (_, image) => {
    const mask = new Uint8Array(size);
    for (let token = 0; token < size; token += 1) {
      const bit = image * size + token;
      mask[token] = (packed[bit >> 3] >> (7 - (bit & 7))) & 1;
    }
    return mask;
  });
}

/**
 * Masks along edges, each at its image's place; nothing at the others.
 * @param {EdgesAnswer["masks"]} masks
 * @param {number} side That they were asked for.
 */
export async function decodeEdges(masks, side) {
  const decoded = await Promise.all(
    masks.map(({ mask, height, width }) => decodeMasks(mask, 1, height, width)),
  );
  /** @type {{mask: Uint8Array, grid: [number, number], side: number}[]} */
  const edged = [];
  masks.forEach(({ image, height, width }, index) => {
    edged[image] = { mask: decoded[index][0], grid: [height, width], side };
  });
  return edged;
}
