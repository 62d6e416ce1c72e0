// What is said when something was lost. Sentences only.

export const AWAY = "The server does not answer. Trying again; your clicks are kept.";
export const CUT_OFF = "The page was loaded again, which ended what was under way: start it again.";
const REFUSED = "The server could not do this.";
// Of the names of images.
const NAMED = 3;

// Why there are no masks for `count` clicks on these images, and how to go on.
export function goneText({ restarted, images, count }) {
  const reason = restarted
    ? "The server was restarted."
    : "This analysis is no longer in the server's memory.";
  const what = images.length === 1 ? "the same image" : `the same ${images.length} images`;
  const kept = { 0: "", 1: " Your click is kept." }[count] ?? ` Your ${count} clicks are kept.`;
  return `${reason}${kept} To go on, choose ${what} again (${listed(images)}) and analyse.`;
}

// What the server said, where that is a sentence.
export const sentence = (text) => (isSentence(text) ? text : REFUSED);

// Whether it begins like one and ends like one.
export const isSentence = (text) =>
  typeof text === "string" && /^[\p{L}\p{N}“"'].*[.!?]$/su.test(text);

function listed(images) {
  const names = images.slice(0, NAMED).map(({ name }) => name);
  const more = images.length - names.length;
  return names.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
