// One image large, above the strip of the others: which one, its photo at full resolution, and what
// is done with it.

import { MAX_SIDE } from "../contract.js";
import { brushOf, strokeOf } from "../state/brush.js";
import { listenToBrush } from "./brush.js";
import { createLarge } from "./large.js";
import { listenToPanning } from "./panning.js";
import { listen } from "./pointer.js";
import { createStageBar } from "./stagebar.js";

/**
 * @import { Actions } from "../state/actions.js"
 * @import { Press } from "../state/press.js"
 * @import { PageStore } from "../state/state.js"
 * @import { TileView } from "./views.js"
 */

/**
 * @typedef {Object} StageOptions
 * @property {Actions} actions
 * @property {(path: string) => string} addressOf
 * @property {(image: number) => void} remove From the set.
 * @property {(image: number) => TileView} view
 * @property {(canvas: HTMLCanvasElement, image: number) => void} paintColors
 */

/**
 * @param {HTMLElement} root
 * @param {PageStore} store
 * @param {StageOptions} options
 */
export function createStage(root, store, { actions, addressOf, remove, view, paintColors }) {
  const stage = /** @type {HTMLElement} */ (root.querySelector(".pp-stage"));
  /** @param {string} name */
  const find = (name) => /** @type {HTMLElement} */ (stage.querySelector(name));
  const photo = /** @type {HTMLImageElement} */ (find(".pp-photo"));
  const colors = /** @type {HTMLCanvasElement} */ (find(".pp-colors"));
  const overlay = find(".pp-overlay");
  const listening = new AbortController();
  const { signal } = listening;

  function shown() {
    const { focus, manifest, preview } = store.get();
    if (focus === null || !manifest) return null;
    const line = preview?.get(focus)?.contour ?? null;
    const [size, brush] = [manifest.images[focus], brushOf(store.get())];
    return { size, view: view(focus), preview: line, grid: manifest.grid, brush };
  }
  const large = createLarge(find(".pp-large"), shown);

  /** After it got another size. */
  function measure() {
    const size = shown()?.size;
    if (!size) return;
    bar.scale(large.scale());
    const pixels = Math.max(size.width, size.height) * large.scale() * (window.devicePixelRatio || 1);
    store.set({ focusSide: Math.min(2 ** Math.ceil(Math.log2(pixels)), MAX_SIDE) });
  }

  /** @param {number} times @param {{x: number, y: number}} [point] */
  function enlarge(times, point) {
    large.enlarge(times, point);
    measure();
  }

  function showAll() {
    large.renew();
    measure();
  }

  const focused = () => store.get().focus ?? 0;
  const bar = createStageBar(stage, { actions, focused, remove, enlarge, showAll });

  function show() {
    const { focus, manifest } = store.get();
    const wasHidden = stage.hidden;
    stage.hidden = focus === null;
    root.toggleAttribute("data-focus", focus !== null);
    if (focus === null || !manifest) {
      photo.removeAttribute("src");
      return;
    }
    const image = manifest.images[focus];
    bar.name(image.name, manifest.images.length);
    overlay.setAttribute("aria-label", `${image.name}, large`);
    [colors.width, colors.height] = [0, 0];
    load(focus, addressOf(image.tile), addressOf(image.whole));
    paint();
    showAll();
    if (!wasHidden) return;
    stage.scrollIntoView({ block: "start" });
    overlay.focus({ preventScroll: true });
  }

  /**
   * The photo as its tile shows it, until the whole one has come.
   * @param {number} image
   * @param {string} tile
   * @param {string} whole
   */
  async function load(image, tile, whole) {
    photo.src = tile;
    const loading = new Image();
    loading.src = whole;
    // What cannot be had is seen as the tile shows it.
    await loading.decode().catch(() => null);
    if (store.get().focus === image && loading.naturalWidth > 0) photo.src = whole;
  }

  function paint() {
    const { focus } = store.get();
    if (focus === null) return;
    const now = view(focus);
    if (now.hasColors) paintColors(colors, focus);
    bar.show(now);
    large.paint();
  }

  /** @param {Press} press */
  function pressOn(press) {
    const { focus } = store.get();
    const on = large.onPhoto(press);
    return on && focus !== null ? { ...on, image: focus } : null;
  }

  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowLeft: () => actions.focusNext(-1),
    ArrowRight: () => actions.focusNext(1),
    0: showAll,
  };
  overlay.addEventListener(
    "keydown",
    (event) => {
      const action = keys[event.key];
      if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      action();
    },
    { signal },
  );

  // Before presses: what moves the photo is none.
  const isPainting = () => Boolean(brushOf(store.get()));
  const panning = listenToPanning(overlay, {
    zoom: enlarge,
    pan: large.pan,
    canPan: () => large.isBeyond() && !isPainting(),
  });
  const pointer = listen(overlay, {
    pressed(press) {
      const on = pressOn(press);
      if (on && !isPainting()) actions.press(on);
    },
    hovered: (press) => actions.hover(press && !isPainting() ? pressOn(press) : null),
  });
  const brushing = listenToBrush(overlay, {
    isOn: isPainting,
    traced: (trace) => large.paintTrace(trace && { ...trace, way: trace.way.map(large.beside) }),
    painted(way, other) {
      const { focus, manifest } = store.get();
      const brush = brushOf(store.get());
      if (focus === null || !manifest || !brush) return;
      actions.paint(strokeOf(focus, way.map(large.beside), { brush, other, size: manifest.images[focus] }));
    },
  });
  const resized = new ResizeObserver(() => !stage.hidden && showAll());
  resized.observe(find(".pp-large"));

  const unsubscribe = [
    store.subscribe(({ focus, manifest }) => [focus, manifest], show),
    store.subscribe(
      ({ history, look, answer, answers, live }) =>
        [history.present, look.display, look.view, answer, answers, live],
      paint,
    ),
    store.subscribe(({ preview }) => [preview], large.paintPreview),
  ];

  return {
    destroy() {
      unsubscribe.forEach((end) => end());
      [bar, pointer, panning, brushing].forEach((part) => part.destroy());
      resized.disconnect();
      listening.abort();
    },
  };
}
