// Undo and redo without limit, over any immutable state. Knows nothing of what the state means.

export const start = (present) => ({ past: [], present, future: [] });

// A new state that can be undone.
export const commit = (history, present) => ({
  past: [...history.past, history.present],
  present,
  future: [],
});

// A passing state, such as each step of a slider's drag. `settle` turns where it began and where
// it ended into one entry.
export const preview = (history, present) => ({ ...history, present });

export const settle = (history, before) => ({
  past: [...history.past, before],
  present: history.present,
  future: [],
});

export const undo = ({ past, present, future }) =>
  past.length === 0
    ? { past, present, future }
    : { past: past.slice(0, -1), present: past[past.length - 1], future: [present, ...future] };

export const redo = ({ past, present, future }) =>
  future.length === 0
    ? { past, present, future }
    : { past: [...past, present], present: future[0], future: future.slice(1) };

// The same history with every state changed in the same way.
export const map = ({ past, present, future }, change) => ({
  past: past.map(change),
  present: change(present),
  future: future.map(change),
});
