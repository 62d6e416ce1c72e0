// Runs in gradio's `js_on_load`, which cannot import: it fetches the real modules and hands over.
// Custom events, which gradio finds here by their quoted names: "export", "opening", "push", "recall",
// "recipe", "remove", "restore".

// Below the address of the page: on this page's own origin, whatever a proxy tells the server of its
// scheme and port.
const root = new URL(window.gradio_config?.root || ".", document.baseURI).pathname;
const folder = element.querySelector(".pp-workspace").dataset.modules;
import(`${root.replace(/\/$/, "")}${folder}/workspace.js`).then(({ mount }) =>
  mount({ element, props, server, trigger, watch }),
);
