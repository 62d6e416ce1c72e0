// Buttons of which one is chosen, as radio buttons are everywhere.

/** @import { Look } from "../state/look.js" */

/** @type {Record<string, number>} */
export const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/**
 * @param {HTMLElement[]} buttons Each has its value as data of that name.
 * @param {"mode" | "view" | "order"} name
 * @param {(value: string) => void} choose
 */
export function createRadios(buttons, name, choose) {
  const listening = new AbortController();
  const { signal } = listening;

  /**
   * Arrow keys go through the group.
   * @param {KeyboardEvent} event
   * @param {number} index
   */
  function walk(event, index) {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const next = buttons[(index + step + buttons.length) % buttons.length];
    next.focus();
    next.click();
  }

  buttons.forEach((button, index) => {
    button.addEventListener("click", () => choose(button.dataset[name] ?? ""), { signal });
    button.addEventListener("keydown", (event) => walk(event, index), { signal });
  });

  return {
    /** @param {Look} look */
    show(look) {
      for (const button of buttons) {
        const isChosen = button.dataset[name] === look[name];
        button.setAttribute("aria-checked", String(isChosen));
        button.tabIndex = isChosen ? 0 : -1;
      }
    },
    destroy: () => listening.abort(),
  };
}
