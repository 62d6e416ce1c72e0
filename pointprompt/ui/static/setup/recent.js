// The sets that this browser had open before, each to be opened again or to be left out from now on.

import { described, forgetRecent, noteRecent, recents } from "../state/recent.js";

/**
 * @import { RecallRequest } from "../contract.js"
 * @import { Recent } from "../state/recent.js"
 * @import { PageStore } from "../state/state.js"
 */

const SHOWN = 4;
const NOTE_MS = 400;

/**
 * @param {HTMLElement} root
 * @param {PageStore} store
 * @param {(request: RecallRequest) => void} recall
 */
export function createRecent(root, store, recall) {
  const line = /** @type {HTMLElement} */ (root.querySelector(".pp-recent"));
  const list = /** @type {HTMLElement} */ (line.querySelector("ul"));

  function show() {
    const now = store.get().manifest?.recall;
    const found = recents().filter(({ recall: opens }) => opens !== now).slice(0, SHOWN);
    line.hidden = found.length === 0;
    list.replaceChildren(...found.map(itemOf));
  }

  /** @param {Recent} recent */
  function itemOf(recent) {
    const item = document.createElement("li");
    const open = buttonOf(described(recent), () => {
      store.set({ recalled: recent });
      recall({ recall: recent.recall });
    });
    open.dataset.recent = "";
    open.title = new Date(recent.time).toLocaleString();
    const leave = buttonOf("×", () => {
      forgetRecent(recent.recall);
      show();
    });
    leave.setAttribute("aria-label", `Leave out ${described(recent)}`);
    leave.title = "Leave it out from now on";
    item.append(open, leave);
    return item;
  }

  // What it was last, and not each step of a slider.
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const note = () => noteRecent(store.get(), Date.now());
  function noteSoon() {
    clearTimeout(timer);
    timer = setTimeout(note, NOTE_MS);
  }
  const listening = new AbortController();
  window.addEventListener("pagehide", note, { signal: listening.signal });

  const unsubscribe = [
    store.subscribe(({ manifest, history }) => [manifest, history.present], noteSoon),
    store.subscribe(({ manifest }) => [manifest], () => show()),
  ];

  return {
    destroy() {
      clearTimeout(timer);
      listening.abort();
      unsubscribe.forEach((end) => end());
    },
  };
}

/**
 * @param {string} text
 * @param {() => void} pressed
 */
function buttonOf(text, pressed) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", textContent: text, onclick: pressed });
  return button;
}
