// What a tab needs to go on after a reload, wherever the browser lets us keep it: of which images
// the prompt is, the prompt with what can be undone, and how it was looked at. Nothing secret: the
// token of the session is `memory.js`'s affair. Knows no server.

const KEY = "pointprompt-kept";

// Where third-party storage is blocked, as in the frame of a Space, the tab's own history entry is
// what survives a reload.
const places = [
  {
    read: () => JSON.parse(sessionStorage.getItem(KEY)),
    write: (state) => sessionStorage.setItem(KEY, JSON.stringify(state)),
  },
  {
    read: () => history.state?.[KEY] ?? null,
    write: (state) => history.replaceState({ ...history.state, [KEY]: state }, ""),
  },
];

// state: {server, images, history: {past, present, future}, look}. Returns whether all of it, or at
// least all but what can be undone, was kept.
export function keep(state) {
  const { present } = state.history;
  return places.some(
    (place) =>
      attempt(() => place.write(state)) ||
      attempt(() => place.write({ ...state, history: { past: [], present, future: [] } })),
  );
}

// What was kept, or null where there is nothing or it is of no use.
export function kept() {
  for (const place of places) {
    let state = null;
    attempt(() => {
      state = place.read();
    });
    if (isState(state)) return state;
  }
  return null;
}

function isState(state) {
  if (!Array.isArray(state?.images) || !state.history) return false;
  const { past, present, future } = state.history;
  if (!Array.isArray(past) || !Array.isArray(future)) return false;
  return [...past, present, ...future].every(
    (prompt) => Array.isArray(prompt?.clicks) && typeof prompt.settings === "object",
  );
}

function attempt(action) {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}
