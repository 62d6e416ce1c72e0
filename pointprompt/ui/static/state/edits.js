// Edits of single images: strokes of a brush, locks and skips, as parts of a prompt. Never changed in
// place. Knows neither masks nor the screen.

import { move as moved } from "./clicks.js";
import { conceptOf } from "./settings.js";
import { all } from "./things.js";

/**
 * @import { Click, Lock, Settings as SentSettings, Stroke } from "../contract.js"
 * @import { Prompt, Thing } from "./things.js"
 */

/** @typedef {Pick<Thing, "clicks" | "strokes" | "locks">} Edited */
/** @typedef {Pick<Thing, "clicks" | "settings">} Prompted */

/**
 * Whether there are clicks, here or in a recipe that they go on from.
 * @param {Prompted} thing
 */
export const isPrompted = ({ clicks, settings }) => clicks.length > 0 || conceptOf(settings) !== "";

/**
 * Whether nothing can be in its masks.
 * @param {Edited & Prompted} thing
 */
export const isBlank = (thing) => !isPrompted(thing) && !thing.strokes.length && !thing.locks.length;

/**
 * Whether anything may be in its masks.
 * @param {Edited & Prompted} thing
 */
export const isMarked = ({ clicks, settings, strokes, locks }) =>
  clicks.some(({ positive }) => positive) ||
  conceptOf(settings) !== "" ||
  strokes.some(({ adds }) => adds) ||
  locks.length > 0;

/**
 * Whether the server has masks for it.
 * @param {Prompted & Pick<Thing, "locks">} thing
 */
export const isAsked = (thing) => isPrompted(thing) || thing.locks.length > 0;

/**
 * Whether a thing's mask of an image was accepted as it stood.
 * @param {Pick<Thing, "locks">} thing
 * @param {number} image
 */
export const isLocked = ({ locks }, image) => locks.some(({ images }) => images.includes(image));

/**
 * @param {Pick<Thing, "strokes">} thing
 * @param {number} image
 */
export const strokesOn = ({ strokes }, image) => strokes.filter((stroke) => stroke.image === image);

/**
 * What tells whether the same clicks and settings make a mask.
 * @param {{clicks: readonly Click[], settings: SentSettings}} said
 */
export const saidKey = ({ clicks, settings }) => JSON.stringify([clicks, settings]);

/**
 * With an image locked, as clicks and settings make its mask now.
 * @param {readonly Lock[]} locks
 * @param {number} image
 * @param {{clicks: readonly Click[], settings: SentSettings}} said
 * @returns {Lock[]}
 */
export function locked(locks, image, { clicks, settings }) {
  const key = saidKey({ clicks, settings });
  const others = unlocked(locks, image);
  const at = others.findIndex((lock) => saidKey(lock) === key);
  if (at < 0) return [...others, { images: [image], clicks: [...clicks], settings }];
  return others.map((lock, index) => (index === at ? { ...lock, images: [...lock.images, image] } : lock));
}

/**
 * @param {readonly Lock[]} locks
 * @param {number} image
 * @returns {Lock[]}
 */
export const unlocked = (locks, image) =>
  locks
    .map((lock) => ({ ...lock, images: lock.images.filter((one) => one !== image) }))
    .filter(({ images }) => images.length > 0);

/**
 * How many clicks all locks of a prompt hold, of the thing that has most.
 * @param {Prompt} prompt
 */
export const countLocked = (prompt) =>
  Math.max(...all(prompt).map(({ locks }) => locks.reduce((sum, { clicks }) => sum + clicks.length, 0)));

/**
 * How many strokes there are, and points in them.
 * @param {Prompt} prompt
 */
export function countStrokes(prompt) {
  const strokes = all(prompt).flatMap((thing) => thing.strokes);
  return { strokes: strokes.length, points: strokes.reduce((sum, { points }) => sum + points.length, 0) };
}

/**
 * The same on images that have other places; what was on images that are gone goes with them.
 * @param {Edited} thing
 * @param {readonly number[]} places By the old index; -1 for one that is gone.
 * @returns {{clicks: Click[], strokes: Stroke[], locks: Lock[]}}
 */
export const move = ({ clicks, strokes, locks }, places) => ({
  clicks: moved(clicks, places),
  strokes: moved(strokes, places),
  locks: locks
    .map((lock) => ({ ...lock, images: moveAll(lock.images, places), clicks: moved(lock.clicks, places) }))
    .filter(({ images }) => images.length > 0),
});

/**
 * @param {readonly number[]} images
 * @param {readonly number[]} places As for `move`.
 */
export const moveAll = (images, places) => images.map((image) => places[image]).filter((image) => image >= 0);
