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
from starlette.middleware import Middleware

from pointprompt.images import Limits
from pointprompt.readers import Readers
from pointprompt.sessions import GIB, Lifetimes, SessionStore
from pointprompt.ui import blocks, files, memory, zerogpu
from pointprompt.ui.guard import MEGABYTE, BodyLimits, Guard, Listeners
from pointprompt.ui.service import Engine, Service, ThisProcess

SWEEP_SECONDS = 30
# Uploads that no session took over are deleted after a day.
_CACHE_SECONDS = (3600, 24 * 3600)
# Events that wait to be begun; more are turned away.
_QUEUE_LENGTH = 200
# Pages whose widgets gradio remembers, 0.1 MB each; those that it forgets are as at first.
_PAGES = 500


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
    demo = launch(service, host=options.host, port=options.port)
    # Not before the page is up, which it would slow.
    if not zerogpu.is_here():
        threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()
    demo.block_thread()


def launch(
    service: Service,
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
        host: Address to listen on; None takes GRADIO_SERVER_NAME, or this machine only.
        port: None takes GRADIO_SERVER_PORT, or the first free one from 7860 on.
        max_file_mb: Megabytes (1e6 bytes) that one uploaded file may have.
        max_upload_mb: Megabytes that the files of one upload may have together.
        quiet: Do not print where it is.
    """
    demo = blocks.build(service)
    demo.delete_cache = _CACHE_SECONDS
    limits = BodyLimits(file=round(max_file_mb * MEGABYTE), upload=round(max_upload_mb * MEGABYTE))
    guard = Middleware(
        Guard,
        listeners=_listeners(demo),
        limits=limits,
        on_space=bool(os.environ.get("SPACE_ID")),
    )
    # With a length of its own: on a ZeroGPU Space the queue would hold one event.
    demo.queue(max_size=_QUEUE_LENGTH).launch(
        server_name=host,
        server_port=port,
        theme=blocks.theme(),
        css_paths=[blocks.css_file()],
        app_kwargs={"middleware": [guard], "routes": files.routes(service)},
        max_file_size=limits.file,
        state_session_capacity=_PAGES,
        footer_links=[],
        prevent_thread_lock=True,
        quiet=quiet,
        # A page of its own process and its list of past runs would slow every click. Servers and
        # pages beside this one would be ways around its guard.
        ssr_mode=False,
        num_workers=0,
        mcp_server=False,
        run_history=False,
        enable_monitoring=False,
        pwa=False,
    )
    return demo


def _listeners(demo: gr.Blocks) -> Listeners:
    """What the page's messages can be for."""
    functions = {
        component: [name for name, fn in vars(block).items() if hasattr(fn, "_is_server_fn")]
        for component, block in demo.blocks.items()
    }
    unloads = {n for n, fn in demo.fns.items() if any(event == "unload" for _, event in fn.targets)}
    return Listeners(functions, frozenset(demo.fns) - unloads)


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
