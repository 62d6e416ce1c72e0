// What survives a reload of the tab: the session's ticket. Another tab never sees it,
// and a ticket opens nothing without the cookie of this browser, which no script can read.

const KEY = "pointprompt";

/** @typedef {{ticket: string}} Memory */

/** @param {Memory} memory */
export function remember(memory) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(memory));
  } catch {
    // Private windows and full storage: the page works without.
  }
}

/** @returns {Memory | null} */
export function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}

export function forget() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}
