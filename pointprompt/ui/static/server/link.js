// Requests to the server: one in flight, the newest wins, and the last one is asked until it is
// answered.

import { createDelivery } from "./delivery.js";

const PATIENCE_MS = 20_000;

/** @import { DeliveryOptions } from "./delivery.js" */
/** @typedef {{seq: number}} Numbered */

/**
 * @template Request, Answer
 * @typedef {Object} LinkOptions
 * @property {(request: Request) => Promise<Answer | null | undefined>} send Anything but
 *   an answer with the request's number is a lost request: gradio's client resolves to nothing where
 *   the server could not be reached or refused.
 * @property {(answer: Answer, request: Request) => void | Promise<void>} receive Gets the
 *   answers in order.
 * @property {number} [patience] Milliseconds.
 */

/**
 * @template {Numbered} Request
 * @template {Numbered} Answer
 * @param {LinkOptions<Request, Answer> & DeliveryOptions} options
 */
export function createLink({ send, receive, lost, wait, patience = PATIENCE_MS }) {
  const delivery = createDelivery({ lost, patience, wait });
  /** @type {Request | null} */
  let newest = null;
  /** @type {Request | null} */
  let current = null;
  let pumping = false;
  let seq = 0;

  /** @param {Request} request */
  async function ask(request) {
    const answer = await send(request);
    if (answer?.seq !== request.seq) throw new Error("The server did not answer.");
    return answer;
  }

  /**
   * An answer that cannot be used is the page's error, and no reason to stop asking.
   * @param {Answer} answer
   * @param {Request} request
   */
  async function handOver(answer, request) {
    try {
      await receive(answer, request);
    } catch (error) {
      reportError(error);
    }
  }

  async function pump() {
    if (pumping) return;
    pumping = true;
    try {
      while (newest) {
        const request = newest;
        newest = null;
        const answer = await delivery.deliver(
          () => ask(request),
          () => newest === null,
        );
        if (answer) await handOver(answer, request);
      }
    } finally {
      pumping = false;
    }
  }

  return {
    /** @param {Omit<Request, "seq">} message */
    push(message) {
      seq += 1;
      current = /** @type {Request} */ ({ ...message, seq });
      newest = current;
      pump();
      return seq;
    },
    /**
     * The newest request once more, under its own number, unless its answer is still to come: does
     * the server answer it?
     */
    repeat() {
      if (!pumping) newest = current;
      pump();
    },
    /** Whether an answer is still to come. */
    busy: () => pumping,
    hurry: delivery.hurry,
    destroy: delivery.destroy,
  };
}
