// Part, thing or more for fingers, which have neither keys nor a wheel: a small stepper on the tile that
// was tapped last.

import { SIZES } from "../contract.js";
import { hasSizes } from "../state/settings.js";

/**
 * @import { Actions } from "../state/actions.js"
 * @import { PageStore, State } from "../state/state.js"
 */

/** @type {Record<string, string>} */
const WORDS = { part: "part", thing: "thing", more: "more" };

/**
 * @param {HTMLElement} root
 * @param {PageStore} store
 * @param {{actions: Actions, element: (image: number) => HTMLElement | undefined}} page element: of the
 *   tile of an image.
 */
export function createStepper(root, store, { actions, element }) {
  const stepper = /** @type {HTMLElement} */ (root.querySelector(".pp-stepper"));
  const word = /** @type {HTMLElement} */ (stepper.querySelector("output"));
  const [less, more] = /** @type {NodeListOf<HTMLButtonElement>} */ (stepper.querySelectorAll("button"));
  const listening = new AbortController();
  const { signal } = listening;
  less.addEventListener("click", () => actions.resize(-1), { signal });
  more.addEventListener("click", () => actions.resize(1), { signal });

  /** @param {State} state */
  const tapped = ({ tapped: image, history }) =>
    history.present.clicks.length && hasSizes(history.present.settings) ? image : null;

  const unsubscribe = [
    store.subscribe(
      (state) => [tapped(state), state.focus],
      (image, focus) => {
        stepper.hidden = image === null;
        const tile = image === null ? null : element(image)?.querySelector(".pp-place");
        const large = image !== null && image === focus ? root.querySelector(".pp-large") : null;
        (large ?? tile ?? root).append(stepper);
      },
    ),
    store.subscribe(
      ({ history }) => [history.present.settings.joint.size],
      (size) => {
        word.textContent = WORDS[size];
        less.disabled = size === SIZES.at(-1);
        more.disabled = size === SIZES[0];
      },
    ),
  ];

  return {
    destroy() {
      unsubscribe.forEach((end) => end());
      listening.abort();
      root.append(stepper);
    },
  };
}
