// The card at the lower edge that says what the server is doing: gone when it was read.

/** @param {HTMLElement} card */
export function createCard(card) {
  const listening = new AbortController();
  const dismiss = () => {
    card.dataset.read = "true";
  };
  card.addEventListener(
    "click",
    ({ target }) => {
      if (target instanceof Element && target.closest(".pp-dismiss")) dismiss();
    },
    { signal: listening.signal },
  );
  // What is said next is to be read again.
  const observer = new MutationObserver(() => {
    delete card.dataset.read;
    // It fades from the beginning, too.
    card.getAnimations().forEach((fading) => fading.play());
  });
  observer.observe(card, { childList: true, subtree: true, characterData: true });
  return {
    destroy() {
      listening.abort();
      observer.disconnect();
    },
  };
}
