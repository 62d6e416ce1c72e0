"""Analyses on a ZeroGPU Space, where a GPU is lent for one call of one function at a time.

`spaces.GPU` runs that function in a process that is forked for it and alone sees the GPU. Here is
the function, and the way there and back: images and terms there; progress, and at last the
result or an error, back.

Knows the package `spaces`, which is imported on such a Space only. Knows nothing of sessions,
widgets or of what is computed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from importlib.util import find_spec
from queue import SimpleQueue
from typing import TYPE_CHECKING

from pointprompt import backbones
from pointprompt.analysis.analysis import Computed
from pointprompt.engines.engine import ThisProcess
from pointprompt.sources.framing import Framing
from pointprompt.types import (
    N_EIGVECS,
    BackboneRequest,
    ByteArray,
    Progress,
    ProgressFn,
    tell_nobody,
)

if TYPE_CHECKING:
    from pointprompt.analysis.terms import Terms

# What a call asks for. Assumed, not measured: 20 s to fork, start CUDA and load a backbone of
# another choice than the default; for an image, a quarter of a second for its features (SAM ViT-H
# in half precision) and 0.1 s for its share of the cut, which takes that long on two CPU cores.
_SECONDS = 20
_SECONDS_AN_IMAGE = 0.4

# What was computed, or what prevented it and has a sentence for the user.
Outcome = Computed | ValueError | MemoryError


class _Closed(Exception):
    """Nobody waits for the work any more."""


class GpuError(ValueError):
    """No GPU was lent, or it was taken back; the message says why."""


def is_here() -> bool:
    """Whether this process runs on a ZeroGPU Space."""
    asked_for = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
    return asked_for and find_spec("spaces") is not None


def seconds(frames: ByteArray, *_: object) -> int:
    """How long the GPU is asked for; what is not used is given back."""
    return round(_SECONDS + _SECONDS_AN_IMAGE * len(frames))


class ZeroGpu:
    """An `Engine` that borrows a GPU for every analysis.

    To be made in the main thread, before the page is launched. There, and until then, `spaces` has
    torch believe that CUDA is there, and what is moved to it now lies on the GPU in every call.
    Anywhere else in this process the use of CUDA is an error.
    """

    def __init__(self) -> None:
        """Register the one function that needs a GPU, and move the default backbone there."""
        import spaces

        self._borrow_gpu = spaces.GPU(_compute, duration=seconds)
        # What is imported now is there in every process that is forked from this one.
        from pointprompt.analysis import compute  # noqa: F401

        name, _ = backbones.get_default()
        backbones.load(name)

    def prepare(self, request: BackboneRequest, progress: ProgressFn | None = None) -> Framing:
        """The frames that the backbone takes; it is downloaded here, loaded there.

        Raises:
            BackboneError: There is no such backbone, or its weights cannot be had.
        """
        # Not while a GPU waits for it.
        return backbones.get(**asdict(request), progress=progress)

    def identity(self, request: BackboneRequest) -> str:
        """What else than images and terms an analysis depends on.

        Raises:
            BackboneError: The weights are not here.
        """
        # Which GPU will be lent is not known here.
        return f"zerogpu {backbones.identity(**asdict(request), device='cpu')}"

    def compute(
        self,
        frames: ByteArray,
        request: BackboneRequest,
        terms: Terms | None = None,
        *,
        n_eigvecs: int = N_EIGVECS,
        seed: int = 0,
        progress: ProgressFn | None = None,
    ) -> Computed:
        """As `analysis.compute`, on a GPU.

        Raises:
            GpuError: No GPU was lent, or it was taken back.
            ValueError: What prevented the work, with a sentence for the user.
        """
        tell = progress or tell_nobody
        tell(Progress("features", 0, len(frames)))  # To cancel before a GPU is asked for.
        outcome: Outcome | None = None
        try:
            # Closed when `tell` raises: that ends the work there.
            with closing(self._borrow_gpu(frames, request, terms, n_eigvecs, seed)) as steps:
                for step in steps:
                    if isinstance(step, Progress):
                        tell(step)
                    else:
                        outcome = step
        except Exception as error:
            # gradio's, which this room does not know.
            if not hasattr(error, "title"):
                raise
            raise GpuError(f"{error.title}: {getattr(error, 'message', error)!s}") from error
        if isinstance(outcome, Computed):
            return outcome
        raise outcome or GpuError("The GPU stopped before it was done. Please try again.")


def _compute(
    frames: ByteArray,
    request: BackboneRequest,
    terms: Terms | None,
    n_eigvecs: int,
    seed: int,
) -> Iterator[Progress | Outcome]:
    """Steps of `ThisProcess.compute`, and last its outcome: what runs where the GPU is."""
    steps: SimpleQueue[Progress | None] = SimpleQueue()
    closed = threading.Event()

    def tell(progress: Progress) -> None:
        if closed.is_set():
            raise _Closed
        steps.put(progress)

    def work() -> Computed:
        return ThisProcess().compute(
            frames, request, terms, n_eigvecs=n_eigvecs, seed=seed, progress=tell
        )

    # In a thread, for its progress is told by calls and must come out of an iterator.
    with ThreadPoolExecutor(1) as thread:
        result = thread.submit(work)
        result.add_done_callback(lambda _: steps.put(None))
        try:
            yield from iter(steps.get, None)
        finally:
            closed.set()
    try:
        yield result.result()
    except (ValueError, MemoryError) as error:
        # As a value, since of a raised error only the name of its class would arrive.
        yield error
