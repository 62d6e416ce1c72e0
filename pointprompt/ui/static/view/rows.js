// Tiles in rows that are all full and nearly of one height, whatever the shapes of the photos. Knows
// the elements of tiles, not what they show.

/**
 * The widths of tiles, in order, so that rows are as near to the wished height as can be: of all
 * ways to break the rows, the one with the least squared logarithms of the ratios of heights, where a
 * row that is too high counts twice: it hides more of the set. The last row need not be full.
 * @param {readonly number[]} aspects Width by height of each.
 * @param {{width: number, gap: number, height: number}} room height: the wished one, of a row.
 * @returns {number[]}
 */
export function rowWidths(aspects, { width, gap, height }) {
  const n = aspects.length;
  // For the tiles up to each: the cost of their rows, and where the last of them begins.
  const costs = [0];
  const begins = [0];
  for (let end = 1; end <= n; end += 1) {
    costs[end] = Infinity;
    let sum = 0;
    for (let begin = end - 1; begin >= 0; begin -= 1) {
      sum += aspects[begin];
      const ratio = fullHeight(sum, end - begin, width, gap) / height;
      const isShort = end === n && ratio > 1;
      const weight = ratio > 1 ? 2 : 1;
      const cost = costs[begin] + (isShort ? 0 : weight * Math.log(ratio) ** 2);
      if (cost < costs[end]) [costs[end], begins[end]] = [cost, begin];
      // A row of more would be far too low; one of a single tile there must be.
      if (ratio < 0.25) break;
    }
  }
  /** @type {number[]} */
  const widths = [];
  /** @type {number | undefined} */
  let last;
  for (const [begin, end] of rowsOf(begins)) {
    const row = aspects.slice(begin, end);
    const full = fullHeight(sumOf(row), row.length, width, gap);
    // Of what would be too high for a row that is not full, the height of the row before.
    const itsHeight = end === n ? Math.min(full, last ?? height) : full;
    last = itsHeight;
    // A hundredth less: rounding must not break the row before its end.
    widths.push(...row.map((aspect) => Math.floor(aspect * itsHeight * 100 - 1) / 100));
  }
  return widths;
}

/** @param {readonly number[]} values */
const sumOf = (values) => values.reduce((sum, value) => sum + value, 0);

/**
 * The height at which so many tiles fill a row.
 * @param {number} aspects Their sum.
 * @param {number} count
 * @param {number} width
 * @param {number} gap
 */
const fullHeight = (aspects, count, width, gap) =>
  Math.max(width - gap * (count - 1), 1) / aspects;

/**
 * Where each row begins and ends.
 * @param {readonly number[]} begins
 */
function rowsOf(begins) {
  /** @type {[number, number][]} */
  const rows = [];
  for (let end = begins.length - 1; end > 0; end = begins[end]) rows.unshift([begins[end], end]);
  return rows;
}

// The narrowest tiles, in CSS pixels, whose caption has room for a name beside the figures, and for
// both figures.
const ROOM_FOR = { name: 140, figures: 76 };

// Of a row whose height nobody chose: what lies below its photos, and how high it may be.
const CAPTION = 32;
const LEAST = { wide: 190, narrow: 120 };
const NARROW = 560;

/**
 * The height of rows with which all tiles are seen at once, within bounds.
 * @param {readonly number[]} aspects Width by height of each.
 * @param {{width: number, height: number}} room
 */
export function rowHeight(aspects, { width, height }) {
  const least = width < NARROW ? LEAST.narrow : LEAST.wide;
  // So high that rows * (height + caption) fill the room, less what breaking them leaves empty.
  const rowsByHeight = sumOf(aspects) / width;
  const full = (Math.sqrt(CAPTION ** 2 + (4 * height) / Math.max(rowsByHeight, 1e-6)) - CAPTION) / 2;
  return 10 * Math.round(Math.min(Math.max(0.9 * full, least), Math.max(height / 2, least)) / 10);
}

/**
 * Gives each tile that stands its width. Returns the height of rows that was wished for.
 * @param {HTMLElement} grid
 * @param {number | null} wished Height of a row; null for one with which all are seen.
 */
export function layRows(grid, wished) {
  const tiles = /** @type {HTMLElement[]} */ ([...grid.querySelectorAll(".pp-tile:not([hidden])")]);
  const width = grid.clientWidth;
  const gap = parseFloat(getComputedStyle(grid).columnGap) || 0;
  const aspects = tiles.map((tile) => Number(tile.style.getPropertyValue("--pp-aspect")));
  const height = wished ?? rowHeight(aspects, { width, height: 0.75 * window.innerHeight });
  rowWidths(aspects, { width, gap, height }).forEach((tileWidth, index) => {
    tiles[index].style.width = `${tileWidth}px`;
    tiles[index].dataset.room = roomOf(tileWidth);
  });
  return height;
}

/**
 * The same in one row, however long.
 * @param {HTMLElement} grid
 * @param {number} height
 */
export function layStrip(grid, height) {
  const tiles = /** @type {NodeListOf<HTMLElement>} */ (grid.querySelectorAll(".pp-tile"));
  for (const tile of tiles) {
    const width = height * Number(tile.style.getPropertyValue("--pp-aspect"));
    tile.style.width = `${width}px`;
    tile.dataset.room = roomOf(width);
  }
}

/** @param {number} width */
function roomOf(width) {
  if (width >= ROOM_FOR.name) return "name";
  return width >= ROOM_FOR.figures ? "figures" : "share";
}
