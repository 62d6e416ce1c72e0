// A small picture of a file that was chosen, as far as this browser can show it.

// Of a picture, in its own pixels: as it is shown on a fine screen.
const HEIGHT = 144;
// A browser may never say that it will not read a video, and other files wait for it.
const PATIENCE_MS = 4000;

/** @param {File} file */
export const isVideo = ({ type }) => type.startsWith("video/");

/**
 * @param {File} file
 * @returns {Promise<HTMLCanvasElement | null>} The image, or the first frame of the video; null where
 *   this browser cannot show it.
 */
export async function pictured(file) {
  try {
    return await (isVideo(file) ? firstFrame(file) : whole(file));
  } catch {
    return null;
  }
}

/** @param {File} file */
async function whole(file) {
  const bitmap = await createImageBitmap(file, { resizeHeight: HEIGHT, resizeQuality: "medium" });
  const canvas = drawn(bitmap, bitmap);
  bitmap.close();
  return canvas;
}

/** @param {File} file */
async function firstFrame(file) {
  const video = document.createElement("video");
  const address = URL.createObjectURL(file);
  try {
    Object.assign(video, { muted: true, playsInline: true, preload: "auto", src: address });
    await loaded(video);
    const { videoWidth, videoHeight } = video;
    return drawn(video, { width: (videoWidth / videoHeight) * HEIGHT, height: HEIGHT });
  } finally {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(address);
  }
}

/**
 * Once its first frame can be drawn.
 * @param {HTMLVideoElement} video
 * @returns {Promise<void>}
 */
const loaded = (video) =>
  new Promise((done, failed) => {
    video.addEventListener("loadeddata", () => done(), { once: true });
    video.addEventListener("error", failed, { once: true });
    setTimeout(failed, PATIENCE_MS);
  });

/**
 * @param {CanvasImageSource} source
 * @param {{width: number, height: number}} size
 */
function drawn(source, { width, height }) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width));
  canvas.height = Math.round(height);
  canvas.getContext("2d")?.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}
