// Keys that do something wherever the focus is: undo and redo as everywhere, and single keys for what
// is done most. What a tile does with its own keys is `keyboard.js`'s.

import { all } from "../state/things.js";

/**
 * @import { Actions } from "../state/actions.js"
 * @import { PageStore } from "../state/state.js"
 */

/** @type {Record<string, string>} */
const MODES = { "+": "positive", "-": "negative", b: "brush", e: "eraser" };
/** @type {Record<string, string>} */
const OTHER = { positive: "negative", negative: "positive", brush: "eraser", eraser: "brush" };

/**
 * @param {HTMLElement} root
 * @param {PageStore} store
 * @param {{actions: Actions, go: (step: number) => void, here: () => number | null,
 *          help: () => void}} page go: to a tile so many further on. here: the image that is meant.
 */
export function createShortcuts(root, store, { actions, go, here, help }) {
  const listening = new AbortController();
  const views = new Map(
    [.../** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-view]"))].map(
      (button) => [button.dataset.key ?? "", button],
    ),
  );
  for (const [key, button] of views) button.setAttribute("aria-keyshortcuts", key.toUpperCase());

  /**
   * For as long as a key is held, photos are seen without what is painted over them.
   * @param {boolean} isHeld
   */
  const peek = (isHeld) => root.toggleAttribute("data-peek", isHeld);

  /** @param {(image: number) => void} edit */
  function onImage(edit) {
    const image = store.get().focus ?? here();
    if (image !== null) edit(image);
  }

  /**
   * What a key does without Ctrl, Alt and the like.
   * @param {string} key In lower case.
   * @param {boolean} shift
   * @returns {(() => void) | undefined}
   */
  function single(key, shift) {
    if (key === "?") return help;
    if (!store.get().manifest) return undefined;
    const { look, history } = store.get();
    const mode = key === "x" ? OTHER[look.mode] : MODES[key];
    if (mode) return () => actions.look({ mode });
    const thing = all(history.present)[Number(key) - 1];
    if (thing) return () => actions.choose(thing.id);
    if (key === "a") return () => actions.addThing();
    if (key === "m") return () => peek(true);
    const { focus } = store.get();
    const edit = { l: actions.lock, s: actions.skip }[key];
    if (edit) return () => onImage(edit);
    if (key === "f") return () => actions.focus(focus === null ? (here() ?? 0) : null);
    if (key === "escape" && (look.mode === "brush" || look.mode === "eraser")) {
      return () => actions.look({ mode: "positive" });
    }
    if (key === "escape" && focus !== null) return () => actions.focus(null);
    const next = focus === null ? go : (/** @type {number} */ step) => actions.focusNext(step);
    if (key === "n") return () => next(shift ? -1 : 1);
    if (key === "." || key === ",") return () => next(key === "." ? 1 : -1);
    const view = views.get(key);
    return view && (() => view.click());
  }

  /**
   * @param {string} key In lower case.
   * @param {boolean} shift
   */
  function withCtrl(key, shift) {
    if (!store.get().manifest) return undefined;
    if (key === "y" || (key === "z" && shift)) return actions.redo;
    if (key === "backspace") return actions.clear;
    return key === "z" ? actions.undo : undefined;
  }

  /** @param {KeyboardEvent} event */
  function press(event) {
    if (event.defaultPrevented || event.isComposing || isElsewhere(event)) return;
    const key = event.key.toLowerCase();
    const isCtrl = event.ctrlKey || event.metaKey;
    /** @type {(() => void) | undefined} */
    let action;
    if (isCtrl) action = withCtrl(key, event.shiftKey);
    else if (!event.altKey && store.get().look.keys) action = single(key, event.shiftKey);
    if (!action) return;
    event.preventDefault();
    action();
  }

  /** @param {KeyboardEvent} event */
  const release = ({ key }) => key.toLowerCase() === "m" && peek(false);

  const { signal } = listening;
  document.addEventListener("keydown", press, { signal });
  document.addEventListener("keyup", release, { signal });
  window.addEventListener("blur", () => peek(false), { signal });
  return { destroy: () => listening.abort() };
}

/**
 * Whether a key is for an open dialog, or for a field that takes text or, as a list of choices does,
 * single letters.
 * @param {KeyboardEvent} event
 */
export function isElsewhere({ target, ctrlKey, metaKey }) {
  if (document.querySelector("dialog[open]")) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  if (target.matches("select")) return !ctrlKey && !metaKey;
  return target.matches("textarea, input:not([type=range]):not([type=checkbox]):not([type=radio])");
}
