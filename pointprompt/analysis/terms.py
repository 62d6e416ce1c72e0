"""The terms of an analysis: named arrays that describe the tokens of any image in the same way.

Knows the cut and the codes. Does not know images, clicks, or where terms are kept or sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

from pointprompt.analysis.codes import Embedder, fit_embedder
from pointprompt.analysis.cut import Cut, fit_cut
from pointprompt.types import N_EIGVECS, FloatArray

Part = TypeVar("Part", Cut, Embedder)

# Of an image's tokens one of so many says how unlike it is: a prime, so that none of a grid's
# columns is left out.
_EVERY = 7

# To be raised where other names, or the same names with another meaning, are written.
VERSION = 1


@dataclass(frozen=True)
class Terms:
    """What describes the tokens of more images as those of its set are described.

    Attributes:
        cut: Gives them eigenvectors.
        embedder: Gives them codes.
    """

    cut: Cut
    embedder: Embedder

    @property
    def nbytes(self) -> int:
        """Bytes of memory the arrays take."""
        return sum(array.nbytes for array in self.arrays().values())

    def describe(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The eigenvectors (n, h, w, k) and the codes (n, h, w, d), float32, of images.

        Args:
            features: (n, h, w, c) float32, from the backbone of the set.

        Raises:
            ValueError: The features have other channels, are not of that shape, or not finite.
        """
        known = self.cut.samples.shape[1]
        if features.shape[-1] != known:
            raise ValueError(
                f"The backbone gives {features.shape[-1]} numbers a token, and these terms are of "
                f"{known}: they are another backbone's."
            )
        eigvecs = self.cut.extend(features)
        return eigvecs, self.embedder.embed(features, eigvecs)

    def unlikeness(self, features: FloatArray) -> FloatArray:
        """How far images are from those of the set, (n,) float32: about 0.7 is one of the set.

        The median, over an image's tokens, of the distance to the nearest sample of the cut; in
        units of the same from the samples to each other, which are chosen far apart.

        Args:
            features: As for `describe`.
        """
        samples = self.cut.samples
        among = _distances(samples, samples)
        np.fill_diagonal(among, np.inf)
        unit = max(float(np.median(among.min(axis=1))), 1e-6)
        some = features.reshape(len(features), -1, features.shape[-1])[:, ::_EVERY]
        found = [np.median(_distances(tokens, samples).min(axis=1)) / unit for tokens in some]
        return np.array(found, np.float32)

    def arrays(self) -> dict[str, FloatArray]:
        """All that they are, by name: "version", "cut.samples" and so on."""
        named = {"version": np.array(VERSION)}
        for part in fields(self):
            for one in fields(getattr(self, part.name)):
                value = getattr(getattr(self, part.name), one.name)
                named[f"{part.name}.{one.name}"] = np.asarray(value)
        return named

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> Terms:
        """The terms that `arrays` gave.

        Raises:
            ValueError: They are of another version, one is missing or not finite, or their shapes
                do not fit each other.
        """
        version = int(arrays["version"]) if "version" in arrays else None
        if version != VERSION:
            raise ValueError(f"These terms have version {version}; only {VERSION} can be read.")
        terms = cls(cut=_read(Cut, "cut", arrays), embedder=_read(Embedder, "embedder", arrays))
        if not _fit_each_other(terms.cut, terms.embedder):
            raise ValueError("The arrays of these terms do not fit each other.")
        return terms


def fit_terms(
    features: FloatArray, *, n_eigvecs: int = N_EIGVECS, seed: int = 0, device: str = "cpu"
) -> tuple[Terms, FloatArray, FloatArray]:
    """The terms of a set, and its own eigenvectors (n, h, w, k) and codes (n, h, w, d), float32.

    Args:
        features: (n, h, w, c) float32, of all images.
        n_eigvecs: As for `fit_cut`, as is all below.
        seed: As there.
        device: As there.

    Raises:
        ValueError: As there.
    """
    eigvecs, cut = fit_cut(features, n_eigvecs=n_eigvecs, seed=seed, device=device)
    embedder = fit_embedder(features, eigvecs, cut.eigvals)
    return Terms(cut, embedder), eigvecs, embedder.embed(features, eigvecs)


def _distances(ones: FloatArray, others: FloatArray) -> FloatArray:
    """Of all ones (m, c) to all others (o, c), Euclidean: (m, o) float32."""
    squares = (ones**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * ones @ others.T
    distances: FloatArray = np.sqrt(np.maximum(squares, 0))
    return distances


def _read(kind: type[Part], part: str, arrays: Mapping[str, FloatArray]) -> Part:
    values: dict[str, Any] = {}
    for one in fields(kind):
        name = f"{part}.{one.name}"
        if name not in arrays:
            raise ValueError(f"These terms lack {name}.")
        array = np.asarray(arrays[name])
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ValueError(f"{name} of these terms is not made of finite numbers.")
        values[one.name] = float(array) if one.type == "float" else array.astype(np.float32)
    return kind(**values)


def _fit_each_other(cut: Cut, embedder: Embedder) -> bool:
    matrices = (cut.samples, cut.eigvecs, embedder.axes, embedder.joint)
    vectors = (cut.eigvals, cut.degrees, embedder.mean, embedder.scales)
    if any(array.ndim != 2 for array in matrices) or any(array.ndim != 1 for array in vectors):
        return False
    samples, channels = cut.samples.shape
    both = embedder.axes.shape[1] + len(embedder.scales)
    return (
        cut.eigvecs.shape == (samples, len(cut.eigvals))
        and cut.degrees.shape == (samples,)
        and embedder.mean.shape == (channels,)
        and embedder.axes.shape[0] == channels
        and embedder.joint.shape[0] == both
    )
