"""Build the page and serve it: what `app.py` and the command `pointprompt` call."""

from __future__ import annotations

import argparse
import atexit
import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from pointprompt.images import Limits
from pointprompt.readers import Readers
from pointprompt.sessions import GIB, Lifetimes, SessionStore
from pointprompt.ui import blocks, memory, zerogpu
from pointprompt.ui.canvas import STATIC
from pointprompt.ui.service import Engine, Service, ThisProcess

SWEEP_SECONDS = 30
# Uploads that no session took over are deleted after a day.
_CACHE_SECONDS = (3600, 24 * 3600)
# Events that wait to be begun; more are turned away.
_QUEUE_LENGTH = 200


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the page until interrupted, as the command line and the environment say."""
    options = _parser().parse_args(arguments)
    # Before torch is imported: threads that wait for each other spinning take the cores from the
    # page, and from each other where the cores are shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    memory.share_pools()
    if options.device:
        os.environ["POINTPROMPT_DEVICE"] = options.device
    root = Path(tempfile.mkdtemp(prefix="pointprompt-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    store = SessionStore(root, Lifetimes(max_bytes=round(options.max_session_gib * GIB)))
    store.sweep_every(SWEEP_SECONDS)
    limits = Limits(max_images=options.max_images, max_megapixels=options.max_megapixels)
    service = Service(store, limits, _engine(), Readers())
    demo = launch(service, root, host=options.host, port=options.port)
    # Not before the page is up, which it would slow.
    if not zerogpu.is_here():
        threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()
    demo.block_thread()


def launch(
    service: Service,
    root: Path,
    *,
    host: str | None = None,
    port: int | None = None,
    quiet: bool = False,
) -> gr.Blocks:
    """The page, served in threads of its own until it is closed.

    Args:
        service: What does the work.
        root: The folder below which the service keeps what the page shows.
        host: Address to listen on; None takes GRADIO_SERVER_NAME, or this machine only.
        port: None takes GRADIO_SERVER_PORT, or the first free one from 7860 on.
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
        footer_links=[],
        prevent_thread_lock=True,
        quiet=quiet,
        # A page of its own process and its list of past runs would slow every click.
        ssr_mode=False,
        run_history=False,
    )
    return demo


def _parser() -> argparse.ArgumentParser:
    def default(name: str, value: str) -> str:
        return os.environ.get(f"POINTPROMPT_{name}", value)

    parser = argparse.ArgumentParser(
        prog="pointprompt",
        description=blocks.TAGLINE,
        epilog="The environment variables POINTPROMPT_MAX_IMAGES, POINTPROMPT_MAX_MEGAPIXELS, "
        "POINTPROMPT_MAX_SESSION_GIB and POINTPROMPT_DEVICE are the defaults of these options.",
    )
    parser.add_argument("--host", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, help="default: the first free one from 7860 on")
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best there is)")
    parser.add_argument(
        "--max-images",
        type=int,
        default=default("MAX_IMAGES", "100"),
        help="in one set (default: %(default)s)",
    )
    parser.add_argument(
        "--max-megapixels",
        type=float,
        default=default("MAX_MEGAPIXELS", "50"),
        help="of one image (default: %(default)s)",
    )
    parser.add_argument(
        "--max-session-gib",
        type=float,
        default=default("MAX_SESSION_GIB", "4"),
        help="memory for all analyses together (default: %(default)s)",
    )
    return parser


def _engine() -> Engine:
    return zerogpu.ZeroGpu() if zerogpu.is_here() else ThisProcess()


def _warm_up() -> None:
    """Import what the first analysis needs while its user is still choosing images."""
    import ncut_pytorch  # noqa: F401
    import timm  # noqa: F401
    from sklearn.manifold import TSNE  # noqa: F401

    from pointprompt import pipeline  # noqa: F401
