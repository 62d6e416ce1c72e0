// The set that the page has open: what the server gives as the value of this component, what is
// asked for when the tab was reloaded, and the example that a page without a set opens with.

import { kept } from "../state/kept.js";
import { forget, recall } from "../state/memory.js";
import { open } from "../state/opening.js";
import { sameImages } from "../state/same.js";
import { troubled } from "../state/state.js";
import { tellGone } from "./failure.js";
import { serverId } from "./run.js";

/**
 * @import { Failure, Manifest, RestoreRequest } from "../contract.js"
 * @import { PageStore } from "../state/state.js"
 */

/** @typedef {Manifest | Failure | null | undefined} Value */

/**
 * @param {PageStore} store
 * @param {Object} server
 * @param {(request: RestoreRequest) => void} server.restore
 * @param {(() => void) | null} server.openExample Asks for the example, which comes once it is
 *   ready; null where there is none.
 */
export function createSession(store, { restore, openExample }) {
  // Whether the server is being asked for the set from before a reload.
  let restoring = false;

  // A page that cannot show the set it had before a reload.
  const tellKept = () => tellGone(store, kept()?.server !== serverId());

  // Clicks on somebody's own images are kept until those are analysed again: no example comes then.
  function beginAnew() {
    const before = kept();
    const canOpen = openExample && (!before?.images.length || before.example);
    store.set({ awaiting: Boolean(canOpen) });
    if (canOpen) openExample();
    else tellKept();
  }

  /** @param {Value} value */
  function receive(value) {
    if (value && "error" in value) {
      forget();
      beginAnew();
    } else if (value && !isWelcome(store, value)) {
      giveUp();
    } else {
      // What a reload has to say stays to be read, beside the set that it found again.
      if (!restoring) store.set(troubled(store.get(), { cutOff: false }));
      store.set({ ...open(store.get(), value ?? null, kept()), awaiting: false });
    }
    restoring = false;
  }

  /** There is no example after all. */
  function giveUp() {
    store.set({ awaiting: false });
    if (!store.get().manifest) tellKept();
  }

  // Freed while the page slept: these images are the same for everybody at any time.
  const unsubscribe = store.subscribe(
    ({ trouble }) => [trouble.gone],
    (gone) => {
      if (gone && store.get().manifest?.opening) openExample?.();
    },
  );

  return {
    receive,
    giveUp,

    /** @param {Value} value What the page came with. */
    start(value) {
      if (kept()?.cutOff) store.set(troubled(store.get(), { cutOff: true }));
      const memory = value ? null : recall();
      restoring = Boolean(memory?.ticket);
      if (value) receive(value);
      else if (memory?.ticket) restore({ ticket: memory.ticket });
      else beginAnew();
    },

    destroy: unsubscribe,
  };
}

/**
 * Whether a set may take the place of what there is: one that nobody asked for only where that is
 * nothing, or the same.
 * @param {PageStore} store
 * @param {Manifest} manifest
 */
function isWelcome(store, { opening, images }) {
  const before = (store.get().manifest ?? kept())?.images ?? [];
  return !opening || before.length === 0 || sameImages(before, images) !== null;
}
