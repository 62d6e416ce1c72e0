// Tells when a server that was away may be there again: the network is, or somebody looks.

/** @param {() => void} back */
export function createBack(back) {
  const listening = new AbortController();
  const { signal } = listening;
  const looked = () => {
    if (!document.hidden) back();
  };
  window.addEventListener("online", back, { signal });
  document.addEventListener("visibilitychange", looked, { signal });
  return { destroy: () => listening.abort() };
}
