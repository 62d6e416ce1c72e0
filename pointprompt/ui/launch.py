"""Build the page and serve it.

Knows gradio. Does not know options, the environment, or how the process ends: that is `command`.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from pointprompt.ui import blocks
from pointprompt.ui.canvas import STATIC
from pointprompt.ui.service import Service

# Uploads that no session took over are deleted after a day.
_CACHE_SECONDS = (3600, 24 * 3600)
# Events that wait to be begun; more are turned away.
_QUEUE_LENGTH = 200


def launch(
    service: Service,
    root: Path,
    *,
    host: str | None = None,
    port: int | None = None,
    max_file_mb: float = 200,
    max_upload_mb: float = 2000,
    quiet: bool = False,
) -> gr.Blocks:
    """The page, served in threads of its own until it is closed.

    Args:
        service: What does the work.
        root: The folder below which the service keeps what the page shows.
        host: Address to listen on; None takes GRADIO_SERVER_NAME, or this machine only.
        port: None takes GRADIO_SERVER_PORT, or the first free one from 7860 on.
        max_file_mb: Megabytes (1e6 bytes) that one uploaded file may have.
        max_upload_mb: Megabytes that the files of one upload may have together.
        quiet: Do not print where it is.
    """
    demo = blocks.build(service)
    demo.delete_cache = _CACHE_SECONDS
    gr.set_static_paths([STATIC])
    # With a length of its own: on a ZeroGPU Space the queue would hold one event.
    demo.queue(max_size=_QUEUE_LENGTH).launch(
        server_name=host,
        server_port=port,
        theme=blocks.theme(),
        css_paths=[blocks.css_file()],
        allowed_paths=[str(root)],
        max_file_size=round(max_file_mb * 1e6),
        footer_links=[],
        prevent_thread_lock=True,
        quiet=quiet,
        # A page of its own process and its list of past runs would slow every click.
        ssr_mode=False,
        run_history=False,
    )
    return demo
