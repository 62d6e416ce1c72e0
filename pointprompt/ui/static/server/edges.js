// Masks whose edges follow the photo, asked for only where they are seen, a few tiles at a time.

import { createDelivery } from "./delivery.js";

// Drawing them may take SAM's decoder, which may have to be loaded first.
const PATIENCE_MS = 60_000;

/** @import { DeliveryOptions } from "./delivery.js" */

/**
 * @template Answer
 * @typedef {Object} EdgesOptions
 * @property {() => number[]} missing The images that want edges now.
 * @property {() => number} atOnce How many are asked for together.
 * @property {(images: number[]) => Promise<Answer>} ask Rejects where there is no answer.
 * @property {(answer: Answer) => void | Promise<void>} show Puts it on the screen, so that those images
 *   are missing no more.
 * @property {number} [patience] Milliseconds.
 */

/**
 * @template Answer
 * @param {EdgesOptions<Answer> & DeliveryOptions} options
 */
export function createEdges({ missing, atOnce, ask, show, lost, wait, patience = PATIENCE_MS }) {
  const delivery = createDelivery({ lost, patience, wait });
  let asking = false;
  let isOver = false;
  // What was asked for last since the last change. The same again would be asked for ever: the
  // server has nothing for these.
  let last = "";

  const next = () => (isOver ? [] : missing().slice(0, atOnce()));

  /** @param {number[]} images */
  async function fill(images) {
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

  return {
    /**
     * After each change of what is missing. A change while an answer is awaited makes that answer
     * stale, so that the same images may have to be asked for again.
     */
    async update() {
      last = "";
      if (asking) return;
      asking = true;
      for (let images = next(); images.length > 0 && String(images) !== last; images = next()) {
        last = String(images);
        await fill(images);
      }
      delivery.rest();
      asking = false;
    },
    hurry: delivery.hurry,
    destroy() {
      isOver = true;
      delivery.destroy();
    },
  };
}
