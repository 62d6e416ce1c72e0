// The things that are wanted in all images: the one that is chosen, those above it and those below
// it. Never changed in place. Knows neither the server nor the screen.

import { THING_COLORS } from "../contract.js";
import { conceptOf, SETTINGS } from "./settings.js";

/**
 * @import { Click, Lock, Stroke } from "../contract.js"
 * @import { Settings } from "./settings.js"
 */

/** @typedef {readonly [number, number, number]} Color Red, green and blue. */

/**
 * @typedef {Object} Thing
 * @property {number} id What it is known by on this page, whatever it is called.
 * @property {string} name
 * @property {Color} color
 * @property {boolean} hidden Whether its masks are not drawn.
 * @property {Click[]} clicks
 * @property {Settings} settings
 * @property {readonly Lock[]} locks Images whose masks were accepted, and what made those.
 * @property {readonly Stroke[]} strokes Of a brush, over what clicks make.
 */

/**
 * What is between things.
 * @typedef {Object} Among
 * @property {readonly Thing[]} above The chosen one, the highest first.
 * @property {readonly Thing[]} below It.
 * @property {boolean} exclusive Whether a "this" of one is a "not this" of the others.
 * @property {boolean} overlaps Whether what is in several masks stays in all; else in the highest.
 * @property {readonly number[]} skipped Images that are left out of a download.
 */

/** @typedef {Thing & Among} Prompt The chosen thing, and what there is around it. */

const COLORS = Object.values(THING_COLORS);

/**
 * One thing without clicks.
 * @param {Settings} settings
 * @returns {Prompt}
 */
export const begun = (settings) => ({
  ...newThing([], settings),
  above: [],
  below: [],
  exclusive: true,
  overlaps: false,
  skipped: [],
});

/**
 * @param {readonly Thing[]} others
 * @param {Settings} settings
 * @returns {Thing}
 */
function newThing(others, settings) {
  const id = 1 + Math.max(0, ...others.map((thing) => thing.id));
  let number = others.length + 1;
  while (isTaken(`Thing ${number}`, others)) number += 1;
  const used = others.map(({ color }) => String(color));
  const color = COLORS.find((one) => !used.includes(String(one))) ?? COLORS[0];
  return { id, name: `Thing ${number}`, color, hidden: false, clicks: [], settings, locks: [], strokes: [] };
}

/**
 * Whether another thing has this name.
 * @param {string} name
 * @param {readonly Thing[]} others
 */
export const isTaken = (name, others) =>
  others.some((thing) => thing.name.toLowerCase() === name.toLowerCase());

/**
 * All of them, the highest first.
 * @param {Prompt} prompt
 * @returns {Thing[]}
 */
export const all = ({ above, below, ...chosen }) => [...above, chosenOf(chosen), ...below];

/** @param {Thing} prompt */
const chosenOf = ({ id, name, color, hidden, clicks, settings, locks, strokes }) =>
  ({ id, name, color, hidden, clicks, settings, locks, strokes });

/**
 * These things in the place of those there are.
 * @param {Prompt} prompt
 * @param {readonly Thing[]} things Not empty.
 * @param {number} id Of the one to be chosen.
 * @returns {Prompt}
 */
function among({ exclusive, overlaps, skipped }, things, id) {
  const at = Math.max(0, things.findIndex((thing) => thing.id === id));
  const [above, below] = [things.slice(0, at), things.slice(at + 1)];
  return { ...things[at], above, below, exclusive, overlaps, skipped };
}

/**
 * @param {Prompt} prompt
 * @param {number} id
 */
export const choose = (prompt, id) => among(prompt, all(prompt), id);

/**
 * One more, below all others and chosen.
 * @param {Prompt} prompt
 */
export function add(prompt) {
  const things = all(prompt);
  const made = newThing(things, SETTINGS);
  return among(prompt, [...things, made], made.id);
}

/**
 * Without one of several; its neighbour is chosen where it was.
 * @param {Prompt} prompt
 * @param {number} id
 */
export function remove(prompt, id) {
  const things = all(prompt);
  const at = things.findIndex((thing) => thing.id === id);
  const left = things.filter((thing) => thing.id !== id);
  if (!left.length) return prompt;
  return among(prompt, left, prompt.id === id ? left[Math.min(at, left.length - 1)].id : prompt.id);
}

/**
 * One so many places further down.
 * @param {Prompt} prompt
 * @param {number} id
 * @param {number} step
 */
export function move(prompt, id, step) {
  const things = all(prompt);
  const at = things.findIndex((thing) => thing.id === id);
  const to = Math.min(Math.max(at + step, 0), things.length - 1);
  things.splice(to, 0, ...things.splice(at, 1));
  return among(prompt, things, prompt.id);
}

/**
 * @param {Prompt} prompt
 * @param {number} id
 * @param {Partial<Thing>} changes
 */
export const change = (prompt, id, changes) =>
  map(prompt, (thing) => (thing.id === id ? { ...thing, ...changes } : thing));

/**
 * With each thing changed in the same way.
 * @param {Prompt} prompt
 * @param {(thing: Thing) => Thing} changed
 * @returns {Prompt}
 */
export const map = (prompt, changed) => among(prompt, all(prompt).map(changed), prompt.id);

/**
 * The clicks that make a thing's masks: what others are is not this one, where that is wanted. Its own
 * come last, since on one token the last one counts.
 * @param {Prompt} prompt
 * @param {number} [id] Of the thing; the chosen one where none is given.
 * @param {readonly Click[]} [own] In the place of its own.
 * @returns {readonly Click[]}
 */
export function clicksOf(prompt, id = prompt.id, own = clicksOfOne(prompt, id)) {
  const thing = all(prompt).find((one) => one.id === id);
  if (!prompt.exclusive || !(own.length || (thing && conceptOf(thing.settings)))) return own;
  const theirs = all(prompt)
    .filter((other) => other.id !== id)
    .flatMap(({ clicks }) => clicks.filter(({ positive }) => positive));
  return [...theirs.map((click) => ({ ...click, positive: false })), ...own];
}

/**
 * @param {Prompt} prompt
 * @param {number} id
 */
const clicksOfOne = (prompt, id) => all(prompt).find((thing) => thing.id === id)?.clicks ?? [];

/** @param {Prompt} prompt */
export const countClicks = (prompt) =>
  all(prompt).reduce((sum, { clicks }) => sum + clicks.length, 0);
