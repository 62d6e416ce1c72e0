// What a download holds: a box to check for each format. Keeps no state itself.

import { FORMATS } from "../contract.js";
import { hasTurned } from "../state/messages.js";
import { openBelow, placeBelow } from "./popover.js";

/**
 * @import { Actions } from "../state/actions.js"
 * @import { Download } from "../state/look.js"
 * @import { PageStore } from "../state/state.js"
 */

// Of COCO's own, under it.
const OF_COCO = { polygons: "as polygons, not as runs of pixels", regions: "each region apart" };

/**
 * @param {HTMLElement} root
 * @param {PageStore} store
 * @param {{actions: Actions, openPrompt: (file: File) => void}} page
 */
export function createFormats(root, store, { actions, openPrompt }) {
  const menu = /** @type {HTMLElement} */ (root.querySelector(".pp-formats"));
  const button = /** @type {HTMLElement} */ (root.querySelector("[data-formats]"));
  const listening = new AbortController();
  const { signal } = listening;

  const formats = new Map(Object.entries(FORMATS).map(([name, line]) => [name, boxOf(line)]));
  const ofCoco = new Map(Object.entries(OF_COCO).map(([name, line]) => [name, boxOf(line)]));
  const list = /** @type {HTMLElement} */ (menu.querySelector("div"));
  for (const [name, { label }] of formats) {
    list.append(label);
    if (name === "coco") list.append(...[...ofCoco.values()].map((box) => box.label));
  }
  for (const { label } of ofCoco.values()) label.classList.add("pp-within");

  const storedLabel = /** @type {HTMLElement} */ (menu.querySelector("[data-stored]"));
  const stored = /** @type {HTMLInputElement} */ (storedLabel.querySelector("input"));
  const turn = /** @type {HTMLElement} */ (menu.querySelector("[data-turn]"));

  /** @param {Map<string, {input: HTMLInputElement}>} boxes */
  const checked = (boxes) => [...boxes].filter(([, { input }]) => input.checked).map(([name]) => name);

  function given() {
    const [chosen] = file.files ?? [];
    if (chosen) openPrompt(chosen);
    // The same once more is a change too.
    file.value = "";
    menu.hidePopover();
  }

  function take() {
    const chosen = new Set(checked(ofCoco));
    /** @type {Download} */
    const download = {
      formats: checked(formats),
      polygons: chosen.has("polygons"),
      regions: chosen.has("regions"),
      stored: stored.checked,
    };
    actions.look({ download });
  }

  const file = /** @type {HTMLInputElement} */ (menu.querySelector("input[type=file]"));
  file.addEventListener("change", given, { signal });
  menu.querySelector("[data-open]")?.addEventListener("click", () => file.click(), { signal });
  for (const boxes of [list, storedLabel]) boxes.addEventListener("change", take, { signal });
  button.addEventListener("click", () => openBelow(menu, button), { signal });

  // It grows by what is checked.
  const sizes = new ResizeObserver(() => menu.matches(":popover-open") && placeBelow(menu, button));
  sizes.observe(menu);

  const unsubscribe = store.subscribe(
    ({ look, manifest }) => [look.download, manifest],
    (download, manifest) => {
      for (const [name, { input }] of formats) input.checked = download.formats.includes(name);
      for (const [name, { input, label }] of ofCoco) {
        input.checked = download[/** @type {"polygons" | "regions"} */ (name)];
        label.hidden = !download.formats.includes("coco");
      }
      stored.checked = download.stored;
      storedLabel.hidden = !hasTurned({ manifest });
      turn.textContent = download.stored && !storedLabel.hidden ? "as stored" : "turned upright";
    },
  );

  return {
    destroy() {
      unsubscribe();
      sizes.disconnect();
      listening.abort();
    },
  };
}

/** @param {string} line */
function boxOf(line) {
  const label = document.createElement("label");
  label.className = "pp-check";
  const input = document.createElement("input");
  input.type = "checkbox";
  const text = document.createElement("span");
  text.textContent = line;
  label.append(input, text);
  return { label, input };
}
