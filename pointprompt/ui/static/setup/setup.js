// What is chosen before there is a set: joins the parts of this folder. The tiles know none of it.

import { createAsk } from "./ask.js";
import { createCard } from "./card.js";
import { createChosen } from "./chosen.js";
import { createDrop } from "./drop.js";
import { filesOf } from "./dropped.js";
import { createRecent } from "./recent.js";
import { clear, give, rows, unfold } from "./field.js";

/**
 * @import { RecallRequest } from "../contract.js"
 * @import { PageStore } from "../state/state.js"
 */

/**
 * @param {HTMLElement} root
 * @param {PageStore} store
 * @param {{recall: (request: RecallRequest) => void, openPrompt: (file: File) => void}} page
 */
export function createSetup(root, store, { recall, openPrompt }) {
  /** @param {string} selector */
  const find = (selector) => /** @type {HTMLElement} */ (root.querySelector(selector));

  /** @param {DataTransfer} transfer */
  async function take(transfer) {
    const files = await filesOf(transfer, canBeRead);
    const [file] = files;
    if (files.length === 1 && isPrompt(file) && store.get().manifest) {
      openPrompt(file);
      return;
    }
    if (!file) return;
    unfold();
    // What is in the set already is not meant again, for a new set or to be added.
    if (isAllOpen()) await clear();
    await give(files);
    document.querySelector("#pp-setup")?.scrollIntoView({ block: "nearest" });
  }

  /** Whether the files in the field are those of the set that is open. */
  function isAllOpen() {
    const names = store.get().manifest?.images.map(({ name }) => name) ?? [];
    const chosen = rows();
    return chosen.length > 0 && chosen.every(({ name }) => isIn(name, names));
  }

  // Folded away while an example is to come; where none does, there is nothing else to do.
  let wasAwaiting = false;
  const unsubscribe = store.subscribe(
    ({ manifest, awaiting, trouble }) => [manifest, awaiting, trouble.gone],
    (manifest, awaiting, gone) => {
      if (!manifest && !awaiting && (wasAwaiting || gone)) unfold();
      wasAwaiting = awaiting;
      find(".pp-awaited").hidden = !awaiting;
      root.dataset.set = manifest ? (manifest.example ? "example" : "own") : "none";
      find(".pp-try").textContent = manifest?.example ?? "";
      find(".pp-try").hidden = !manifest?.example;
    },
  );
  const card = document.querySelector("#pp-progress");
  const parts = [
    createAsk(/** @type {HTMLDialogElement} */ (find(".pp-ask")), store),
    createChosen(document.body),
    createRecent(root, store, recall),
    createDrop(find(".pp-veil"), (transfer) => void take(transfer)),
    ...(card instanceof HTMLElement ? [createCard(card)] : []),
  ];
  return {
    destroy() {
      unsubscribe();
      parts.forEach((part) => part.destroy());
    },
  };
}

/** @param {File} file */
const isPrompt = ({ name }) => /\.(json|safetensors)$/i.test(name);

/**
 * Whether a set has an image of a file: the file itself, or a frame of it, which has its number.
 * @param {string} file The file's name.
 * @param {readonly string[]} images The names of the images.
 */
export function isIn(file, images) {
  const stem = file.replace(/\.[^.]*$/, "");
  return images.some(
    (name) => name === file || (name.startsWith(stem) && /^-\d{4,}\.jpg$/.test(name.slice(stem.length))),
  );
}

/**
 * Whether a file can be an image or a video, by its name.
 * @param {File} file
 */
function canBeRead({ name, type }) {
  const list = document.querySelector(".pp-chosen");
  const kinds = list instanceof HTMLElement ? (list.dataset.accept ?? "").split(",") : [];
  const lower = name.toLowerCase();
  return type.startsWith("image/") || kinds.some((kind) => kind.startsWith(".") && lower.endsWith(kind));
}
