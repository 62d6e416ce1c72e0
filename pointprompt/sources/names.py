"""What a person calls their images -> file names that any file system takes.

Knows Unicode and file systems. Does not know images.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

_MAX_NAME_LENGTH = 100
# Most file systems allow 255 bytes; this leaves room for what a writer appends.
_MAX_STEM_BYTES = 180
_MAX_SUFFIX_LENGTH = 10
_RESERVED_STEMS = frozenset(
    ["CON", "PRN", "AUX", "NUL"]
    + [device + digit for device in ("COM", "LPT") for digit in "0123456789¹²³"]
)


def safe_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return file names that any file system takes, one a name and as like it as possible.

    Kept are the letters and digits of any script, space, dot, hyphen and underscore. The names
    differ in their stems whatever the case, so that `<stem>.png` is free for each: of `a.jpg` and
    `A.png`, the second becomes `A-2.png`.

    Returns:
        Each at most 100 characters, in Unicode's NFC form.
    """
    taken: set[str] = set()
    result = []
    for name in names:
        stem, suffix = _safe_parts(name)
        candidate, number = stem, 1
        while Path(candidate + suffix).stem.casefold() in taken:
            # Without a suffix of its own, what follows a dot in it would be taken for one.
            plain = stem if suffix else stem.replace(".", "_")
            number += 1
            ending = f"-{number}"
            candidate = shortened(plain, len(ending) + len(suffix)) + ending
        taken.add(Path(candidate + suffix).stem.casefold())
        result.append(candidate + suffix)
    return tuple(result)


def _safe_parts(name: str) -> tuple[str, str]:
    """Return the stem and the suffix (empty or with its dot) that `name` leaves."""
    last_part = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in last_part if c in " .-_" or unicodedata.category(c)[0] in "LMN")
    # Once more: what was dropped may have kept a letter and its accent apart.
    stem, dot, ending = unicodedata.normalize("NFC", kept).rstrip(" .").rpartition(".")
    suffix = dot + ending
    if not dot or " " in ending or len(suffix) > _MAX_SUFFIX_LENGTH:
        stem, suffix = stem + suffix, ""
    stem = stem.strip(" .")
    if not stem:
        stem = "image"
    elif stem.partition(".")[0].rstrip().upper() in _RESERVED_STEMS:
        stem = f"_{stem}"
    return shortened(stem, len(suffix)), suffix


def shortened(stem: str, reserved: int) -> str:
    """Return a stem of `safe_names` cut so that `reserved` more characters fit the longest name."""
    stem = stem[: _MAX_NAME_LENGTH - reserved]
    stem = stem.encode()[: _MAX_STEM_BYTES - reserved].decode(errors="ignore")
    return stem.rstrip(" .")
