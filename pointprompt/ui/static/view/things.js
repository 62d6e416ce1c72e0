// The things as chips in the toolbar: which is chosen, one more, and what can be done with the one that
// is. Keeps no state itself.

import { MAX_NAME_CHARS, MAX_THINGS, THING_COLORS } from "../contract.js";
import { all, isTaken } from "../state/things.js";
import { chipOf, swatch } from "./chips.js";
import { openBelow } from "./popover.js";
import { STEPS } from "./radios.js";

/**
 * @import { Actions } from "../state/actions.js"
 * @import { PageStore } from "../state/state.js"
 * @import { Color, Prompt } from "../state/things.js"
 */

/**
 * @param {HTMLElement} root
 * @param {PageStore} store
 * @param {Actions} actions
 */
export function createThings(root, store, actions) {
  /** @template {HTMLElement} Found @param {string} selector */
  const find = (selector) => /** @type {Found} */ (root.querySelector(selector));
  const chips = find(".pp-chips");
  const more = find("[data-thing=more]");
  const menu = find(".pp-thing");
  const adding = /** @type {NodeListOf<HTMLButtonElement>} */ (root.querySelectorAll("[data-thing=add]"));
  /** @type {HTMLInputElement} */
  const name = find(".pp-thing input[type=text]");
  const problem = find(".pp-thing [role=alert]");
  /** @type {HTMLInputElement} */
  const hidden = find("[data-thing=hidden]");
  const swatches = find(".pp-swatches");
  const among = /** @type {NodeListOf<HTMLInputElement>} */ (root.querySelectorAll("[data-among]"));
  const listening = new AbortController();
  const { signal } = listening;

  const present = () => store.get().history.present;
  const chosen = () => present().id;

  const chosenChip = () => /** @type {HTMLElement | null} */ (chips.querySelector("[aria-checked=true]"));
  const focusChosen = () => chosenChip()?.focus();

  swatches.append(...Object.entries(THING_COLORS).map(([title, color]) => swatch(title, color)));

  function open() {
    name.value = present().name;
    say("");
    openBelow(menu, more);
    name.select();
  }

  /** @param {string} text */
  function say(text) {
    problem.textContent = text;
    problem.hidden = !text;
    name.setAttribute("aria-invalid", String(Boolean(text)));
  }

  /** Takes the name that was typed, if the thing can have it. */
  function rename() {
    const typed = name.value.trim();
    const others = all(present()).filter(({ id }) => id !== chosen());
    say(isTaken(typed, others) ? "Another thing has this name." : "");
    if (typed && typed !== present().name && problem.hidden) actions.changeThing(chosen(), { name: typed });
  }

  /** @param {KeyboardEvent} event */
  function done(event) {
    if (event.key !== "Enter") return;
    // Else it would press the button that has the focus afterwards, and open the menu again.
    event.preventDefault();
    rename();
    if (problem.hidden) menu.hidePopover();
  }

  /** @type {Record<string, () => void>} */
  const does = {
    up: () => actions.moveThing(chosen(), -1),
    down: () => actions.moveThing(chosen(), 1),
    remove() {
      menu.hidePopover();
      actions.removeThing(chosen());
      focusChosen();
    },
  };

  /** @param {Event} event */
  function pressed({ target }) {
    const button = target instanceof Element ? target.closest("button") : null;
    if (button?.dataset.color) actions.changeThing(chosen(), { color: colorOf(button.dataset.color) });
    else does[button?.dataset.thing ?? ""]?.();
  }

  /** @param {Event} event */
  function picked({ target }) {
    const chip = target instanceof Element ? target.closest("button") : null;
    if (chip) actions.choose(Number(chip.dataset.id));
  }

  /** Arrow keys go through the chips. @param {KeyboardEvent} event */
  function walk(event) {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const things = all(present());
    const at = things.findIndex(({ id }) => id === chosen());
    actions.choose(things[(at + step + things.length) % things.length].id);
    focusChosen();
  }

  chips.addEventListener("click", picked, { signal });
  chips.addEventListener("keydown", walk, { signal });
  for (const button of adding) button.addEventListener("click", () => actions.addThing(), { signal });
  more.addEventListener("click", open, { signal });
  menu.addEventListener("click", pressed, { signal });
  name.maxLength = MAX_NAME_CHARS;
  name.addEventListener("input", () => say(""), { signal });
  name.addEventListener("change", rename, { signal });
  name.addEventListener("keydown", done, { signal });
  hidden.addEventListener("change", () => actions.changeThing(chosen(), { hidden: hidden.checked }), { signal });
  for (const field of among) {
    field.addEventListener("change", () => actions.relate({ [field.dataset.among ?? ""]: field.checked }), { signal });
  }

  /** @param {Prompt} prompt */
  function show(prompt) {
    const things = all(prompt);
    root.toggleAttribute("data-several", things.length > 1);
    const hadFocus = chips.contains(document.activeElement);
    chips.replaceChildren(...things.map((thing, index) => chipOf(thing, index, thing.id === prompt.id)));
    if (hadFocus) focusChosen();
    revealIn(chips, chosenChip());
    for (const button of adding) button.disabled = things.length >= MAX_THINGS;
    for (const button of swatches.children) {
      const isIts = String(colorOf(/** @type {HTMLElement} */ (button).dataset.color ?? "")) === String(prompt.color);
      button.setAttribute("aria-pressed", String(isIts));
    }
    hidden.checked = prompt.hidden;
    const disabled = { up: !prompt.above.length, down: !prompt.below.length, remove: things.length === 1 };
    for (const [what, isOff] of Object.entries(disabled)) {
      /** @type {HTMLButtonElement} */ (find(`[data-thing=${what}]`)).disabled = isOff;
    }
    /** @type {Record<string, unknown>} */
    const values = { ...prompt };
    for (const field of among) field.checked = Boolean(values[field.dataset.among ?? ""]);
  }

  const unsubscribe = store.subscribe(({ history }) => [history.present], (prompt) => show(prompt));

  return {
    destroy() {
      unsubscribe();
      listening.abort();
    },
  };
}

/**
 * Pushes a row sideways until one of it is seen; the page stays where it is.
 * @param {HTMLElement} row
 * @param {HTMLElement | null} one
 */
function revealIn(row, one) {
  if (!one) return;
  const [start, end] = [one.offsetLeft - row.offsetLeft, one.offsetLeft - row.offsetLeft + one.offsetWidth];
  if (start < row.scrollLeft) row.scrollLeft = start;
  else if (end > row.scrollLeft + row.clientWidth) row.scrollLeft = end - row.clientWidth;
}

/** @param {string} title */
const colorOf = (title) => /** @type {Color} */ (/** @type {Record<string, Color>} */ (THING_COLORS)[title]);
