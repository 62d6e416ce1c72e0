// One request until it is answered: what is lost is sent again, later and later. Knows nothing of
// what is asked or of who answers.

const RETRY_MS = [500, 1000, 2000, 4000, 5000];

/**
 * How requests are delivered, of whatever kind.
 * @typedef {Object} DeliveryOptions
 * @property {(attempts: number) => void} lost Told each time that no answer came, and 0 when one has
 *   come after all.
 * @property {(milliseconds: number) => Promise<void>} [wait] By the clock, if nothing else is given.
 */

/**
 * @param {DeliveryOptions & {patience: number}} options patience: milliseconds without an answer
 *   after which a request counts as lost, since a connection that died may never say so.
 */
export function createDelivery({ lost, patience, wait: given }) {
  // In a row, whichever requests they were.
  let failures = 0;
  let isOver = false;
  let endWait = () => {};
  /** @type {Set<ReturnType<typeof setTimeout>>} */
  const timers = new Set();
  const wait = given ?? waitByTheClock;

  /**
   * @param {number} milliseconds
   * @returns {Promise<void>}
   */
  function waitByTheClock(milliseconds) {
    return new Promise((done) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        done();
      }, milliseconds);
      timers.add(timer);
    });
  }

  const tooLate = async () => {
    await wait(patience);
    throw new Error("There was no answer in time.");
  };

  /** @param {number} count */
  function note(count) {
    if (count === failures || isOver) return;
    failures = count;
    lost(failures);
  }

  // Until it is time for the next attempt.
  function pause() {
    /** @type {Promise<void>} */
    const hurried = new Promise((done) => {
      endWait = done;
    });
    return Promise.race([wait(RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]), hurried]);
  }

  return {
    /**
     * The answer, or null where it is wanted no more after a failure, or nothing is.
     * @template Answer
     * @param {() => Promise<Answer>} send Rejects where there is no answer.
     * @param {() => boolean} isWanted Asked after each failure.
     * @returns {Promise<Answer | null>}
     */
    async deliver(send, isWanted) {
      while (!isOver) {
        try {
          const answer = await Promise.race([send(), tooLate()]);
          note(0);
          return isOver ? null : answer;
        } catch {
          note(failures + 1);
          await pause();
          if (!isWanted()) break;
        }
      }
      return null;
    },
    /** Nothing is wanted any more, so that nothing is missing. */
    rest: () => note(0),
    /** The next attempt, if one is waited for, at once. */
    hurry: () => endWait(),
    /** No further attempt, and whatever is still to come is dropped. */
    destroy() {
      isOver = true;
      timers.forEach(clearTimeout);
      timers.clear();
    },
  };
}
