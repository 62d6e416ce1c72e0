// Masks whose edges follow the photo, asked for only where they are seen, a few tiles at a time.

import { createDelivery } from "./delivery.js";

// Drawing them may take SAM's decoder, which may have to be loaded first.
const PATIENCE_MS = 60_000;

// missing() -> indices of the tiles that want edges now; atOnce() -> how many are asked for together;
// ask(images) -> Promise of an answer, which rejects where there is none; show(answer) puts it on
// the screen, so that those images are missing no more; lost(attempts) as for a link.
export function createEdges({ missing, atOnce, ask, show, lost, wait, patience = PATIENCE_MS }) {
  const delivery = createDelivery({ lost, patience, wait });
  let asking = false;
  // What was asked for last since the last change. The same again would be asked for ever: the
  // server has nothing for these.
  let last = "";

  const next = () => missing().slice(0, atOnce());

  return {
    // After each change of what is missing. A change while an answer is awaited makes that answer
    // stale, so that the same images may have to be asked for again.
    async update() {
      last = "";
      if (asking) return;
      asking = true;
      for (let images = next(); images.length > 0 && String(images) !== last; images = next()) {
        last = String(images);
        const answer = await delivery.deliver(
          () => ask(images),
          () => last !== "",
        );
        try {
          if (answer) await show(answer);
        } catch (error) {
          reportError(error);
        }
      }
      delivery.rest();
      asking = false;
    },
    hurry: delivery.hurry,
  };
}
