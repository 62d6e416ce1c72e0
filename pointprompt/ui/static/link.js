// Requests to the server: one in flight, the newest wins, and the last one is asked until it is
// answered.

import { createDelivery } from "./delivery.js";

const PATIENCE_MS = 20_000;

// send(request) -> Promise of an answer with the request's seq; anything else is a lost request:
// gradio's client resolves to nothing where the server could not be reached or refused.
// receive(answer, request) gets the answers in order.
// lost(attempts) is told each time there was no answer; 0 when the server is back.
export function createLink({ send, receive, lost, wait, patience = PATIENCE_MS }) {
  const delivery = createDelivery({ lost, patience, wait });
  let newest = null;
  let current = null;
  let pumping = false;
  let seq = 0;

  async function ask(request) {
    const answer = await send(request);
    if (answer?.seq !== request.seq) throw new Error("The server did not answer.");
    return answer;
  }

  // An answer that cannot be used is the page's error, and no reason to stop asking.
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
    push(message) {
      seq += 1;
      current = { ...message, seq };
      newest = current;
      pump();
      return seq;
    },
    // The newest request once more, under its own number, unless its answer is still to come: does
    // the server answer it?
    repeat() {
      if (!pumping) newest = current;
      pump();
    },
    // Whether an answer is still to come.
    busy: () => pumping,
    hurry: delivery.hurry,
  };
}
