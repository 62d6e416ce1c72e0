// What survives a reload of the tab: the session's ticket. Another tab never sees it,
// and a ticket opens nothing without the cookie of this browser, which no script can read.

const KEY = "pointprompt";

export function remember(state) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    // Private windows and full storage: the page works without.
  }
}

export function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
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
