// How clicks become masks, as the page keeps it: both rules with what was chosen for each, so that
// going back to one finds it as it was. Knows no controls and no server.

import { RULES, SETTINGS as DEFAULTS } from "./contract.js";

export const SETTINGS = { ...RULES, ...DEFAULTS, rule: DEFAULTS.rule.name };

// Of a setting of the chosen rule, of both, or of the tutorial's alone.
export function valueOf(settings, name) {
  return { ...settings.tutorial, ...settings, ...settings[settings.rule] }[name];
}

export function withValue(settings, name, value) {
  const { rule } = settings;
  const own = settings[rule];
  return name in own
    ? { ...settings, [rule]: { ...own, [name]: value } }
    : { ...settings, [name]: value };
}

// For a set that has so many eigenvectors.
export function fitted(settings, eigvecs) {
  const { n_eigvecs: count } = settings.tutorial;
  const tutorial = { ...settings.tutorial, n_eigvecs: count && Math.min(count, eigvecs) };
  return { ...settings, tutorial };
}

// What the server is told: the chosen rule with its own, and an outline that the set can have.
export function toMessage({ rule, one_only, outline, ...rules }, outlines) {
  return {
    rule: { name: rule, ...rules[rule] },
    one_only,
    outline: outlines.includes(outline) ? outline : SETTINGS.outline,
  };
}

// Of settings from before a reload, those that this version of the page has.
export function known(settings) {
  const kept = { ...SETTINGS };
  for (const [name, value] of Object.entries(SETTINGS)) {
    const before = settings[name];
    if (typeof before !== typeof value) continue;
    kept[name] = typeof value === "object" ? { ...value, ...before } : before;
  }
  return kept.rule in kept ? kept : { ...kept, rule: SETTINGS.rule };
}
