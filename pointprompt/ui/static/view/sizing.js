// Part, thing or more by keys and by the wheel, while the pointer or the cross is on a tile; what is
// chosen shows at the pointer. With a brush the keys make that larger or smaller.

import { brushOf } from "../state/brush.js";
import { hasSizes } from "../state/settings.js";
import { isElsewhere } from "./shortcuts.js";

/**
 * @import { Actions } from "../state/actions.js"
 * @import { PageStore, State } from "../state/state.js"
 */

// Of the threshold, for each notch of the wheel.
const NOTCH = 0.02;
const WORDS = { part: "a part", thing: "what stands out", more: "more" };

/**
 * @param {HTMLElement} root
 * @param {PageStore} store
 * @param {Actions} actions
 */
export function createSizing(root, store, actions) {
  const images = /** @type {HTMLElement} */ (root.querySelector(".pp-images"));
  const badge = /** @type {HTMLElement} */ (root.querySelector(".pp-badge"));
  const listening = new AbortController();
  const { signal } = listening;

  let isOver = false;

  const isOurs = () => hasSizes(store.get().history.present.settings);

  /** @param {KeyboardEvent} event */
  function press(event) {
    const step = { "[": /** @type {const} */ (-1), "]": /** @type {const} */ (1) }[event.key];
    if (!step || event.ctrlKey || event.metaKey || isElsewhere(event)) return;
    if (!store.get().manifest) return;
    if (brushOf(store.get())) {
      event.preventDefault();
      actions.resizeBrush(step);
    } else if (isOurs()) {
      event.preventDefault();
      actions.resize(step);
      say();
    }
  }

  /** @param {WheelEvent} event */
  function turn(event) {
    if (!event.altKey || event.deltaY === 0) return;
    event.preventDefault();
    actions.tune(NOTCH * Math.sign(event.deltaY));
    say();
  }

  function say() {
    badge.textContent = textOf(store.get());
    badge.hidden = !isOver;
  }

  /** @param {PointerEvent} event */
  function follow({ clientX, clientY }) {
    isOver = true;
    badge.style.transform = `translate(${clientX + 14}px, ${clientY + 18}px)`;
  }

  function leave() {
    isOver = false;
    badge.hidden = true;
  }

  document.addEventListener("keydown", press, { signal });
  images.addEventListener("wheel", turn, { signal, passive: false });
  images.addEventListener("pointermove", follow, { signal });
  images.addEventListener("pointerdown", () => (badge.hidden = true), { signal });
  images.addEventListener("pointerleave", leave, { signal });

  return { destroy: () => listening.abort() };
}

/** @param {State} state */
function textOf({ history }) {
  const { settings } = history.present;
  const { threshold } = settings[settings.rule];
  const size = hasSizes(settings) ? WORDS[/** @type {keyof typeof WORDS} */ (settings.joint.size)] : "";
  return [size, `threshold ${threshold.toFixed(2)}`].filter(Boolean).join(" · ");
}
