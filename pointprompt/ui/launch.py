"""Build the page and serve it.

Knows gradio. Does not know options, or how the process ends: that is `command`.
"""

from __future__ import annotations

import os

import gradio as gr
from starlette.middleware import Middleware

from pointprompt.server.service import Service
from pointprompt.ui import api, files, page, snippets
from pointprompt.ui.allowed import Listeners
from pointprompt.ui.bodies import MEGABYTE, BodyLimits
from pointprompt.ui.canvas import STATIC
from pointprompt.ui.guard import Guard

# System fonts only: the page works without any network.
_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
# Uploads that no session took over are deleted after a day.
_CACHE_SECONDS = (3600, 24 * 3600)
# Events that wait to be begun; more are turned away.
_QUEUE_LENGTH = 200
# gradio 6.31 opens what it says of the endpoints when its button is pressed, but not by the address
# that it has then: there the first press would close what is not open.
_OPEN_API_PAGE = """() => {
  if (new URLSearchParams(location.search).get("view") !== "api") return;
  const press = () => document.querySelector("footer .show-api")?.click();
  press();
  press();
}"""
# Pages whose widgets gradio remembers, 0.1 MB each; those that it forgets are as at first.
_PAGES = 500


def launch(
    service: Service,
    *,
    host: str | None = None,
    port: int | None = None,
    max_file_mb: float = 200,
    max_upload_mb: float = 2000,
    quiet: bool = False,
    mcp: bool = False,
) -> gr.Blocks:
    """The page, served in threads of its own until it is closed.

    Args:
        service: What does the work.
        host: Address to listen on; None takes GRADIO_SERVER_NAME, or this machine only.
        port: None takes GRADIO_SERVER_PORT, or the first free one from 7860 on.
        max_file_mb: Megabytes (1e6 bytes) that one uploaded file may have.
        max_upload_mb: Megabytes that the files of one upload may have together.
        quiet: Do not print where it is.
        mcp: Offer the endpoints of programs to assistants too, by the Model Context Protocol.
    """
    demo, programs = page.build(service)
    snippets.install()
    demo.delete_cache = _CACHE_SECONDS
    limits = BodyLimits(file=round(max_file_mb * MEGABYTE), upload=round(max_upload_mb * MEGABYTE))
    guard = Middleware(
        Guard,
        listeners=_listeners(demo, mcp),
        limits=limits,
        on_space=bool(os.environ.get("SPACE_ID")),
    )
    # With a length of its own: on a ZeroGPU Space the queue would hold one event.
    demo.queue(max_size=_QUEUE_LENGTH).launch(
        server_name=host,
        server_port=port,
        theme=theme(),
        css_paths=[STATIC / "page.css"],
        app_kwargs={"middleware": [guard], "routes": files.routes(service, programs.files)},
        max_file_size=limits.file,
        state_session_capacity=_PAGES,
        js=_OPEN_API_PAGE,
        footer_links=["api"],
        prevent_thread_lock=True,
        quiet=quiet,
        # A page of its own process and its list of past runs would slow every click. Servers and
        # pages beside this one would be ways around its guard.
        ssr_mode=False,
        num_workers=0,
        mcp_server=mcp,
        run_history=False,
        enable_monitoring=False,
        pwa=False,
    )
    return demo


def _listeners(demo: gr.Blocks, mcp: bool) -> Listeners:
    """What messages can be for."""
    functions = {
        component: [name for name, fn in vars(block).items() if hasattr(fn, "_is_server_fn")]
        for component, block in demo.blocks.items()
    }
    unloads = {n for n, fn in demo.fns.items() if any(event == "unload" for _, event in fn.targets)}
    endpoints = {
        fn.api_name: n
        for n, fn in demo.fns.items()
        if fn.api_visibility == "public" and fn.api_name in api.NAMES
    }
    events = frozenset(demo.fns) - unloads - set(endpoints.values())
    return Listeners(functions, events, endpoints, mcp)


def theme() -> gr.themes.Base:
    """The page's look, light and dark; `static/page.css` adds to it."""
    return gr.themes.Base(
        primary_hue="teal",
        neutral_hue="slate",
        radius_size="md",
        font=_SANS,
        font_mono=_MONO,
    ).set(
        # What is written small, and on the buttons, has a contrast of at least 4.5 to 1.
        body_text_color_subdued="*neutral_500",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_800",
    )
