// What the page's state holds, and what follows from it. Knows neither the server nor the screen.

import * as undoable from "./history.js";
import { SETTINGS } from "./settings.js";
import { begun } from "./things.js";

/**
 * @import { Manifest } from "../contract.js"
 * @import { LiveTile } from "../rule/worker.js"
 * @import { History } from "./history.js"
 * @import { Look } from "./look.js"
 * @import { PressOn } from "./press.js"
 * @import { Recent } from "./recent.js"
 * @import { Store } from "./store.js"
 * @import { Prompt } from "./things.js"
 */

/**
 * A mask and its rows and columns.
 * @typedef {Object} Mask
 * @property {Uint8Array} mask Zeros and ones.
 * @property {readonly [number, number]} grid
 */

/**
 * What the server said of a thing, when it was last asked; replaced whole.
 * @typedef {Object} Answer
 * @property {number} seq Of the request; 0 for no answer.
 * @property {string} key Of what was asked: `askedOf`.
 * @property {(image: number) => string} keys The same of each image: `askedOfEach`.
 * @property {readonly Uint8Array[]} masks At token resolution; none without clicks.
 * @property {readonly number[]} presence From 0 to 1 for each image; none without clicks.
 * @property {readonly Uint8Array[]} heat Of tokens, from 0 to 255; none where it was not asked for.
 * @property {readonly (Mask & {side: number} | undefined)[]} edged Of tiles that were seen, the masks
 *   along the edges in the photo, drawn for `side` pixels.
 */

/**
 * What this browser found of a prompt before the server's answer.
 * @typedef {Object} Live
 * @property {number} seq As of the request to the server; 0 for none.
 * @property {ReadonlyMap<number, LiveTile>} tiles By image, of those in sight.
 */

/**
 * What keeps the page from showing the newest masks.
 * @typedef {Object} Trouble
 * @property {number} masks Requests for masks that were lost in a row.
 * @property {number} edges The same for edges.
 * @property {Gone | null} gone Whether the server has the set no more.
 * @property {string} refused Why it refused the last request; "" where it did not.
 * @property {string} told What the page itself could not do, until the next change; "" for nothing.
 * @property {boolean} cutOff Whether a reload ended what was under way.
 */

/**
 * What is lost with a server's set, and what is kept.
 * @typedef {Object} Gone
 * @property {boolean} restarted Whether the server was.
 * @property {readonly {name: string}[]} images
 * @property {number} count Of clicks.
 */

/**
 * @typedef {Object} State
 * @property {Manifest | null} manifest Of the set that is open.
 * @property {boolean} awaiting Whether an example is to come, where no set is open.
 * @property {History<Prompt>} history Of what can be undone.
 * @property {Prompt | null} dragFrom Where a slider's drag began, until it ends.
 * @property {Look} look
 * @property {readonly number[] | null} arranged The images as the tiles stand; null for all in
 *   the order they came in, until it is asked for otherwise.
 * @property {ReadonlySet<number>} seen The tiles on the screen or near it.
 * @property {number} rowHeight Of the tiles, as wished for, in CSS pixels.
 * @property {number} side The most pixels of a tile, in height and width.
 * @property {number | null} focus The image that is seen large; null for none.
 * @property {number} focusSide The most pixels of it, in height and width.
 * @property {number} asked Number of the newest request.
 * @property {Answer} answer About the chosen thing.
 * @property {ReadonlyMap<number, Answer>} answers About the others, by their ids.
 * @property {Live} live Of the chosen thing.
 * @property {number | null} tapped The image that a finger clicked last; null for none.
 * @property {PressOn | null} hover Where a click would be made: under the pointer or the cross.
 * @property {ReadonlyMap<number, LiveTile> | null} preview By image, what it would give.
 * @property {boolean} late Whether the newest answer has been awaited for a while.
 * @property {boolean} exporting Whether a download waits until the newest prompt was answered.
 * @property {Recent | null} recalled The set that was asked for again, until it comes.
 * @property {Trouble} trouble
 */

/** @typedef {Store<State>} PageStore */

/** @type {Answer} */
export const NO_ANSWER = Object.freeze({
  seq: 0,
  key: "",
  keys: () => "",
  masks: [],
  presence: [],
  heat: [],
  edged: [],
});

/** @type {Live} */
export const NOT_LIVE = Object.freeze({ seq: 0, tiles: new Map() });

/**
 * @param {Look} look
 * @returns {State}
 */
export const initialState = (look) => ({
  manifest: null,
  awaiting: false,
  history: undoable.start(begun(SETTINGS)),
  dragFrom: null,
  look,
  arranged: null,
  seen: new Set(),
  rowHeight: 0,
  side: 0,
  focus: null,
  focusSide: 0,
  asked: 0,
  answer: NO_ANSWER,
  answers: new Map(),
  live: NOT_LIVE,
  tapped: null,
  hover: null,
  preview: null,
  late: false,
  exporting: false,
  recalled: null,
  trouble: { masks: 0, edges: 0, gone: null, refused: "", told: "", cutOff: false },
});

/**
 * What changes with the history: where another thing is chosen, what was answered about that.
 * @param {State} state
 * @param {History<Prompt>} history
 * @returns {Partial<State>}
 */
export function turned(state, history) {
  const [before, now] = [state.history.present.id, history.present.id];
  if (before === now) return { history };
  const answers = new Map(state.answers).set(before, state.answer);
  const answer = answers.get(now) ?? NO_ANSWER;
  return { history, answers, answer, live: NOT_LIVE, preview: null, tapped: null };
}

/**
 * Whether the masks are those of the newest prompt.
 * @param {State} state
 */
export const isAnswered = ({ asked, answer }) => asked === answer.seq;

/**
 * Whether the edges of an image have come, as fine as they are shown.
 * @param {State} state
 * @param {number} image
 * @param {Answer} [answer] About the chosen thing where none is given.
 */
export const isFine = (state, image, answer = state.answer) =>
  (answer.edged[image]?.side ?? 0) >= Math.max(sideOf(state, image), 1);

/**
 * The most pixels that an image is shown with.
 * @param {State} state
 * @param {number} image
 */
export const sideOf = ({ side, focus, focusSide }, image) =>
  image === focus ? Math.max(side, focusSide) : side;

/**
 * Of an answer the masks along edges that hold for another one too: of images about which the same was
 * asked, such as locked ones. The others would lie about the new masks.
 * @param {Pick<Answer, "keys" | "edged">} before
 * @param {Answer["keys"]} keys
 */
export function stillRight({ keys: asked, edged }, keys) {
  /** @type {Answer["edged"]} */
  const found = edged.map((mask, image) => (asked(image) === keys(image) ? mask : undefined));
  return found;
}

/**
 * What changes with a trouble.
 * @param {State} state
 * @param {Partial<Trouble>} changes
 * @returns {Partial<State>}
 */
export const troubled = ({ trouble }, changes) => ({ trouble: { ...trouble, ...changes } });

/**
 * One lost request may be an accident.
 * @param {State} state
 */
export const isAway = ({ trouble }) => Math.max(trouble.masks, trouble.edges) > 1;
