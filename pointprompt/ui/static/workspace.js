// Joins the parts: one state, shown by the controls and the tiles, sent to the server at each
// change. Everything else in this folder knows less than this file.

import * as clicks from "./clicks.js";
import { decodeMasks } from "./codec.js";
import { MASK_RGB, MAX_SIDE } from "./contract.js";
import { createControls } from "./controls.js";
import { createEdges } from "./edges.js";
import * as undoable from "./history.js";
import { keep, kept } from "./kept.js";
import { createLink } from "./link.js";
import { forget, recall, remember } from "./memory.js";
import { sameImages } from "./same.js";
import { SETTINGS, fitted, known, toMessage, withValue } from "./settings.js";
import { isRestarted, serverId } from "./server.js";
import { createTile } from "./tile.js";
import { putToastsInWords } from "./toasts.js";
import * as words from "./words.js";

const DISPLAY = { opacity: 0.5, outline: true };
const HIT_RADIUS = { mouse: 9, touch: 16 };
// How far ahead of the screen tiles are painted.
const AHEAD = "200px";
// An answer that takes longer is said to be awaited.
const LATE_MS = 1500;

// element: this component's root. server.predict(message), trigger(event, data) and watch(prop,
// callback) are gradio's; fileUrl(address) makes the whole of an address that the server gave.
export function mount({ element, props, server, trigger, watch, fileUrl }) {
  const root = element.querySelector(".pp-workspace");
  const find = (selector) => root.querySelector(selector);
  const grid = find(".pp-grid");

  let manifest = null;
  let history = undoable.start({ clicks: [], settings: SETTINGS });
  let beforeDrag = null;
  let mode = "positive";
  let view = "photo";
  let order = "given";
  // Whether the tiles are still to be arranged as before a reload.
  let unsorted = false;
  let display = DISPLAY;
  let tileSize = isPhone() ? 120 : 190;
  let tiles = [];
  let masks = [];
  // Masks whose edges follow the photo, of the tiles that were seen: {mask, grid} by image.
  let edged = [];
  // The most pixels of such a mask, in height and width.
  let edgedSide = 256;
  // How sure it is that the thing is in an image: n numbers from 0 to 1, once there is a mask.
  let presence = [];
  // Sequence number of the newest request and of the masks on the screen.
  let asked = 0;
  let shown = 0;
  // Whether the masks on the screen have been those of an older prompt for a while.
  let late = false;
  let lateTimer = null;
  // Whether a download waits until the server has answered the newest prompt.
  let exporting = false;
  // Whether the server is being asked for the set from before a reload.
  let restoring = false;
  // What keeps the page from showing the newest masks: lost requests in a row, and sentences.
  let trouble = { masks: 0, edges: 0, gone: "", refused: "", past: "" };

  const link = createLink({
    send: (message) => server.predict(message),
    receive: receiveAnswer,
    lost: (masks) => setTrouble({ masks }),
  });

  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) entry.target.tile.setVisible(entry.isIntersecting);
      edges.update();
    },
    { rootMargin: AHEAD },
  );
  const edges = createEdges({
    // What SAM draws takes longer: each is shown as soon as it is there.
    atOnce: () => (outline() === "sam" ? 1 : 4),
    missing: () => {
      if (!masks.length || asked !== shown || outline() === "tokens") return [];
      const isMissing = (tile, index) => tile.isVisible() && !edged[index];
      return tiles.flatMap((tile, index) => (isMissing(tile, index) ? [index] : []));
    },
    ask: async (images) => {
      const [seq, side] = [shown, edgedSide];
      const answer = await server.edges({ ...message(), seq, images, side });
      if (answer?.seq !== seq) throw new Error("The server did not answer.");
      return { ...answer, side };
    },
    show: receiveEdges,
    lost: (edges) => setTrouble({ edges }),
  });
  const resized = new ResizeObserver(() => {
    tiles.forEach((tile) => tile.paint());
    fitEdges();
  });
  resized.observe(grid);

  const controls = createControls(root, {
    mode: (chosen) => {
      mode = chosen;
      showControls();
    },
    view: (chosen) => {
      view = chosen;
      showControls();
    },
    order: (chosen) => {
      order = chosen;
      showControls();
      arrange();
    },
    tileSize: (size) => {
      tileSize = size;
      showControls();
    },
    display: (name, value) => {
      display = { ...display, [name]: value };
      showControls();
      tiles.forEach((tile) => tile.paint());
    },
    setting: (name, value) => {
      beforeDrag ??= history.present;
      const { present } = history;
      history = undoable.preview(history, {
        ...present,
        settings: withValue(present.settings, name, value),
      });
      changed();
    },
    settled: () => {
      if (beforeDrag) history = undoable.settle(history, beforeDrag);
      beforeDrag = null;
      changed();
    },
    action: (name) => actions[name](),
  });

  const actions = {
    undo: () => step(undoable.undo(history)),
    redo: () => step(undoable.redo(history)),
    clear: () => setClicks([]),
    reset: () => step(undoable.commit(history, { ...history.present, settings: SETTINGS })),
    // Not before the server has shown that it is there, and the screen the prompt that is asked for:
    // gradio loses an event that cannot be sent.
    export: () => {
      exporting = true;
      link.repeat();
      expectAnswer();
      showControls();
    },
  };

  function step(next) {
    setTrouble({ past: "" });
    history = next;
    changed();
  }

  function setClicks(next) {
    step(undoable.commit(history, { ...history.present, clicks: next }));
  }

  function press(index, { x, y, other, touch }) {
    const { present } = history;
    const at = hitAt(index, x, y, touch ? HIT_RADIUS.touch : HIT_RADIUS.mouse);
    if (at >= 0) {
      setClicks(clicks.removeAt(present.clicks, at));
      return;
    }
    const positive = mode === "positive" && !other;
    setClicks(clicks.add(present.clicks, clicks.clickAt(index, x, y, positive)));
  }

  function remove(index, { x, y }) {
    const at = hitAt(index, x, y, HIT_RADIUS.touch);
    if (at >= 0) setClicks(clicks.removeAt(history.present.clicks, at));
  }

  function hitAt(index, x, y, radius) {
    const { clientWidth, clientHeight } = tiles[index].overlay;
    return clicks.hit(history.present.clicks, index, x, y, clientWidth, clientHeight, radius);
  }

  const message = () => ({
    session: manifest.session,
    clicks: history.present.clicks,
    settings: toMessage(history.present.settings, manifest.outlines),
  });

  const outline = () => toMessage(history.present.settings, manifest.outlines).outline;

  // The one way from a changed state to the screen and to the server.
  function changed() {
    showControls();
    tiles.forEach((tile) => tile.refresh());
    asked = link.push(message());
    keep(snapshot(undoable.start(history.present)));
    expectAnswer();
    showStatus();
  }

  // What a reload of the tab needs to go on. At every change without what can be undone, which may be
  // much.
  function snapshot(whole) {
    const images = (manifest?.images ?? []).map(({ name, width, height }) => ({ name, width, height }));
    const look = { mode, view, order, display, tileSize };
    return { server: serverId(), images, history: whole, look };
  }

  function expectAnswer() {
    lateTimer ??= setTimeout(() => {
      late = true;
      showStatus();
    }, LATE_MS);
  }

  function stopExpecting() {
    clearTimeout(lateTimer);
    lateTimer = null;
    late = false;
  }

  async function receiveAnswer(answer, request) {
    stopExpecting();
    if (!manifest || request.session !== manifest.session) return;
    if (answer.error) {
      await receiveError(answer);
      return;
    }
    if (answer.seq !== shown) await showMasks(answer, request);
    if (request.session !== manifest?.session) return;
    setTrouble({ refused: "" });
    if (shown !== asked) expectAnswer();
    else if (exporting) startExport();
    showStatus();
  }

  function startExport() {
    exporting = false;
    trigger("export", { ...message(), seq: shown });
    showControls();
  }

  async function receiveError({ error, message: said }) {
    exporting = false;
    showControls();
    showStatus();
    if (error !== "gone") {
      setTrouble({ refused: words.sentence(said) });
      return;
    }
    forget();
    const restarted = await isRestarted();
    // The page of a server that is no more: another one may have other modules and events, and knows
    // nothing of this page, not even when it closes.
    if (restarted && keep(snapshot(history))) window.location.reload();
    else tellGone(restarted);
  }

  function tellGone(restarted) {
    const { images, history: whole } = manifest ? { ...manifest, history } : kept();
    const count = whole.present.clicks.length;
    setTrouble({ gone: words.goneText({ restarted, images, count }) });
  }

  async function showMasks(answer, request) {
    const [h, w] = manifest.grid;
    const decoded = await decodeMasks(answer.masks, manifest.images.length, h, w);
    if (request.session !== manifest?.session) return;
    masks = request.clicks.length ? decoded : [];
    presence = request.clicks.length ? answer.presence : [];
    if (unsorted && presence.length) arrange();
    // The old edges would lie about the new masks.
    edged = [];
    shown = answer.seq;
    tiles.forEach((tile) => tile.refresh());
    fitEdges();
  }

  async function receiveEdges(answer) {
    // The masks, or the tiles, may have changed since they were asked for.
    const isStale = () => answer.seq !== shown || answer.side < edgedSide || !masks.length;
    if (isStale()) return;
    if (answer.error) {
      await receiveError(answer);
      return;
    }
    const { masks: received } = answer;
    const decoded = await Promise.all(
      received.map(({ mask, height, width }) => decodeMasks(mask, 1, height, width)),
    );
    if (isStale()) return;
    received.forEach(({ image, height, width }, index) => {
      edged[image] = { mask: decoded[index][0], grid: [height, width] };
      tiles[image].refresh();
    });
    showStatus();
  }

  // Only when it is asked for: tiles that move by themselves would move under the pointer.
  function arrange() {
    unsorted = false;
    const indices = tiles.map((_, index) => index);
    if (order === "presence" && presence.length) {
      indices.sort((a, b) => presence[b] - presence[a] || a - b);
    }
    grid.append(...indices.map((index) => tiles[index].element));
  }

  // Masks with edges are asked for at the size they are shown at, and again when tiles have grown.
  function fitEdges() {
    const shownSide = Math.max(...tiles.map((tile) => tile.shownSide()), 1);
    const wanted = Math.min(Math.max(256, 2 ** Math.ceil(Math.log2(shownSide))), MAX_SIDE);
    if (wanted > edgedSide) edged = [];
    edgedSide = wanted;
    edges.update();
  }

  function showControls() {
    root.dataset.view = view;
    root.style.setProperty("--pp-tile", `${tileSize}px`);
    controls.show({
      mode,
      view,
      order,
      display,
      tileSize,
      settings: history.present.settings,
      eigvecs: manifest?.eigvecs ?? 2,
      outlines: manifest?.outlines ?? [],
      can: {
        undo: history.past.length > 0,
        redo: history.future.length > 0,
        clear: history.present.clicks.length > 0,
        export: history.present.clicks.some((click) => click.positive) && !exporting,
      },
    });
  }

  function showStatus() {
    find(".pp-status").textContent = statusText();
    // For tests and assistive tools: which request the masks on the screen answer.
    root.dataset.asked = String(asked);
    root.dataset.shown = String(shown);
    root.dataset.edged = String(edged.filter(Boolean).length);
  }

  function statusText() {
    if (late) return exporting ? "The download waits for the server" : "Waiting for the server";
    const { positive, negative } = clicks.count(history.present.clicks);
    const images = manifest.images.length;
    if (positive + negative === 0) return `${images} ${images === 1 ? "image" : "images"}. Click a thing in any.`;
    if (positive === 0) return "Add a “this” click: “not this” only takes away.";
    const masked = masks.filter((mask) => mask.includes(1)).length;
    return `Found in ${masked} of ${images}`;
  }

  function setTrouble(changes) {
    const wasAway = isAway();
    trouble = { ...trouble, ...changes };
    const { gone, refused, past } = trouble;
    const text = (isAway() ? words.AWAY : "") || gone || refused || past;
    const notice = find(".pp-notice");
    if (notice.textContent !== text) notice.textContent = text;
    notice.hidden = text === "";
    if (wasAway && !isAway()) tiles.forEach((tile) => tile.reload());
  }

  // One lost request may be an accident.
  const isAway = () => Math.max(trouble.masks, trouble.edges) > 1;

  // gradio's value of this component: a manifest, or why there is none any more.
  function receiveValue(value) {
    if (value?.error) {
      forget();
      tellKept();
    } else {
      // What a reload has to say stays to be read, beside the set that it found again.
      if (!restoring) setTrouble({ past: "" });
      open(value);
    }
    restoring = false;
  }

  // A page that cannot show the set it had before a reload.
  function tellKept() {
    const before = kept();
    if (before?.images.length) tellGone(before.server !== serverId());
  }

  function lookAsBefore() {
    const look = kept()?.look ?? {};
    mode = look.mode ?? mode;
    view = look.view ?? view;
    order = look.order ?? order;
    display = { ...display, ...look.display };
    tileSize = look.tileSize ?? tileSize;
  }

  function open(next) {
    const before = manifest;
    manifest = next;
    seen.disconnect();
    masks = [];
    edged = [];
    presence = [];
    if (before) order = "given";
    unsorted = order === "presence";
    exporting = false;
    tiles = [];
    if (!manifest) {
      root.dataset.state = "empty";
      grid.replaceChildren();
      return;
    }
    root.dataset.state = "open";
    history = openingHistory(before);
    beforeDrag = null;
    const atlas = loadPicture(fileUrl(manifest.colors));
    tiles = manifest.images.map((image, index) =>
      createTile(image, index, {
        photoUrl: fileUrl(image.tile),
        atlas,
        grid: manifest.grid,
        color: MASK_RGB,
        view: viewOf,
        on: { press, remove },
      }),
    );
    for (const tile of tiles) {
      tile.element.tile = tile;
      seen.observe(tile.element);
    }
    grid.replaceChildren(...tiles.map((tile) => tile.element));
    setTrouble({ gone: "", refused: "" });
    remember({ ticket: manifest.ticket });
    changed();
  }

  // The same images analysed again, more images that joined them, or the tab reloaded: the clicks
  // are still right.
  function openingHistory(before) {
    if (before && manifest.joins === before.session) return history;
    const last = before ? { images: before.images, history } : kept();
    const places = last && sameImages(last.images, manifest.images);
    if (places) {
      return undoable.map(last.history, ({ clicks: list, settings }) => ({
        clicks: clicks.move(list, places),
        settings: known(settings),
      }));
    }
    const settings = fitted(history.present.settings, manifest.eigvecs);
    return undoable.start({ clicks: [], settings });
  }

  const viewOf = (index) => ({
    clicks: history.present.clicks.filter((click) => click.image === index),
    // At token resolution until the edges have come.
    ...(edged[index] ?? { mask: masks[index] ?? null, grid: manifest.grid }),
    presence: presence[index] ?? null,
    display,
  });

  document.addEventListener("keydown", (event) => {
    if (!manifest || !(event.ctrlKey || event.metaKey) || isTyping(event.target)) return;
    const key = event.key.toLowerCase();
    if (key === "z") event.shiftKey ? actions.redo() : actions.undo();
    else if (key === "y") actions.redo();
    else return;
    event.preventDefault();
  });

  // A server that may be there again is asked at once.
  const hurry = () => {
    link.hurry();
    edges.hurry();
    tiles.forEach((tile) => tile.reload());
  };
  window.addEventListener("online", hurry);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) hurry();
  });
  window.addEventListener("pagehide", () => {
    const before = manifest ? null : kept();
    keep({ ...snapshot(history), ...before, cutOff: isUnderWay() });
  });

  find(".pp-panel").open = !isPhone();
  watch("value", () => receiveValue(props.value));
  watch("download", () => save(fileUrl(props.download.address)));
  putToastsInWords();
  lookAsBefore();
  showControls();
  if (kept()?.cutOff) setTrouble({ past: words.CUT_OFF });
  restoring = !props.value && Boolean(recall()?.ticket);
  if (props.value) receiveValue(props.value);
  else if (restoring) trigger("restore", { ticket: recall().ticket });
  else tellKept();
}

// Whether the server works for this page, or gradio says that it lost the connection.
const isUnderWay = () => isSeen("#pp-cancel") || isSeen(".toast-body.error");

const isSeen = (selector) => document.querySelector(selector)?.getClientRects().length > 0;

function save(url) {
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = "";
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}

const isPhone = () => window.matchMedia("(max-width: 760px)").matches;

const isTyping = (target) =>
  target.isContentEditable ||
  target.matches("textarea, input:not([type=range]):not([type=checkbox]):not([type=radio])");

// Resolves to null where the picture cannot be had: the photos are still of use.
async function loadPicture(url) {
  const picture = new Image();
  picture.src = url;
  try {
    await picture.decode();
    return picture;
  } catch {
    return null;
  }
}
