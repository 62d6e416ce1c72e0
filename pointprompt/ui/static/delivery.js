// One request until it is answered: what is lost is sent again, later and later. Knows nothing of
// what is asked or of who answers.

const RETRY_MS = [500, 1000, 2000, 4000, 5000];

// lost(attempts) is told each time that no answer came, and 0 when one has come after all.
// patience: milliseconds without an answer after which a request counts as lost, since a connection
// that died may never say so.
export function createDelivery({ lost, patience, wait = defaultWait }) {
  // In a row, whichever requests they were.
  let failures = 0;
  let endWait = () => {};

  const tooLate = async () => {
    await wait(patience);
    throw new Error("There was no answer in time.");
  };

  function note(count) {
    if (count === failures) return;
    failures = count;
    lost(failures);
  }

  return {
    // send() -> Promise of the answer, which rejects where there is none. Resolves to the answer, or
    // to null where isWanted() says, after a failure, that it is wanted no more.
    async deliver(send, isWanted) {
      for (;;) {
        try {
          const answer = await Promise.race([send(), tooLate()]);
          note(0);
          return answer;
        } catch {
          note(failures + 1);
          const pause = RETRY_MS[Math.min(failures, RETRY_MS.length) - 1];
          await Promise.race([wait(pause), new Promise((done) => { endWait = done; })]);
          if (!isWanted()) return null;
        }
      }
    },
    // Nothing is wanted any more, so that nothing is missing.
    rest: () => note(0),
    // The next attempt, if one is waited for, at once.
    hurry: () => endWait(),
  };
}

const defaultWait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
