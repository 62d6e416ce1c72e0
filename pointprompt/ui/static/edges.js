// Masks whose edges follow the photo, asked for only where they are seen, a few tiles at a time.

const AT_ONCE = 4;

// missing() -> indices of the tiles that want edges now; ask(images) -> Promise of an answer;
// show(answer) puts it on the screen, so that those images are missing no more.
export function createEdges({ missing, ask, show }) {
  let asking = false;

  async function fetchMissing() {
    let last = "";
    for (let images = next(); images.length > 0; images = next()) {
      // The same again would be asked for ever: the server has nothing for these.
      if (String(images) === last) return;
      last = String(images);
      await show(await ask(images));
    }
  }

  const next = () => missing().slice(0, AT_ONCE);

  return {
    async update() {
      if (asking) return;
      asking = true;
      try {
        await fetchMissing();
      } catch {
        // The coarse masks stay, and the next change tries again.
      } finally {
        asking = false;
      }
    },
  };
}
