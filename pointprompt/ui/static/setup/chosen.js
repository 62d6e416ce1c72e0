// The files that were chosen, as small pictures. Knows files of this browser; not what they are for.

import { input, rows } from "./field.js";
import { isVideo, pictured } from "./pictured.js";

/** @import { Row } from "./field.js" */

const MOST = 24;

/** @param {HTMLElement} page Where the field is, now or later. */
export function createChosen(page) {
  const listening = new AbortController();
  /** @type {File[]} Those that were chosen on this page, the newest last. */
  const known = [];
  /** @type {WeakMap<File, Promise<HTMLCanvasElement | null>>} */
  const pictures = new WeakMap();
  // One after the other: a photo takes a hundred megabytes while it is decoded.
  let line = Promise.resolve();
  let shown = "";

  /** @param {File} file */
  function pictureOf(file) {
    const picture = pictures.get(file) ?? line.then(() => pictured(file));
    pictures.set(file, picture);
    line = picture.then(() => {});
    return picture;
  }

  /** The list is drawn anew where other files are in the field. */
  function show() {
    const list = /** @type {HTMLElement | null} */ (document.querySelector(".pp-chosen"));
    if (!list) return;
    accept(list.dataset.accept ?? "");
    const chosen = rows();
    const names = chosen.map(({ name }) => name).join("\n");
    if (names === shown && list.childElementCount === Number(chosen.length > 0)) return;
    shown = names;
    list.replaceChildren(...(chosen.length ? [drawn(chosen)] : []));
  }

  /** @param {readonly Row[]} chosen */
  function drawn(chosen) {
    const files = fittingFiles(chosen, known);
    const list = document.createElement("ul");
    list.setAttribute("aria-label", "Chosen files");
    chosen.slice(0, MOST).forEach((row, index) => {
      const card = cardOf(row);
      list.append(card);
      const file = files[index];
      if (file && isVideo(file)) card.dataset.video = "";
      if (file) void pictureOf(file).then((picture) => picture && card.prepend(picture));
    });
    if (chosen.length > MOST) {
      const more = document.createElement("li");
      more.className = "pp-more";
      more.textContent = `and ${chosen.length - MOST} more`;
      list.append(more);
    }
    return list;
  }

  document.addEventListener(
    "change",
    ({ target }) => {
      if (target instanceof HTMLInputElement && target === input()) known.push(...(target.files ?? []));
    },
    { capture: true, signal: listening.signal },
  );
  const observer = new MutationObserver(show);
  observer.observe(page, { childList: true, subtree: true });
  show();

  return {
    destroy() {
      listening.abort();
      observer.disconnect();
    },
  };
}

/**
 * For each row the file that it stands for, as far as that was chosen here: of those with its name
 * the newest.
 * @template {{name: string}} Named
 * @param {readonly {name: string}[]} chosen
 * @param {readonly Named[]} known
 * @returns {(Named | undefined)[]}
 */
export function fittingFiles(chosen, known) {
  const left = [...known];
  const found = [...chosen].reverse().map(({ name }) => {
    const at = left.map((file) => file.name).lastIndexOf(name);
    return at < 0 ? undefined : left.splice(at, 1)[0];
  });
  return found.reverse();
}

/** @param {Row} row */
function cardOf({ name, remove }) {
  const card = document.createElement("li");
  card.title = name;
  const label = document.createElement("span");
  label.textContent = name;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "×";
  button.setAttribute("aria-label", `Remove ${name}`);
  button.addEventListener("click", remove);
  card.append(label, button);
  return card;
}

/**
 * What the system's own dialogue offers to choose from, and what gradio has no word for.
 * @param {string} kinds
 */
function accept(kinds) {
  const field = input();
  if (!field || field.accept === kinds) return;
  field.accept = kinds;
  const more = field.closest(".icon-button");
  more?.setAttribute("aria-label", "Choose more files");
  more?.setAttribute("title", "Choose more files");
}
