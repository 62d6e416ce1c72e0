// Joins the parts: one state, shown by the controls and the tiles, sent to the server at each
// change. Everything else in this folder knows less than this file.

import * as clicks from "./clicks.js";
import { decodeMasks } from "./codec.js";
import { createControls } from "./controls.js";
import { createEdges } from "./edges.js";
import * as undoable from "./history.js";
import { createLink } from "./link.js";
import { forget, recall, remember } from "./memory.js";
import { createTile } from "./tile.js";

const SETTINGS = {
  rule: "kernel",
  strength: 0.5,
  one_only: false,
  edges: true,
  crisp: false,
  threshold: 0.5,
  gamma: 1,
  denoise: true,
  min_area: 3,
  negative_threshold: 0.99,
  n_eigvecs: null,
};
const DISPLAY = { opacity: 0.5, outline: true };
const HIT_RADIUS = { mouse: 9, touch: 16 };
// How far ahead of the screen tiles are painted.
const AHEAD = "200px";

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

  const link = createLink({
    send: (message) => server.predict(message),
    receive: receiveAnswer,
    lost: (attempt) =>
      attempt > 1 ? notify("The server does not answer. Trying again; nothing is lost.") : notify(""),
  });

  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) entry.target.tile.setVisible(entry.isIntersecting);
      edges.update();
    },
    { rootMargin: AHEAD },
  );
  const edges = createEdges({
    // Crisp masks take longer: each is shown as soon as it is there.
    atOnce: () => (isCrisp() ? 1 : 4),
    missing: () => {
      if (!masks.length || asked !== shown || !history.present.settings.edges) return [];
      const isMissing = (tile, index) => tile.isVisible() && !edged[index];
      return tiles.flatMap((tile, index) => (isMissing(tile, index) ? [index] : []));
    },
    ask: async (images) => {
      const side = edgedSide;
      return { ...(await server.edges({ ...message(), seq: shown, images, side })), side };
    },
    show: receiveEdges,
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
        settings: { ...present.settings, [name]: value },
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
    export: () => trigger("export", { ...message(), seq: asked }),
  };

  function step(next) {
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
    settings: { ...history.present.settings, crisp: isCrisp() },
  });

  // A set that was analysed later may have nothing to draw crisp masks from.
  const isCrisp = () => Boolean(manifest?.crisp) && history.present.settings.crisp;

  // The one way from a changed state to the screen and to the server.
  function changed() {
    showControls();
    tiles.forEach((tile) => tile.paint());
    asked = link.push(message());
    remember({ ticket: manifest.ticket, prompt: history.present });
    showStatus();
  }

  async function receiveAnswer(answer, request) {
    if (!manifest || request.session !== manifest.session) return;
    if (answer.error) {
      notify(answer.message);
      if (answer.error === "gone") forget();
      return;
    }
    const [h, w] = manifest.grid;
    const decoded = await decodeMasks(answer.masks, manifest.images.length, h, w);
    if (request.session !== manifest?.session) return;
    masks = request.clicks.length ? decoded : [];
    presence = request.clicks.length ? answer.presence : [];
    // The old edges would lie about the new masks.
    edged = [];
    shown = answer.seq;
    notify("");
    tiles.forEach((tile) => tile.refresh());
    showStatus();
    fitEdges();
  }

  async function receiveEdges(answer) {
    // The masks, or the tiles, may have changed since they were asked for.
    const isStale = () => answer.seq !== shown || answer.side < edgedSide || !masks.length;
    if (isStale()) return;
    if (answer.error) {
      notify(answer.message);
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
    const indices = tiles.map((_, index) => index);
    if (order === "presence" && presence.length) {
      indices.sort((a, b) => presence[b] - presence[a] || a - b);
    }
    grid.append(...indices.map((index) => tiles[index].element));
  }

  // Masks with edges are asked for at the size they are shown at, and again when tiles have grown.
  function fitEdges() {
    const shownSide = Math.max(...tiles.map((tile) => tile.shownSide()), 1);
    const wanted = Math.min(Math.max(256, 2 ** Math.ceil(Math.log2(shownSide))), 4096);
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
      crisp: manifest?.crisp ?? false,
      can: {
        undo: history.past.length > 0,
        redo: history.future.length > 0,
        clear: history.present.clicks.length > 0,
        export: history.present.clicks.some((click) => click.positive),
      },
    });
  }

  function showStatus() {
    const { positive, negative } = clicks.count(history.present.clicks);
    find(".pp-status").textContent = statusText(positive, negative);
    // For tests and assistive tools: which request the masks on the screen answer.
    root.dataset.asked = String(asked);
    root.dataset.shown = String(shown);
    root.dataset.edged = String(edged.filter(Boolean).length);
  }

  function statusText(positive, negative) {
    const images = manifest.images.length;
    if (positive + negative === 0) return `${images} ${images === 1 ? "image" : "images"}. Click a thing in any.`;
    if (positive === 0) return "Add a “this” click: “not this” only takes away.";
    const masked = masks.filter((mask) => mask.includes(1)).length;
    return `Found in ${masked} of ${images}`;
  }

  function notify(text) {
    const notice = find(".pp-notice");
    if (notice.textContent !== text) notice.textContent = text;
    notice.hidden = text === "";
  }

  function open(next) {
    const before = manifest;
    manifest = next;
    seen.disconnect();
    masks = [];
    edged = [];
    presence = [];
    order = "given";
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
        color: manifest.maskColor,
        view: viewOf,
        on: { press, remove },
      }),
    );
    for (const tile of tiles) {
      tile.element.tile = tile;
      seen.observe(tile.element);
    }
    grid.replaceChildren(...tiles.map((tile) => tile.element));
    notify("");
    tiles.forEach((tile) => tile.refresh());
    changed();
  }

  // The same images analysed again, more images that joined them, or the tab reloaded: the clicks
  // are still right.
  function openingHistory(before) {
    const kept = recall();
    if (kept?.ticket === manifest.ticket) return undoable.start(kept.prompt);
    if (before && (manifest.joins === before.session || hasSameImages(before))) return history;
    const { settings } = history.present;
    const fitting = settings.n_eigvecs && Math.min(settings.n_eigvecs, manifest.eigvecs);
    return undoable.start({ clicks: [], settings: { ...settings, n_eigvecs: fitting } });
  }

  function hasSameImages(before) {
    const isSame = ({ name, width, height }, index) => {
      const other = before.images[index];
      return other?.name === name && other.width === width && other.height === height;
    };
    return before.images.length === manifest.images.length && manifest.images.every(isSame);
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

  find(".pp-panel").open = !isPhone();
  watch("value", () => open(props.value));
  watch("download", () => save(fileUrl(props.download)));
  showControls();
  if (props.value) open(props.value);
  else if (recall()?.ticket) trigger("restore", { ticket: recall().ticket });
}

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
