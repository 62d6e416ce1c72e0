// How much of an image a mask covers.

// The share from which on something was found in it, and not a speck.
const FOUND = 0.001;

/**
 * Of masks, which are never changed in place; for as long as they are there.
 * @type {WeakMap<Uint8Array, number>}
 */
const measured = new WeakMap();

/**
 * From 0 to 1.
 * @param {Uint8Array} mask 1 where it covers, else 0.
 */
export function coverage(mask) {
  let covered = measured.get(mask);
  if (covered === undefined) {
    covered = mask.reduce((sum, token) => sum + token, 0) / mask.length;
    measured.set(mask, covered);
  }
  return covered;
}

/** @param {Uint8Array} mask */
export const isFound = (mask) => coverage(mask) >= FOUND;
