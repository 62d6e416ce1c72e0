"""The command: the page served, as the options say, and nothing of it left behind.

Knows the environment and the process. What can be asked for is `options`'s. What is served is
`launch`'s, which is imported when all of that is settled: gradio reads the environment when it is
imported.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pointprompt import backbones
from pointprompt.server import memory
from pointprompt.types import BackboneRequest
from pointprompt.ui import stop
from pointprompt.ui.folders import ServerFolder, remove_dead
from pointprompt.ui.options import Options, checked, option_parser

if TYPE_CHECKING:
    from gradio import Blocks

    from pointprompt.server.service import Service

SWEEP_SECONDS = 30


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the page until interrupted, as the command line and the environment say.

    Raises:
        SystemExit: With 2, after a sentence on standard error, where that cannot be done.
    """
    stop.install()
    # Before torch is imported: threads that wait for each other spinning take the cores from the
    # page, and from each other where the cores are shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    memory.share_pools()
    parser = option_parser()
    try:
        options = checked(parser.parse_args(arguments))
        folder = _folder()
    except ValueError as error:
        parser.error(str(error))
    try:
        demo = _launched(options, folder)
    except OSError as error:
        # Taken since it was looked at, or none is free of those that gradio tries.
        where = options.port or "a port from 7860 on"
        parser.error(f"Cannot listen on {where} of {options.host}: {error}")
    demo.block_thread()


def _launched(options: Options, folder: ServerFolder) -> Blocks:
    """The page, served.

    Raises:
        OSError: The port cannot be had.
    """
    from pointprompt.analysis.store import GB, Store
    from pointprompt.engines import zerogpu
    from pointprompt.engines.engine import ThisProcess
    from pointprompt.server.readers import Readers
    from pointprompt.server.service import Service
    from pointprompt.server.sessions import GIB, Lifetimes, SessionStore
    from pointprompt.sources.examples import opening_example
    from pointprompt.sources.photos import Limits
    from pointprompt.ui.launch import launch

    lifetimes = Lifetimes(max_bytes=round(options.max_session_gib * GIB))
    store = SessionStore(folder.sessions, lifetimes)
    store.sweep_every(SWEEP_SECONDS)
    limits = Limits(max_images=options.max_images, max_megapixels=options.max_megapixels)
    engine = zerogpu.ZeroGpu() if zerogpu.is_here() else ThisProcess()
    readers = Readers()
    stop.on_stop(readers.close)
    stored = Store(options.store, round(options.store_gb * GB)) if options.store else None
    service = Service(store, limits, engine, readers, opening_example(), stored=stored)
    demo = launch(
        service,
        host=options.host,
        port=options.port,
        max_file_mb=options.max_file_mb,
        max_upload_mb=options.max_upload_mb,
        mcp=options.mcp,
    )
    # Not before the page is up, which it would slow.
    threading.Thread(target=_warm_up, args=(service,), name="warm-up", daemon=True).start()
    return demo


def _folder() -> ServerFolder:
    """This server's folder, where from now on everything of its visitors lies.

    What servers that are no more have left beside it is removed.

    Raises:
        ValueError: There is no place for it.
    """
    try:
        parent = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()).resolve()
        remove_dead(parent)
        folder = ServerFolder(parent)
    except OSError as error:
        raise ValueError(
            f"No folder for uploads can be made: {error}. TMPDIR can name another place."
        ) from error
    stop.on_stop(folder.remove)
    os.environ["GRADIO_TEMP_DIR"] = str(folder.uploads)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder.temporary)
    if folder.path.is_relative_to(Path.cwd()):
        _work_in(folder.empty)
    return folder


def _work_in(folder: Path) -> None:
    """Leave a working directory that holds the uploads, in which gradio refuses dotfiles."""
    for variable in _file_variables():
        if os.environ.get(variable):
            os.environ[variable] = str(Path(os.environ[variable]).expanduser().absolute())
    sys.path[:] = [str(Path(place).absolute()) for place in sys.path]
    os.chdir(folder)


def _file_variables() -> list[str]:
    """The environment variables that may name a file of this computer by where it is from here."""
    weights = [info.environment_variable for info in backbones.REGISTRY.values()]
    return [*weights, "HF_HOME", "HF_HUB_CACHE", "HF_TOKEN_PATH"]


def _warm_up(service: Service) -> None:
    """Analyse the example that pages open with, which imports what the first analysis needs."""
    from pointprompt.engines.engine import ThisProcess

    # On the CPU, whatever there is: a GPU is for what a person waits for, and may be on loan.
    service.prepare_opening(BackboneRequest(backbones.BUILTIN), ThisProcess(device="cpu"))
