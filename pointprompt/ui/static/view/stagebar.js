// The bar above the large image: its name, and buttons for what is done with it.

/**
 * @import { Actions } from "../state/actions.js"
 * @import { TileView } from "./views.js"
 */

// Of the buttons for larger and smaller.
const STEP = 1.5;

/**
 * @param {HTMLElement} stage
 * @param {{actions: Actions, focused: () => number, remove: (image: number) => void,
 *          enlarge: (times: number) => void, showAll: () => void}} page focused: the image that is large.
 */
export function createStageBar(stage, { actions, focused, remove, enlarge, showAll }) {
  const listening = new AbortController();
  /** @param {string} name */
  const find = (name) => /** @type {HTMLElement} */ (stage.querySelector(name));

  /** @type {Record<string, () => void>} */
  const buttons = {
    previous: () => actions.focusNext(-1),
    next: () => actions.focusNext(1),
    larger: () => enlarge(STEP),
    smaller: () => enlarge(1 / STEP),
    all: showAll,
    lock: () => actions.lock(focused()),
    skip: () => actions.skip(focused()),
    remove: () => remove(focused()),
    close: () => actions.focus(null),
  };
  for (const [name, action] of Object.entries(buttons)) {
    find(`[data-stage=${name}]`).addEventListener("click", action, { signal: listening.signal });
  }

  return {
    /**
     * @param {string} name Of the image.
     * @param {number} count Of all images.
     */
    name(name, count) {
      find("h2").textContent = name;
      find(".pp-count").textContent = `${focused() + 1} of ${count}`;
    },
    /** @param {Pick<TileView, "isLocked" | "isSkipped">} view */
    show({ isLocked, isSkipped }) {
      find("[data-stage=lock]").setAttribute("aria-pressed", String(isLocked));
      find("[data-stage=skip]").setAttribute("aria-pressed", String(isSkipped));
    },
    /** @param {number} scale Pixels of the screen by those of the photo. */
    scale: (scale) => (find("output").textContent = `${Math.round(100 * scale)}%`),
    destroy: () => listening.abort(),
  };
}
