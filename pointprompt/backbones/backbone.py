"""Images through an encoder, batch by batch: the part that all backbones share.

Knows batches, devices, precision and progress. What an encoder is made of, where its weights come
from and what its tokens are used for, it does not know.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pointprompt.backbones.cores import thread_a_core
from pointprompt.backbones.devices import half_precision, is_out_of_memory, release_memory
from pointprompt.backbones.info import BackboneError
from pointprompt.sources.framing import Framing
from pointprompt.types import (
    BackboneChoice,
    ByteArray,
    FloatArray,
    HalfArray,
    Progress,
    ProgressFn,
)

Number = TypeVar("Number", np.float16, np.float32)

# Images computed together at first. One pays on a CPU: more only cost memory there.
_BATCH = {"cuda": 8, "mps": 4, "cpu": 1}


class Encoder(nn.Module):
    """What a family provides: standardised images to tokens.

    Its `forward` turns (b, 3, H', W') float32 into (b, h, w, c), of any length and float type.

    Attributes:
        mean: Of red, green and blue in [0, 1]; taken from every pixel first.
        std: Of red, green and blue; what the difference is divided by.
        image_a_core: Whether a CPU takes an image a core, instead of all cores an image. For small
            networks: their layers end before it pays to share them, and where another program
            takes a core away, every layer waits for it. None of their images has an embedding.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    image_a_core: bool = False

    def encode(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The tokens, and what a mask decoder needs of the images, where one goes with them.

        The latter is (b, h', w', c'), of any float type.
        """
        return self(pixels), None


@dataclass(frozen=True)
class Encoded:
    """What a backbone knows of images.

    Attributes:
        features: (n, h, w, c) float32, on the CPU; each token of length 1.
        image_embeddings: (n, 64, 64, 256) float16, on the CPU; what SAM's mask decoder needs. None
            unless this is SAM with its decoder, at 1024 pixels and the last layer, or in a pair.
    """

    features: FloatArray = field(repr=False)
    image_embeddings: HalfArray | None = field(repr=False)


@dataclass(frozen=True)
class Backbone:
    """A loaded backbone: frames in, features out.

    Attributes:
        choice: Which one it is.
        device: Where it computes.
        encoder: What computes the tokens.
        framing: The frames it takes.
    """

    choice: BackboneChoice
    device: str
    encoder: Encoder
    framing: Framing

    @property
    def name(self) -> str:
        """In the registry."""
        return self.choice.name

    @property
    def input_size(self) -> int:
        """Side of a square frame, in pixels."""
        return self.choice.input_size

    def features(self, frames: ByteArray, progress: ProgressFn | None = None) -> FloatArray:
        """The features of `encode`."""
        return self.encode(frames, progress).features

    def encode(self, frames: ByteArray, progress: ProgressFn | None = None) -> Encoded:
        """What is to be known of images.

        Args:
            frames: (n, H', W', 3) uint8, RGB; n at least 1, H' and W' as `framing` has them.
            progress: Told "features" after each batch. What it raises stops the work.

        Raises:
            BackboneError: The images have another shape or type, or not even one image at a time
                fits into the device's memory.
        """
        self._check(frames)
        if self.device == "cpu" and self.encoder.image_a_core:
            with thread_a_core() as pool:
                return self._in_batches(frames, torch.get_num_threads(), pool, progress)
        return self._in_batches(frames, _BATCH[self.device.partition(":")[0]], None, progress)

    def _in_batches(
        self,
        frames: ByteArray,
        batch: int,
        pool: ThreadPoolExecutor | None,
        progress: ProgressFn | None,
    ) -> Encoded:
        """What `encode` returns; the images of a batch side by side where there is a pool."""
        n = len(frames)
        features: FloatArray | None = None
        embeddings: HalfArray | None = None
        done = 0
        while done < n:
            now = frames[done : done + batch]
            encoded = self._encode(now) if pool is None else self._image_a_core(now, pool)
            if encoded is None:
                batch = self._smaller(batch)
                continue
            where = slice(done, done + len(now))
            features = _filled(features, encoded.features, where, n)
            if encoded.image_embeddings is not None:
                embeddings = _filled(embeddings, encoded.image_embeddings, where, n)
            done = where.stop
            if progress is not None:
                progress(Progress("features", done, n))
        assert features is not None  # noqa: S101 - n is at least 1
        return Encoded(features, embeddings)

    def _check(self, frames: ByteArray) -> None:
        if frames.dtype != np.uint8 or not self._is_taken(frames.shape):
            side = self.input_size
            others = ", or another aspect of as many pixels," if self.framing.step else ","
            raise BackboneError(
                f"{self.name} takes one or more images as uint8 of shape (n, {side}, {side}, 3)"
                f"{others} not {frames.dtype} of shape {frames.shape}."
            )

    def _is_taken(self, shape: tuple[int, ...]) -> bool:
        if len(shape) != 4 or 0 in shape or shape[3] != 3:
            return False
        return self.framing.shape(*shape[1:3]) == shape[1:3]

    def _encode(self, frames: ByteArray) -> Encoded | None:
        """What is to be known of one batch; None where the device's memory does not hold it."""
        try:
            with torch.inference_mode(), _precision(self.device):
                pixels = standardize(frames, self.encoder.mean, self.encoder.std, self.device)
                tokens, embedding = self.encoder.encode(pixels)
                unit = torch.nn.functional.normalize(tokens.float(), dim=-1)
                return Encoded(
                    unit.cpu().numpy(),
                    None if embedding is None else embedding.half().cpu().numpy(),
                )
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return None

    def _image_a_core(self, frames: ByteArray, pool: ThreadPoolExecutor) -> Encoded | None:
        """As `_encode`, every image by a thread of its own; without image embeddings."""
        features = []
        for encoded in pool.map(self._encode, np.split(frames, len(frames))):
            if encoded is None:
                return None
            features.append(encoded.features)
        return Encoded(np.concatenate(features), None)

    def _smaller(self, batch: int) -> int:
        # Here, not where the error is caught: its traceback still holds the tensors there.
        release_memory(self.device)
        if batch == 1:
            raise BackboneError(
                f"{self.name} at {self.input_size} pixels does not fit into the memory of "
                f"{self.device}, not even with one image at a time. Choose a smaller input size or "
                "backbone, or set POINTPROMPT_DEVICE=cpu."
            )
        return batch // 2


def standardize(
    frames: ByteArray,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
    device: str = "cpu",
) -> torch.Tensor:
    """Images as an encoder wants them: (b, 3, H', W') float32.

    Colours are scaled to [0, 1]; then the mean is taken away and the rest divided by std.

    Args:
        frames: (b, H', W', 3) uint8, RGB.
        mean: Of red, green, blue.
        std: Of red, green, blue.
        device: Where the result lies.

    Source:
        Tutorial 10, step 1: torchvision's ToTensor and Normalize, bit for bit.
    """
    pixels = torch.tensor(frames, device=device).permute(0, 3, 1, 2)
    scaled = pixels.to(torch.float32, memory_format=torch.contiguous_format).div(255)
    shift = torch.tensor(mean, device=device).view(3, 1, 1)
    scale = torch.tensor(std, device=device).view(3, 1, 1)
    return scaled.sub_(shift).div_(scale)


def _filled(
    array: NDArray[Number] | None, part: NDArray[Number], where: slice, n: int
) -> NDArray[Number]:
    """The array of all n images, made where there is none yet, with the part of some images in."""
    if array is None:
        array = np.empty((n, *part.shape[1:]), part.dtype)
    array[where] = part
    return array


def _precision(device: str) -> contextlib.AbstractContextManager[object]:
    dtype = half_precision(device)
    if dtype is None:
        return contextlib.nullcontext()
    return torch.autocast(device.partition(":")[0], dtype=dtype)
