// A prompt file, opened: what the server makes of it takes the place of the things there are, as a change
// that can be undone. A recipe: the set comes anew with what that wants in it. What cannot be opened is
// said, and changes nothing.

import { MAX_RECIPE_CHARS } from "../contract.js";
import { opened } from "../state/opened.js";
import { troubled } from "../state/state.js";
import { encodeBytes } from "./codec.js";

/**
 * @import { Failure, Manifest, OpenRequest, OpenedPrompt, RecipeRequest } from "../contract.js"
 * @import { Actions } from "../state/actions.js"
 * @import { PageStore } from "../state/state.js"
 */

/** @typedef {(request: OpenRequest) => Promise<OpenedPrompt | Failure | null | undefined>} AskPrompt */

const TOO_LARGE =
  "This recipe is too large for the page. From the command line it opens: pointprompt apply RECIPE FOLDER.";
const LOST = "The server did not answer: the prompt file was not opened. Try again.";

/**
 * @param {PageStore} store
 * @param {{ask: AskPrompt, apply: (request: RecipeRequest) => void, actions: Actions}} page
 */
export function createPrompts(store, { ask, apply, actions }) {
  /** @param {string} told */
  const say = (told) => store.set(troubled(store.get(), { told }));

  // What was said of a file stays until the person goes on, whatever the server answers meanwhile.
  const destroy = store.subscribe(
    ({ history }) => [history],
    () => {
      if (store.get().trouble.told) say("");
    },
  );

  /** @param {File} file */
  async function open(file) {
    const { manifest } = store.get();
    if (!manifest) return;
    if (file.name.toLowerCase().endsWith(".safetensors")) await openRecipe(file, manifest.session);
    else await openPrompt(file, manifest);
  }

  /**
   * @param {File} file
   * @param {string} session
   */
  async function openRecipe(file, session) {
    if (file.size > (MAX_RECIPE_CHARS * 3) / 4) {
      say(TOO_LARGE);
      return;
    }
    say("");
    apply({ session, data: encodeBytes(await file.arrayBuffer()) });
  }

  /**
   * @param {File} file
   * @param {Manifest} manifest
   */
  async function openPrompt(file, manifest) {
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
