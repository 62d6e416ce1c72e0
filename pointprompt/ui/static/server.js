// Which run of the server this page came from, and whether that one is still there.

// On this page's own origin, whatever a proxy tells the server of its address.
const address = (path) =>
  new URL(window.gradio_config?.root || ".", document.baseURI).pathname.replace(/\/$/, "") + path;

// The name of the run, "" where there is none.
export const serverId = () => String(window.gradio_config?.app_id ?? "");

// Whether another run of the server answers now; false where none does.
export async function isRestarted() {
  try {
    const response = await fetch(address("/gradio_api/app_id"));
    const answer = await response.json();
    return String(answer.app_id) !== serverId();
  } catch {
    return false;
  }
}
