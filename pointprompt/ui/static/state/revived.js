// Prompts that a browser kept, from an older version of the page maybe. Knows no storage.

import { SETTINGS } from "./settings.js";
import { begun } from "./things.js";

/** @import { Prompt, Thing } from "./things.js" */

/**
 * Of a prompt from before a reload, what this version of the page can use.
 * @param {Partial<Prompt>} prompt With clicks and settings.
 * @returns {Prompt}
 */
export function revived(prompt) {
  const empty = begun(SETTINGS);
  /** @param {unknown} things */
  const usable = (things) => (Array.isArray(things) ? things.filter(isThing).map(whole) : []);
  return { ...empty, ...prompt, above: usable(prompt.above), below: usable(prompt.below) };
}

/** With what things did not always have. @param {Thing} thing */
const whole = (thing) => ({ ...thing, locks: thing.locks ?? [], strokes: thing.strokes ?? [] });

/**
 * @param {any} thing
 * @returns {thing is Thing}
 */
const isThing = (thing) =>
  Array.isArray(thing?.clicks) && typeof thing.settings === "object" && typeof thing.id === "number";
