// What becomes of the page when the server refuses, or has its set no more.

import { keep, kept } from "../state/kept.js";
import { snapshot } from "../state/keeper.js";
import { forget } from "../state/memory.js";
import { troubled } from "../state/state.js";
import { revived } from "../state/revived.js";
import { countClicks } from "../state/things.js";
import { isRestarted, serverId } from "./run.js";

/**
 * @import { Failure } from "../contract.js"
 * @import { PageStore } from "../state/state.js"
 */

/**
 * @param {PageStore} store
 * @param {Failure} failure
 */
export async function receiveFailure(store, { error, message }) {
  store.set({ exporting: false });
  if (error !== "gone") {
    store.set(troubled(store.get(), { refused: message }));
    return;
  }
  const { manifest } = store.get();
  forget();
  const restarted = await isRestarted();
  // Another answer said so too, and what is open now came in its place.
  if (store.get().manifest !== manifest) return;
  // The page of a server that is no more: another one may have other modules and events, and knows
  // nothing of this page, not even when it closes.
  if (restarted && keep(snapshot(store.get(), serverId()))) window.location.reload();
  else tellGone(store, restarted);
}

/**
 * Says that the set, or the one from before a reload, is gone.
 * @param {PageStore} store
 * @param {boolean} restarted Whether the server was.
 */
export function tellGone(store, restarted) {
  const { manifest, history } = store.get();
  const had = manifest ? { images: manifest.images, history } : kept();
  if (!had?.images.length) return;
  const count = countClicks(revived(had.history.present));
  store.set(troubled(store.get(), { gone: { restarted, images: had.images, count } }));
}
