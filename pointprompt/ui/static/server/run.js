// Which run of the server this page came from, where it is, and whether it is still there.

/** @returns {{root?: string, app_id?: unknown} | undefined} */
const config = () => /** @type {any} */ (window).gradio_config;

/**
 * The whole of an address that the server gave: on this page's own origin, whatever a proxy tells
 * the server of its own.
 * @param {string} path
 */
export const addressOf = (path) =>
  new URL(config()?.root || ".", document.baseURI).pathname.replace(/\/$/, "") + path;

/** The name of the run, "" where there is none. */
export const serverId = () => String(config()?.app_id ?? "");

/** Whether another run of the server answers now; false where none does. */
export async function isRestarted() {
  try {
    const response = await fetch(addressOf("/gradio_api/app_id"));
    const answer = await response.json();
    return String(answer.app_id) !== serverId();
  } catch {
    return false;
  }
}
