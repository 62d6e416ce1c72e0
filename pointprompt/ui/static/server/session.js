// The set that the page has open: what the server gives as the value of this component, and what is
// asked for when the tab was reloaded.

import { kept } from "../state/kept.js";
import { forget, recall } from "../state/memory.js";
import { open } from "../state/opening.js";
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
 * @param {(request: RestoreRequest) => void} restore
 */
export function createSession(store, restore) {
  // Whether the server is being asked for the set from before a reload.
  let restoring = false;

  // A page that cannot show the set it had before a reload.
  const tellKept = () => tellGone(store, kept()?.server !== serverId());

  /** @param {Value} value */
  function receive(value) {
    if (value && "error" in value) {
      forget();
      tellKept();
    } else {
      // What a reload has to say stays to be read, beside the set that it found again.
      if (!restoring) store.set(troubled(store.get(), { cutOff: false }));
      store.set(open(store.get(), value ?? null, kept()));
    }
    restoring = false;
  }

  return {
    receive,

    /** @param {Value} value What the page came with. */
    start(value) {
      if (kept()?.cutOff) store.set(troubled(store.get(), { cutOff: true }));
      const memory = value ? null : recall();
      restoring = Boolean(memory?.ticket);
      if (value) receive(value);
      else if (memory?.ticket) restore({ ticket: memory.ticket });
      else tellKept();
    },
  };
}
