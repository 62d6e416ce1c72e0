// A prompt file, opened: what the server makes of it takes the place of the things there are, as a change
// that can be undone. What cannot be opened is said, and changes nothing.

import { opened } from "../state/opened.js";
import { troubled } from "../state/state.js";

/**
 * @import { Failure, OpenRequest, OpenedPrompt } from "../contract.js"
 * @import { Actions } from "../state/actions.js"
 * @import { PageStore } from "../state/state.js"
 */

/** @typedef {(request: OpenRequest) => Promise<OpenedPrompt | Failure | null | undefined>} AskPrompt */

const LOST = "The server did not answer: the prompt file was not opened. Try again.";

/**
 * @param {PageStore} store
 * @param {{ask: AskPrompt, actions: Actions}} page
 */
export function createPrompts(store, { ask, actions }) {
  /** @param {string} told */
  const say = (told) => store.set(troubled(store.get(), { told }));

  // What was said of a file stays until the person goes on, whatever the server answers meanwhile.
  const destroy = store.subscribe(
    ({ history }) => [history],
    () => {
      if (store.get().trouble.told) say("");
    },
  );

  /** @param {Blob} file */
  async function open(file) {
    const { manifest } = store.get();
    if (!manifest) return;
    const answer = await ask({ session: manifest.session, text: await file.text() }).catch(() => null);
    if (store.get().manifest?.session !== manifest.session) return;
    if (!answer) {
      say(LOST);
    } else if ("error" in answer) {
      say(answer.message);
    } else {
      const { prompt, problem } = opened(answer, manifest);
      if (prompt) actions.replace(prompt);
      say(problem);
    }
  }

  return { open, destroy };
}
