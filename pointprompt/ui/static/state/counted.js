// Numbers of things, in words.

/**
 * So many of a thing: "1 click", "3 clicks".
 * @param {number} count
 * @param {string} what
 */
export const counted = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;
