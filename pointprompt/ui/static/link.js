// Requests to the server: one in flight, the newest wins, and none of the last ones is lost.

const RETRY_MS = [500, 1000, 2000, 4000, 8000];

// send(request) -> Promise of an answer with the request's seq.
// receive(answer, request) gets the answers in order; one with another seq is dropped.
// lost(attempts) is told each time the server could not be reached; 0 when it is back.
export function createLink({ send, receive, lost, wait = defaultWait }) {
  let newest = null;
  let pumping = false;
  let seq = 0;
  // In a row, whichever requests they were.
  let failures = 0;

  // The answer, or null where a newer request has taken this one's place.
  async function deliver(request) {
    for (;;) {
      try {
        const answer = await send(request);
        if (failures > 0) lost(0);
        failures = 0;
        return answer;
      } catch {
        failures += 1;
        lost(failures);
        await wait(RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]);
        if (newest) return null;
      }
    }
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
        const answer = await deliver(request);
        if (answer && answer.seq === request.seq) await handOver(answer, request);
      }
    } finally {
      pumping = false;
    }
  }

  return {
    push(message) {
      seq += 1;
      newest = { ...message, seq };
      pump();
      return seq;
    },
    // Whether an answer is still to come.
    busy: () => pumping,
  };
}

const defaultWait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
