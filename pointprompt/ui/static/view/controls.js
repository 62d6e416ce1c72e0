// The toolbar and the sliders: shows the state, does what is asked for. Keeps no state itself.

import { MAX_AREA, SLIDERS } from "../contract.js";
import { brushOf, radiusOf, sliderOf } from "../state/brush.js";
import { isBlank } from "../state/edits.js";
import { canExport } from "../state/messages.js";
import { conceptOf, hasSizes, valueOf } from "../state/settings.js";
import { createRadios } from "./radios.js";

/**
 * @import { Actions } from "../state/actions.js"
 * @import { PageStore, State } from "../state/state.js"
 */

/** @typedef {HTMLInputElement | HTMLSelectElement} Field */

/** @type {Record<string, (value: number) => string>} */
const FORMATS = {
  threshold: (value) => value.toFixed(2),
  negative_threshold: (value) => value.toFixed(2),
  gamma: (value) => value.toFixed(1),
  opacity: (value) => `${Math.round(value * 100)}%`,
};

/** @param {Field} field */
function read(field) {
  if (field.type === "checkbox") return /** @type {HTMLInputElement} */ (field).checked;
  if (field.type === "number") return Math.min(Math.max(Math.round(Number(field.value)) || 0, 0), MAX_AREA);
  return field.type === "range" ? Number(field.value) : field.value;
}

/**
 * @param {Field} field
 * @param {unknown} value
 */
function write(field, value) {
  if (field.type === "checkbox") {
    /** @type {HTMLInputElement} */ (field).checked = Boolean(value);
    return;
  }
  // Who is typing a number has not ended it yet.
  if (field.type === "number" && field === document.activeElement) return;
  field.value = String(value);
  if (field.type !== "range") return;
  const format = FORMATS[field.dataset.setting ?? field.dataset.display ?? ""] ?? String;
  const output = field.parentElement?.querySelector("output");
  if (output) output.textContent = format(Number(value));
}

/**
 * What can be done now.
 * @param {State} state
 * @returns {Record<string, boolean>}
 */
const possible = (state) => ({
  undo: state.history.past.length > 0 || state.dragFrom !== null,
  redo: state.history.future.length > 0,
  clear: !isBlank(state.history.present),
  reset: true,
  forget: true,
  export: canExport(state),
});

/**
 * @param {HTMLElement} root
 * @param {PageStore} store
 * @param {Actions} actions
 */
export function createControls(root, store, actions) {
  /**
   * @template {HTMLElement} Found
   * @param {string} name
   * @returns {Found[]}
   */
  const all = (name) => [.../** @type {NodeListOf<Found>} */ (root.querySelectorAll(`[data-${name}]`))];
  const settings = /** @type {Field[]} */ (all("setting"));
  const displays = /** @type {Field[]} */ (all("display"));
  const buttons = /** @type {HTMLButtonElement[]} */ (all("action"));
  const ofOneRule = all("rule");
  const outlines = /** @type {NodeListOf<HTMLOptionElement>} */ (
    root.querySelectorAll("[data-setting=outline] option")
  );
  const sizes = settings.find(({ dataset }) => dataset.setting === "size")?.closest("label");
  const [recipe] = all("recipe");
  const [tileSize] = /** @type {HTMLInputElement[]} */ (all("tile-size"));
  const brush = /** @type {HTMLInputElement} */ (root.querySelector(".pp-brush input"));
  const listening = new AbortController();
  const { signal } = listening;

  const radios = [
    createRadios(all("mode"), "mode", (mode) => actions.look({ mode })),
    createRadios(all("view"), "view", (view) => actions.look({ view })),
    createRadios(all("order"), "order", actions.order),
  ];
  for (const button of buttons) {
    const name = /** @type {"undo" | "redo" | "clear" | "reset" | "forget" | "export"} */ (button.dataset.action);
    button.addEventListener("click", () => actions[name](), { signal });
  }
  /** @type {Field | null} */
  let byKeys = null;
  const leaveKeys = () => {
    byKeys = null;
    actions.settle();
  };
  for (const field of settings) {
    const name = field.dataset.setting ?? "";
    Object.assign(field, SLIDERS[name]);
    field.addEventListener("input", () => actions.setting(name, read(field)), { signal });
    field.addEventListener("change", () => byKeys !== field && actions.settle(), { signal });
    // Each key is a change of its own; all of them, until the field is left, are one.
    field.addEventListener("keydown", () => (byKeys = field), { signal });
    for (const left of ["pointerdown", "blur"]) field.addEventListener(left, leaveKeys, { signal });
  }
  for (const field of displays) {
    const name = field.dataset.display ?? "";
    field.addEventListener("input", () => actions.display(name, read(field)), { signal });
  }
  const resize = () => actions.look({ tileSize: Number(tileSize.value) });
  tileSize.addEventListener("input", resize, { signal });
  brush.addEventListener("input", () => actions.look({ brush: radiusOf(Number(brush.value)) }), { signal });

  function show() {
    const state = store.get();
    const { look, manifest, history } = state;
    const values = history.present.settings;
    const eigvecs = manifest?.eigvecs ?? 2;
    radios.forEach(({ show: check }) => check(look));
    root.toggleAttribute("data-brush", brushOf(state) !== null);
    brush.value = String(Math.round(sliderOf(look.brush)));
    for (const field of ofOneRule) field.hidden = field.dataset.rule !== values.rule;
    sizes?.toggleAttribute("hidden", !hasSizes(values));
    recipe.hidden = !conceptOf(values);
    for (const option of outlines) option.hidden = !manifest?.outlines.includes(option.value);
    for (const field of settings) {
      const name = field.dataset.setting ?? "";
      if (name === "n_eigvecs") /** @type {HTMLInputElement} */ (field).max = String(eigvecs);
      write(field, valueOf(values, name) ?? eigvecs);
    }
    /** @type {Record<string, unknown>} */
    const display = look.display;
    for (const field of displays) write(field, display[field.dataset.display ?? ""]);
    tileSize.value = String(look.tileSize ?? state.rowHeight);
    const can = possible(state);
    const focused = document.activeElement;
    for (const button of buttons) button.disabled = !can[button.dataset.action ?? ""];
    // Who pressed the last one that could be pressed goes on from there, not from the page's top.
    const isLost = buttons.some((button) => button === focused && button.disabled);
    if (isLost) buttons.find((button) => !button.disabled)?.focus();
  }

  const unsubscribe = store.subscribe(
    ({ look, manifest, history, dragFrom, exporting, rowHeight }) =>
      [look, manifest, history, dragFrom, exporting, rowHeight],
    show,
  );

  return {
    destroy() {
      unsubscribe();
      listening.abort();
      radios.forEach((group) => group.destroy());
    },
  };
}
