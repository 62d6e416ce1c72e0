// Joins the parts: one store, shown by the view, asked of the server at each change. All else in
// this folder knows less than this file.

import { createLive } from "./rule/live.js";
import { createBack } from "./server/back.js";
import { createFine } from "./server/fine.js";
import { createMasks } from "./server/masks.js";
import { createOthers } from "./server/others.js";
import { createPrompts } from "./server/prompts.js";
import { addressOf, serverId } from "./server/run.js";
import { createSession } from "./server/session.js";
import { createSetup } from "./setup/setup.js";
import { createActions } from "./state/actions.js";
import { createKeeper } from "./state/keeper.js";
import { kept } from "./state/kept.js";
import { initialLook } from "./state/look.js";
import { initialState } from "./state/state.js";
import { createStore } from "./state/store.js";
import { createArranging } from "./view/arranging.js";
import { createControls } from "./view/controls.js";
import { createFormats } from "./view/formats.js";
import { createGrid } from "./view/grid.js";
import { createHelp } from "./view/help.js";
import { createNotice } from "./view/notice.js";
import { createTop } from "./view/place.js";
import { createPush } from "./view/push.js";
import { createShortcuts } from "./view/shortcuts.js";
import { createSizing } from "./view/sizing.js";
import { createStage } from "./view/stage.js";
import { createStatus } from "./view/status.js";
import { createStepper } from "./view/stepper.js";
import { createThings } from "./view/things.js";
import { isUnderWay, putToastsInWords } from "./view/toasts.js";

/**
 * @import { Download } from "./contract.js"
 * @import { AskEdges } from "./server/fine.js"
 * @import { Predict } from "./server/masks.js"
 * @import { AskPrompt } from "./server/prompts.js"
 * @import { Value } from "./server/session.js"
 */

/**
 * What gradio gives a component.
 * @typedef {Object} Component
 * @property {HTMLElement} element Its root.
 * @property {{value: Value, download: Download, opening: boolean}} props
 * @property {{predict: Predict, edges: AskEdges, open_prompt: AskPrompt}} server
 * @property {(event: string, data: object) => void} trigger
 * @property {(prop: string, changed: () => void) => void} watch
 */

/** @type {{destroy: () => void} | null} */
let mounted = null;

/**
 * The page has one workspace. gradio may make its component anew, and does not say when one ends.
 * @param {Component} component
 */
export function mount(component) {
  mounted?.destroy();
  mounted = join(component);
  return mounted;
}

/** @param {Component} component */
function join({ element, props, server, trigger, watch }) {
  /** @param {string} selector */
  const find = (selector) => /** @type {HTMLElement} */ (element.querySelector(selector));
  const root = find(".pp-workspace");
  // Where the settings lie over the tiles, and not beside them.
  const isNarrow = window.matchMedia("(max-width: 860px)").matches;
  /** @type {HTMLDetailsElement} */ (find(".pp-panel")).open = !isNarrow;

  const store = createStore(initialState(initialLook(kept()?.look)));
  const actions = createActions(store);
  const keeper = createKeeper(store, { server: serverId(), isUnderWay });
  const controls = createControls(root, store, actions);
  const grid = createGrid(root, store, { actions, addressOf });
  const help = createHelp(root, store, actions);
  const push = createPush(root, store, actions);
  const masks = createMasks(store, {
    predict: (request) => server.predict(request),
    download: (request) => {
      const pushed = push.take(request);
      if (pushed) trigger("push", pushed);
      else trigger("export", request);
    },
  });
  const fine = createFine(store, (request) => server.edges(request));
  const others = createOthers(store, {
    predict: (request) => server.predict(request),
    edges: (request) => server.edges(request),
  });
  const prompts = createPrompts(store, {
    ask: (request) => server.open_prompt(request),
    apply: (request) => trigger("recipe", request),
    actions,
  });
  const live = createLive(store, { addressOf });
  const session = createSession(store, {
    restore: (request) => trigger("restore", request),
    openExample: props.opening ? () => trigger("opening", {}) : null,
  });
  /** @param {number} image */
  const remove = (image) => trigger("remove", { session: store.get().manifest?.session, image });
  const back = createBack(() => {
    masks.hurry();
    fine.hurry();
    others.hurry();
    live.hurry();
    grid.reload();
  });
  const parts = [
    keeper,
    controls,
    grid,
    masks,
    fine,
    others,
    prompts,
    live,
    back,
    session,
    help,
    push,
    createStage(root, store, { ...grid, actions, addressOf, remove }),
    createArranging(root, store, actions),
    createThings(root, store, actions),
    createFormats(root, store, { actions, openPrompt: prompts.open }),
    createTop(root, find(".pp-top")),
    createNotice(find(".pp-notice"), store),
    createStatus(root, store),
    createSetup(root, store, { recall: (request) => trigger("recall", request), openPrompt: prompts.open }),
    createShortcuts(root, store, { actions, go: grid.go, here: grid.here, help: help.open }),
    createSizing(root, store, actions),
    createStepper(root, store, { actions, element: grid.element }),
    putToastsInWords(),
  ];

  // What gradio watches for a workspace that is no more changes nothing.
  let isOver = false;
  watch("value", () => isOver || session.receive(props.value));
  watch("opening", () => isOver || session.giveUp());
  watch("download", () => isOver || save(addressOf(props.download.address)));
  session.start(props.value);

  return {
    destroy() {
      isOver = true;
      parts.forEach((part) => part.destroy());
    },
  };
}

/** @param {string} url */
function save(url) {
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = "";
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}
