// Part, thing or more by keys and by the wheel, while the pointer or the cross is on a tile; what is
// chosen shows at the pointer.

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
  const grid = /** @type {HTMLElement} */ (root.querySelector(".pp-grid"));
  const badge = /** @type {HTMLElement} */ (root.querySelector(".pp-badge"));
  const listening = new AbortController();
  const { signal } = listening;

  const isOurs = () => store.get().history.present.settings.rule === "joint";

  /** @param {KeyboardEvent} event */
  function press(event) {
    const step = { "[": /** @type {const} */ (-1), "]": /** @type {const} */ (1) }[event.key];
    if (!step || event.ctrlKey || event.metaKey || !isOurs() || isTyping(event.target)) return;
    if (!store.get().manifest) return;
    event.preventDefault();
    actions.resize(step);
    say();
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
    badge.hidden = !grid.matches(":hover");
  }

  /** @param {PointerEvent} event */
  function follow({ clientX, clientY }) {
    badge.style.transform = `translate(${clientX + 14}px, ${clientY + 18}px)`;
  }

  document.addEventListener("keydown", press, { signal });
  grid.addEventListener("wheel", turn, { signal, passive: false });
  grid.addEventListener("pointermove", follow, { signal });
  for (const ended of ["pointerleave", "pointerdown"]) {
    grid.addEventListener(ended, () => (badge.hidden = true), { signal });
  }

  return { destroy: () => listening.abort() };
}

/** @param {State} state */
function textOf({ history }) {
  const { settings } = history.present;
  const { threshold } = settings[settings.rule];
  const size = settings.rule === "joint" ? WORDS[/** @type {keyof typeof WORDS} */ (settings.joint.size)] : "";
  return [size, `threshold ${threshold.toFixed(2)}`].filter(Boolean).join(" · ");
}

/** @param {EventTarget | null} target */
export const isTyping = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target.matches("textarea, input:not([type=range]):not([type=checkbox]):not([type=radio])"));
