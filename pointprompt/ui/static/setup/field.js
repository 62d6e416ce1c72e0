// The field that takes files, as gradio draws it, and the bar that it is folded away under. Knows
// gradio's elements; not what the files are for.

/**
 * A file that was chosen.
 * @typedef {Object} Row
 * @property {string} name
 * @property {() => void} remove Takes it out again.
 */

// Of the page: far more than gradio takes to draw a field that was folded away.
const PATIENCE_MS = 5000;

/** @returns {Row[]} The files that the server has, in order. */
export function rows() {
  return [...document.querySelectorAll("#pp-files tr.file")].map((row) => ({
    name: row.querySelector(".filename")?.getAttribute("aria-label") ?? "",
    remove: () => press(row.querySelector("button")),
  }));
}

/** @returns {HTMLInputElement | null} It is another one at times; null while files are uploaded. */
export const input = () => document.querySelector("#pp-files input[type=file]");

/** Shows the choice of images. */
export function unfold() {
  const bar = document.querySelector("#pp-setup > button");
  if (!document.querySelector("#pp-setup > button.open")) press(bar);
}

/** Takes all files out again. */
export async function clear() {
  press(document.querySelector('#pp-files button[aria-label="Clear"]'));
  await until(() => rows().length === 0);
}

/**
 * Gives it files as if they were chosen there; those that it has stay.
 * @param {readonly File[]} files
 */
export async function give(files) {
  const transfer = new DataTransfer();
  files.forEach((file) => transfer.items.add(file));
  const found = await until(input);
  if (!found) return;
  found.files = transfer.files;
  found.dispatchEvent(new Event("change", { bubbles: true }));
}

/** @param {Element | null} button */
const press = (button) => /** @type {HTMLElement | null} */ (button)?.click();

/**
 * What `get` finds, once it does; null where that takes too long.
 * @template Found
 * @param {() => Found} get
 * @returns {Promise<Found | null>}
 */
async function until(get) {
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    const found = get();
    if (found) return found;
    await new Promise((done) => requestAnimationFrame(done));
  }
  return null;
}
