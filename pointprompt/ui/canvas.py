"""The tile grid: one gr.HTML component, its look and behaviour in `static/`.

Knows gradio's component contract. What the messages mean is `wire`'s, what they do is `page`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from pointprompt.ui import visitors
from pointprompt.ui.static_files import MODULES

STATIC = Path(__file__).parent / "static"

# Of a message and the visitor who sent it.
Answer = Callable[[Any, str], dict[str, Any]]


def canvas(
    answer: Answer, answer_edges: Answer, answer_open: Answer, *, opening: bool = False
) -> gr.HTML:
    """Every image of a set as a tile with a canvas over it; at first none.

    Its value is a `wire.Manifest`, or None for no images. It fires `export` with a
    `wire.ExportRequest`, `push` with a `wire.PushRequest`, `restore` with the `wire.RestoreRequest`
    of a tab that was reloaded, `recall` with a `wire.RecallRequest`, `remove` with a
    `wire.RemoveRequest`, and `recipe` with a `wire.RecipeRequest`.
    A page that comes without a set fires `opening` where there is an example to open with; an
    update of its prop of that name to False says that it does not come after all. An update of its
    prop `download` to a `wire.Download` has the browser save that file.

    Args:
        answer: Given the page's messages and their visitor; what it returns goes back.
        answer_edges: The same for messages that ask for edges.
        answer_open: The same for messages with a prompt file.
        opening: Whether there is an example that pages open with.
    """

    # gradio marks the functions and calls them by their names, so methods will not do.
    def predict(message: Any, request: gr.Request) -> dict[str, Any]:
        return answer(message, visitors.of(request))

    def edges(message: Any, request: gr.Request) -> dict[str, Any]:
        return answer_edges(message, visitors.of(request))

    def open_prompt(message: Any, request: gr.Request) -> dict[str, Any]:
        return answer_open(message, visitors.of(request))

    return gr.HTML(
        value=None,
        html_template=_read("canvas.html").replace("MODULES_FOLDER", MODULES),
        js_on_load=_read("canvas.js"),
        apply_default_css=False,
        server_functions=[predict, edges, open_prompt],
        elem_id="pp-canvas",
        download=None,
        opening=opening,
    )


def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
