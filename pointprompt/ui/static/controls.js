// The toolbar and the sliders: shows a state, reports what was asked for. Keeps no state itself.

import { SLIDERS } from "./contract.js";
import { valueOf } from "./settings.js";

const FORMATS = {
  threshold: (value) => value.toFixed(2),
  negative_threshold: (value) => value.toFixed(2),
  gamma: (value) => value.toFixed(1),
  opacity: (value) => `${Math.round(value * 100)}%`,
};

function read(input) {
  if (input.type === "checkbox") return input.checked;
  return input.type === "range" ? Number(input.value) : input.value;
}

function write(input, value) {
  if (input.type === "checkbox") {
    input.checked = value;
    return;
  }
  input.value = value;
  if (input.type !== "range") return;
  const format = FORMATS[input.dataset.setting ?? input.dataset.display] ?? String;
  input.parentElement.querySelector("output").textContent = format(Number(value));
}

// on: {mode, view, order, action, tileSize, display} take a value; setting(name, value) each step of a
// change, and settled() when it ends.
export function createControls(root, on) {
  const all = (selector) => [...root.querySelectorAll(selector)];
  const settings = all("[data-setting]");
  const displays = all("[data-display]");
  const rules = all("[data-rule]");
  const outlineChoices = all("[data-setting=outline] option");
  const actions = Object.fromEntries(
    all("[data-action]").map((button) => [button.dataset.action, button]),
  );

  for (const kind of ["mode", "view", "order"]) {
    const buttons = all(`[data-${kind}]`);
    for (const button of buttons) {
      button.addEventListener("click", () => on[kind](button.dataset[kind]));
      button.addEventListener("keydown", (event) => walkRadios(event, buttons));
    }
  }
  for (const [name, button] of Object.entries(actions)) {
    button.addEventListener("click", () => on.action(name));
  }
  for (const input of settings) {
    Object.assign(input, SLIDERS[input.dataset.setting]);
    input.addEventListener("input", () => on.setting(input.dataset.setting, read(input)));
    input.addEventListener("change", () => on.settled());
  }
  for (const input of displays) {
    input.addEventListener("input", () => on.display(input.dataset.display, read(input)));
  }
  const tileSize = root.querySelector("[data-tile-size]");
  tileSize.addEventListener("input", () => on.tileSize(Number(tileSize.value)));

  function check(kind, chosen) {
    for (const button of all(`[data-${kind}]`)) {
      const isChosen = button.dataset[kind] === chosen;
      button.setAttribute("aria-checked", String(isChosen));
      button.tabIndex = isChosen ? 0 : -1;
    }
  }

  return {
    show({ mode, view, order, display, settings: values, can, eigvecs, outlines, tileSize: size }) {
      check("mode", mode);
      check("view", view);
      check("order", order);
      for (const field of rules) field.hidden = field.dataset.rule !== values.rule;
      for (const option of outlineChoices) option.hidden = !outlines.includes(option.value);
      for (const input of settings) {
        const name = input.dataset.setting;
        if (name === "n_eigvecs") input.max = eigvecs;
        write(input, valueOf(values, name) ?? eigvecs);
      }
      for (const input of displays) write(input, display[input.dataset.display]);
      tileSize.value = size;
      for (const [name, isPossible] of Object.entries(can)) actions[name].disabled = !isPossible;
    },
  };
}

// Arrow keys go through a group of radio buttons, as everywhere.
function walkRadios(event, buttons) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const next = buttons[(buttons.indexOf(event.currentTarget) + step + buttons.length) % buttons.length];
  next.focus();
  next.click();
}
