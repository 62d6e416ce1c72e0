// How clicks become masks, as the page keeps it: both rules with what was chosen for each, so that
// going back to one finds it as it was. Knows no controls and no server.

import { RULES, SETTINGS as DEFAULTS } from "../contract.js";

/** @import { JointRule, Settings as SentSettings, TutorialRule } from "../contract.js" */

/**
 * @typedef {Object} Settings
 * @property {"joint" | "tutorial"} rule Which of the two is used.
 * @property {Omit<JointRule, "name">} joint
 * @property {Omit<TutorialRule, "name">} tutorial
 * @property {boolean} one_only
 * @property {string} outline
 * @property {number} fill_holes
 * @property {number} remove_specks
 */

/** @type {Settings} */
export const SETTINGS = { ...RULES, ...DEFAULTS, rule: DEFAULTS.rule.name };

/**
 * Of a setting of the chosen rule, of both, or of another rule's alone.
 * @param {Settings} settings
 * @param {string} name
 * @returns {unknown}
 */
export function valueOf(settings, name) {
  /** @type {Record<string, unknown>} */
  const values = {
    ...settings.joint,
    ...settings.tutorial,
    ...settings,
    ...settings[settings.rule],
  };
  return values[name];
}

/**
 * @param {Settings} settings
 * @param {string} name
 * @param {unknown} value
 * @returns {Settings}
 */
export function withValue(settings, name, value) {
  const { rule } = settings;
  const own = settings[rule];
  return name in own
    ? { ...settings, [rule]: { ...own, [name]: value } }
    : { ...settings, [name]: value };
}

/**
 * The name of the concept of a recipe that clicks go on from; "" for none.
 * @param {Settings} settings
 */
export const conceptOf = ({ rule, joint }) => (rule === "joint" ? joint.concept : "");

/**
 * Whether a first click may mean a part, the thing or more.
 * @param {Settings} settings
 */
export const hasSizes = (settings) => settings.rule === "joint" && !conceptOf(settings);

/**
 * Without what a recipe said.
 * @param {Settings} settings
 * @returns {Settings}
 */
export const forgotten = (settings) => ({ ...settings, joint: { ...settings.joint, concept: "" } });

/**
 * As at first, but for what a recipe said.
 * @param {Settings} settings
 * @returns {Settings}
 */
export const renewed = ({ joint: { concept } }) => ({ ...SETTINGS, joint: { ...SETTINGS.joint, concept } });

/**
 * For a set that has so many eigenvectors.
 * @param {Settings} settings
 * @param {number} eigvecs
 * @returns {Settings}
 */
export function fitted(settings, eigvecs) {
  const { n_eigvecs: count } = settings.tutorial;
  const tutorial = { ...settings.tutorial, n_eigvecs: count && Math.min(count, eigvecs) };
  return { ...settings, tutorial };
}

/**
 * What the server is told: the chosen rule with its own, and an outline that the set can have.
 * @param {Settings} settings
 * @param {readonly string[]} outlines
 * @returns {SentSettings}
 */
export function toMessage({ rule, outline, joint, tutorial, ...others }, outlines) {
  return {
    ...others,
    rule: /** @type {SentSettings["rule"]} */ ({ name: rule, ...{ joint, tutorial }[rule] }),
    outline: outlines.includes(outline) ? outline : SETTINGS.outline,
  };
}

/**
 * What `toMessage` was told; the rule that was not chosen is as at first.
 * @param {SentSettings} settings
 * @returns {Settings}
 */
export function fromMessage({ rule: { name, ...values }, ...others }) {
  const whole = { ...SETTINGS[name], ...values };
  return /** @type {Settings} */ ({ ...SETTINGS, ...others, rule: name, [name]: whole });
}

/**
 * Of settings from before a reload, those that this version of the page has.
 * @param {Readonly<Record<string, any>>} settings
 * @returns {Settings}
 */
export function known(settings) {
  /** @type {Record<string, any>} */
  const found = { ...SETTINGS };
  for (const [name, value] of Object.entries(SETTINGS)) {
    const before = settings[name];
    if (typeof before !== typeof value) continue;
    found[name] = typeof value === "object" ? { ...value, ...before } : before;
  }
  const { rule } = typeof found[found.rule] === "object" ? found : SETTINGS;
  return /** @type {Settings} */ ({ ...found, rule });
}
