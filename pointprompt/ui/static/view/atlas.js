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

/**
 * The colour view of an image on a canvas that is empty so far, unless it is wanted no more by then.
 * @param {ReturnType<typeof createAtlas>} atlas
 * @param {HTMLCanvasElement} canvas Gets one pixel a token.
 * @param {number} image
 * @param {{grid: readonly [number, number], isWanted: () => boolean}} options
 */
export async function paintColors(atlas, canvas, image, { grid: [h, w], isWanted }) {
  if (canvas.width) return;
  const picture = await atlas();
  if (!picture || !isWanted()) return;
  [canvas.width, canvas.height] = [w, h];
  canvas.getContext("2d")?.drawImage(picture, 0, image * h, w, h, 0, 0, w, h);
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
