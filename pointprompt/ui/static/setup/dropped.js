// Files out of what was dropped, also those in folders. Knows what a browser hands over.

/**
 * The files, in the order of their names within a folder. To be called while the event is handled.
 * @param {DataTransfer} transfer
 * @param {(file: File) => boolean} isWanted Asked of what lies in a folder; what is dropped by
 *   itself is wanted.
 * @returns {Promise<File[]>}
 */
export async function filesOf(transfer, isWanted) {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const found = items.map((item) => {
    const entry = item.webkitGetAsEntry?.();
    return entry?.isDirectory ? inFolder(entry) : [item.getAsFile()];
  });
  const files = await Promise.all(
    found.map(async (some) => (Array.isArray(some) ? some : (await some).filter(isWanted))),
  );
  return files.flat().filter((file) => file !== null);
}

/**
 * @param {FileSystemEntry} folder
 * @returns {Promise<File[]>}
 */
async function inFolder(folder) {
  const reader = /** @type {FileSystemDirectoryEntry} */ (folder).createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  // It hands over a hundred at a time.
  for (;;) {
    const some = await new Promise(
      /** @param {(entries: FileSystemEntry[]) => void} done */
      (done) => reader.readEntries(done, () => done([])),
    );
    if (!some.length) break;
    entries.push(...some);
  }
  const shown = entries.filter(({ name }) => !name.startsWith("."));
  shown.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  const files = await Promise.all(
    shown.map((entry) => (entry.isDirectory ? inFolder(entry) : oneFile(entry))),
  );
  return files.flat();
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<File[]>} None where it cannot be read.
 */
const oneFile = (entry) =>
  new Promise((done) => {
    /** @type {FileSystemFileEntry} */ (entry).file(
      (file) => done([file]),
      () => done([]),
    );
  });
