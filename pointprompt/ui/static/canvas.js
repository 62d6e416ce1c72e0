// Runs in gradio's `js_on_load`, which cannot import: it fetches the real modules and hands over.
// Custom events, which gradio finds here by their quoted names: "export", "restore".
const fileUrl = (path) =>
  `${(window.gradio_config?.root ?? "").replace(/\/$/, "")}/gradio_api/file=${path.split("/").map(encodeURIComponent).join("/")}`;
const folder = element.querySelector(".pp-workspace").dataset.modules;
import(fileUrl(`${folder}/workspace.js`)).then(({ mount }) =>
  mount({ element, props, server, trigger, watch, fileUrl }),
);
