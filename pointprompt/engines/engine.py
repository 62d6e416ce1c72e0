"""Where the heavy part of an analysis runs: what all such places can do, and this process.

Knows backbones and the first part of an analysis. Does not know images, sessions, or who waits.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol

from pointprompt import backbones
from pointprompt.analysis.analysis import Computed
from pointprompt.sources.framing import Framing
from pointprompt.types import N_EIGVECS, BackboneRequest, ByteArray, ProgressFn

if TYPE_CHECKING:
    from pointprompt.analysis.terms import Terms


class Engine(Protocol):
    """Where that part of an analysis is computed which a GPU is for."""

    def prepare(self, request: BackboneRequest, progress: ProgressFn | None = None) -> Framing:
        """The frames that the backbone takes; its weights are here afterwards.

        Several may be prepared at a time, and while others are computed with.

        Raises:
            BackboneError: It cannot be had.
        """

    def identity(self, request: BackboneRequest) -> str:
        """What else than images and terms `compute` depends on: equal texts, equal results.

        Asked for where analyses are stored, after `prepare`.

        Raises:
            BackboneError: The weights are not here.
        """

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
        """As `analysis.compute`, with the backbone that is asked for.

        Only one at a time, and best always in the same thread.
        """


@dataclass(frozen=True)
class ThisProcess:
    """An `Engine` on whatever this computer has.

    Attributes:
        device: "cuda", "mps" or "cpu"; None takes the best there is.
    """

    device: str | None = None

    def prepare(self, request: BackboneRequest, progress: ProgressFn | None = None) -> Framing:
        """See `Engine`."""
        return backbones.get(**asdict(request), progress=progress)

    def identity(self, request: BackboneRequest) -> str:
        """See `Engine`."""
        return backbones.identity(**asdict(request), device=self.device)

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
        """See `Engine`."""
        from pointprompt.analysis.compute import compute

        model = backbones.load(**asdict(request), device=self.device, progress=progress)
        return compute(frames, model, terms, n_eigvecs=n_eigvecs, seed=seed, progress=progress)
