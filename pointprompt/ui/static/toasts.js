// gradio's own messages, in words: of an upload that failed it says no more than a status code.

import { isSentence } from "./words.js";

const TEXTS = '[data-testid="toast-text"]';
const NOT_TAKEN = "The server could not take these files. Try again, or fewer at a time.";
const NOT_REACHED = "The server could not be reached. Try again in a moment.";

// What gradio says, as a sentence.
export function inWords(text) {
  const answer = /^HTTP \d+: *(.*?)\s*$/s.exec(text.trim());
  if (answer) return isSentence(answer[1]) ? answer[1] : NOT_TAKEN;
  return text.trim().startsWith("Connection errored out") ? NOT_REACHED : text;
}

// From now on, whatever gradio says on this page.
export function putToastsInWords() {
  const translate = () => {
    for (const element of document.querySelectorAll(TEXTS)) {
      const text = inWords(element.textContent);
      if (text !== element.textContent) element.textContent = text;
    }
  };
  new MutationObserver(translate).observe(document.body, { childList: true, subtree: true });
}
