"""What an analysis was made of, in one word: its key. Equal keys mean equal analyses.

Knows the bytes of images, and what else moves an analysis. Does not know where analyses are kept,
nor how any is computed.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pointprompt.analysis.analysis import Analysis

_CHUNK = 1 << 20
_PACKAGE = Path(__file__).parent.parent
# What of our own code an analysis goes through: a change of it is as good as another version.
_OWN_CODE = ("types.py", "grid.py", "sources", "backbones", "analysis", "engines")
_KEY = re.compile("[0-9a-f]{64}")
_SUFFIX = re.compile(r"(\.[a-z0-9]{1,10})?")

# An image as it came: a file, or its bytes.
Original = Path | bytes


@functools.cache
def own_code() -> str:
    """The digest of our code that makes analyses, in hexadecimal digits."""
    digest = hashlib.sha256()
    for name in _OWN_CODE:
        part = _PACKAGE / name
        for file in sorted(part.rglob("*.py")) if part.is_dir() else [part]:
            digest.update(f"{file.relative_to(_PACKAGE).as_posix()}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Content:
    """What an image file holds, whoever it is from and whatever it is called.

    Attributes:
        sha256: Of its bytes, in hexadecimal digits.
        nbytes: How many those are.
        suffix: Of its name, in small letters and with its dot, or "": some formats have no other
            sign.
    """

    sha256: str
    nbytes: int
    suffix: str = ""

    @classmethod
    def of(cls, original: Original) -> Content:
        """That of an image.

        Raises:
            OSError: It cannot be read.
        """
        if isinstance(original, bytes):
            return cls(hashlib.sha256(original).hexdigest(), len(original))
        sha256, nbytes = digest_of_file(original)
        suffix = original.suffix.lower()
        return cls(sha256, nbytes, suffix if is_suffix(suffix) else "")


@dataclass(frozen=True)
class Conditions:
    """What an analysis depends on besides its images.

    Attributes:
        backbone: `Engine.identity`: which, on what kind of device, and the digests of its weights.
        n_eigvecs: How many eigenvectors were asked for.
        seed: Of the cut and of the colour view.
        joins: `digest_of_analysis` of that which the images joined; "" where the cut is their own.
        versions: Of the packages that compute, by their names.
        code: The digest of our own part in it.
    """

    backbone: str
    n_eigvecs: int
    seed: int
    joins: str = ""
    versions: Mapping[str, str | None] = field(default_factory=dict)
    code: str = field(default_factory=own_code)

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)


def key_of(contents: Sequence[Content], conditions: Conditions) -> str:
    """The key, 64 hexadecimal digits, of the analysis of images in this order."""
    images = [(one.sha256, one.suffix) for one in contents]
    text = json.dumps([images, conditions.as_dict()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def is_key(text: object) -> bool:
    """Whether it may be a key; any other text could be a path."""
    return isinstance(text, str) and _KEY.fullmatch(text) is not None


def is_suffix(text: object) -> bool:
    """Whether it may be a `Content.suffix`, and so the end of a file's name."""
    return isinstance(text, str) and _SUFFIX.fullmatch(text) is not None


def digest_of_analysis(analysis: Analysis) -> str:
    """What tells an analysis from all others that images may join, in hexadecimal digits."""
    digest = hashlib.sha256()
    arrays: Iterable[Any] = (analysis.eigvecs, analysis.codes, *analysis.terms.arrays().values())
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape};".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def digest_of_file(path: Path) -> tuple[str, int]:
    """The SHA-256 of a file in hexadecimal digits, and its size in bytes.

    Raises:
        OSError: It cannot be read.
    """
    digest, nbytes = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            nbytes += len(chunk)
    return digest.hexdigest(), nbytes
