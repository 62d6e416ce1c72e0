// In which order the tiles stand.

/**
 * The indices of n images.
 * @param {string} order
 * @param {readonly number[]} presence For each image, or none.
 * @param {number} n
 */
export function arrange(order, presence, n) {
  const indices = Array.from({ length: n }, (_, index) => index);
  if (order === "presence" && presence.length) {
    indices.sort((a, b) => presence[b] - presence[a] || a - b);
  }
  return indices;
}
