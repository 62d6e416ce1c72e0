"""Where a backbone computes, and in which precision.

Knows CUDA, Apple MPS and CPU as torch presents them; knows nothing of backbones. torch is imported
only inside the functions that need it.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pointprompt.backbones.info import BackboneError

if TYPE_CHECKING:
    import torch

DEVICE_VARIABLE = "POINTPROMPT_DEVICE"

# Files that are there when the system has a driver for a GPU: NVIDIA, NVIDIA under WSL, AMD.
_DRIVER_FILES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")


def pick_device(requested: str | None = None) -> str:
    """The device to compute on: "cuda", "cuda:1", "mps" or "cpu".

    It is the one requested, else the one of the environment variable POINTPROMPT_DEVICE, else the
    best there is: CUDA, Apple MPS, CPU.

    Args:
        requested: A device, or None or "" to leave the choice open.

    Raises:
        BackboneError: The device is unknown, or this computer (or this torch) does not have it.
    """
    wanted = requested or os.environ.get(DEVICE_VARIABLE, "").strip()
    if wanted:
        return _checked(wanted.lower())
    return next(device for device in ("cuda", "mps", "cpu") if _problem(device) is None)


def has_gpu(requested: str | None = None) -> bool:
    """Whether `pick_device(requested)` is a GPU.

    Where the choice is open and the system shows no sign of a GPU, torch is not imported to know.

    Raises:
        BackboneError: As `pick_device`.
    """
    wanted = requested or os.environ.get(DEVICE_VARIABLE, "").strip()
    if not wanted and not _may_have_gpu():
        return False
    return pick_device(wanted) != "cpu"


def half_precision(device: str) -> torch.dtype | None:
    """The half precision that pays on a device; None where float32 does.

    bfloat16 on CUDA devices with native support (compute capability 8.0 on), float16 on those that
    have only that (7.0 on, such as a T4).
    """
    import torch

    if not device.startswith("cuda"):
        return None
    major, _ = torch.cuda.get_device_capability(device)
    if major >= 8:
        return torch.bfloat16
    return torch.float16 if major >= 7 else None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device's memory is full."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    # MPS and the CPU allocator raise a plain RuntimeError.
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text
    )


def release_memory(device: str) -> None:
    """Give cached, unused memory of a device back."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()


def _checked(device: str) -> str:
    problem = _problem(device)
    if problem is not None:
        raise BackboneError(problem)
    return device


def _problem(device: str) -> str | None:
    """Why a device cannot be used, as a sentence; None where it can."""
    import torch

    kind, _, index = device.partition(":")
    if not re.fullmatch(r"cuda(:[0-9]+)?|mps|cpu", device):
        return f"There is no device {device!r}. There are: cuda, cuda:<number>, mps, cpu."
    if kind == "cuda" and not torch.cuda.is_available():
        return f"The device {device!r} was asked for, but torch finds no CUDA GPU here."
    if index and int(index) >= torch.cuda.device_count():
        return (
            f"The device {device!r} was asked for, but there are only "
            f"{torch.cuda.device_count()} CUDA GPUs, counted from 0."
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        return "The device 'mps' was asked for, but torch finds no Apple GPU here."
    return None


def _may_have_gpu() -> bool:
    if sys.platform == "win32":
        return True
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    # A ZeroGPU Space has no driver outside its GPU calls, yet torch promises CUDA.
    zero_gpu = bool(os.environ.get("SPACES_ZERO_GPU"))
    return zero_gpu or any(Path(file).exists() for file in _DRIVER_FILES)
