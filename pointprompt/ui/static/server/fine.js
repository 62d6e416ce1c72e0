// The masks along the edges of the photos, of the tiles that are seen: asks the server for those that
// are missing, and adds them to its answer.

import { standing } from "../state/arrangement.js";
import { outlineOf, promptMessage, sentSettings } from "../state/messages.js";
import { isAnswered, isFine, sideOf, troubled } from "../state/state.js";
import { decodeEdges } from "./codec.js";
import { createEdges } from "./edges.js";
import { receiveFailure } from "./failure.js";

/**
 * @import { EdgesAnswer, EdgesRequest, Failure } from "../contract.js"
 * @import { PageStore, State } from "../state/state.js"
 */

/** @typedef {(request: EdgesRequest) => Promise<EdgesAnswer | Failure | null | undefined>} AskEdges */

// What SAM draws takes longer: each is shown as soon as it is there.
const AT_ONCE = { photo: 4, sam: 1 };

/**
 * The images that want edges now, as they stand.
 * @param {State} state
 */
function missing(state) {
  if (!state.answer.masks.length || !isAnswered(state)) return [];
  const { focus, seen } = state;
  /** @param {number} image */
  const isRough = (image) => outlineOf(state, image) !== "tokens" && !isFine(state, image);
  // That of the one that is seen large, alone: it has a size of its own.
  if (focus !== null && isRough(focus)) return [focus];
  return standing(state).filter((image) => seen.has(image) && isRough(image));
}

/**
 * @param {PageStore} store
 * @param {AskEdges} askEdges
 */
export function createFine(store, askEdges) {
  const { get, set } = store;

  const edges = createEdges({
    atOnce: () => (sentSettings(get()).outline === "sam" ? AT_ONCE.sam : AT_ONCE.photo),
    missing: () => missing(get()),
    ask,
    show,
    lost: (attempts) => set(troubled(get(), { edges: attempts })),
  });

  /** @param {number[]} images */
  async function ask(images) {
    const { answer } = get();
    const { seq } = answer;
    const side = sideOf(get(), images[0]);
    const received = await askEdges({ ...promptMessage(get()), seq, images, side });
    if (received?.seq !== seq) throw new Error("The server did not answer.");
    return { received, side, images };
  }

  /** @param {{received: EdgesAnswer | Failure, side: number, images: number[]}} answer */
  async function show({ received, side, images }) {
    // The masks, or the tiles, may have changed since they were asked for.
    const isStale = () => received.seq !== get().answer.seq || side < sideOf(get(), images[0]);
    if (isStale()) return;
    if ("error" in received) {
      await receiveFailure(store, received);
      return;
    }
    const decoded = await decodeEdges(received.masks, side);
    if (isStale()) return;
    const { answer } = get();
    set({ answer: { ...answer, edged: Object.assign([...answer.edged], decoded) } });
  }

  const unsubscribe = store.subscribe(
    ({ answer, seen, side, focus, focusSide }) =>
      [answer.seq, answer.masks, seen, side, focus, focusSide],
    () => edges.update(),
  );

  return {
    hurry: edges.hurry,
    destroy() {
      unsubscribe();
      edges.destroy();
    },
  };
}
