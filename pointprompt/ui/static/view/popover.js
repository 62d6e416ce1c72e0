// Where what opens at a button lies: below it, and on the screen.

const GAP = 6;
const EDGE = 8;

/**
 * @param {HTMLElement} menu
 * @param {HTMLElement} button
 */
export function openBelow(menu, button) {
  menu.showPopover();
  placeBelow(menu, button);
}

/**
 * What is open, on the screen whatever its size has become.
 * @param {HTMLElement} menu
 * @param {HTMLElement} button
 */
export function placeBelow(menu, button) {
  const { left, bottom } = button.getBoundingClientRect();
  // Without the room that is kept for a scroll bar.
  const [{ right }, end] = [document.body.getBoundingClientRect(), window.innerHeight];
  menu.style.left = `${Math.max(EDGE, Math.min(left, right - menu.offsetWidth - EDGE))}px`;
  menu.style.top = `${Math.max(EDGE, Math.min(bottom + GAP, end - menu.offsetHeight - EDGE))}px`;
}
