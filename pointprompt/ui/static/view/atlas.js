// The picture of all colour views, which is loaded when the first of them is seen.

/**
 * Returns what resolves to the picture, or to null where it cannot be had: the photos are still of
 * use.
 * @param {string} url
 */
export function createAtlas(url) {
  /** @type {Promise<HTMLImageElement | null> | undefined} */
  let loading;
  return () => (loading ??= load(url));
}

/** @param {string} url */
async function load(url) {
  const picture = new Image();
  picture.src = url;
  try {
    await picture.decode();
    return picture;
  } catch {
    return null;
  }
}
