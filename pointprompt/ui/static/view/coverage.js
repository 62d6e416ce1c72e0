// How much of an image a mask covers.

// The share from which on something was found in it, and not a speck.
const FOUND = 0.001;

/**
 * From 0 to 1.
 * @param {Uint8Array} mask 1 where it covers, else 0.
 */
export const coverage = (mask) => mask.reduce((sum, token) => sum + token, 0) / mask.length;

/** @param {Uint8Array} mask */
export const isFound = (mask) => coverage(mask) >= FOUND;
