// What gradio shows around the tiles: its messages, put in words where it says of an upload that failed
// no more than a status code, and whether it is at work.

import { isSentence } from "./words.js";

const TEXTS = '[data-testid="toast-text"]';
const NOT_TAKEN = "The server could not take these files. Try again, or fewer at a time.";
const NOT_REACHED = "The server could not be reached. Try again in a moment.";

/**
 * What gradio says, as a sentence.
 * @param {string} text
 */
export function inWords(text) {
  const answer = /^HTTP \d+: *(.*?)\s*$/s.exec(text.trim());
  if (answer) return isSentence(answer[1]) ? answer[1] : NOT_TAKEN;
  return text.trim().startsWith("Connection errored out") ? NOT_REACHED : text;
}

/** Whatever gradio says on this page, from now on and on the screen already. */
export function putToastsInWords() {
  const translate = () => {
    for (const element of document.querySelectorAll(TEXTS)) {
      const said = element.textContent ?? "";
      const text = inWords(said);
      if (text !== said) element.textContent = text;
    }
  };
  const observer = new MutationObserver(translate);
  observer.observe(document.body, { childList: true, characterData: true, subtree: true });
  translate();
  return { destroy: () => observer.disconnect() };
}

/** Whether the server works for this page, or gradio says that it lost the connection. */
export const isUnderWay = () => isSeen("#pp-cancel") || isSeen(".toast-body.error");

/** @param {string} selector */
const isSeen = (selector) =>
  (document.querySelector(selector)?.getClientRects().length ?? 0) > 0;
