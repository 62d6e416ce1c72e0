// Files dropped anywhere on the page, which then says so. Does not know what becomes of them.

/**
 * @param {HTMLElement} veil What covers the page while files are held over it.
 * @param {(transfer: DataTransfer) => void} take
 */
export function createDrop(veil, take) {
  const listening = new AbortController();
  // Before gradio's field, which would take them by itself where it lies below.
  const options = { capture: true, signal: listening.signal };

  /** @param {boolean} isOver */
  const show = (isOver) => {
    veil.hidden = !isOver;
  };

  /** @param {DragEvent} event */
  function over(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    event.dataTransfer.dropEffect = "copy";
    show(true);
  }

  window.addEventListener("dragenter", over, options);
  window.addEventListener("dragover", over, options);
  window.addEventListener(
    "dragleave",
    (event) => {
      if (event.relatedTarget === null) show(false);
    },
    options,
  );
  window.addEventListener(
    "drop",
    (event) => {
      show(false);
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.stopPropagation();
      take(event.dataTransfer);
    },
    options,
  );
  return { destroy: () => listening.abort() };
}
