"""Addresses of what this page serves itself, below the address of the page.

Knows how they are written and read. Knows no files: where those lie is `service`'s affair.
"""

from __future__ import annotations

import re

ROOT = "/pointprompt"
DOWNLOAD_NAME = "pointprompt-masks.zip"

# Of an image, and of a download.
NUMBER = "0|[1-9][0-9]{0,4}"
NAME = "[A-Za-z0-9_-]{11}"


def tile(key: str, index: int) -> str:
    """Of the photo of an image."""
    return f"{ROOT}/pictures/{key}/{index}.jpg"


def whole(key: str, index: int) -> str:
    """Of the photo of an image at its own size."""
    return f"{ROOT}/pictures/{key}/{index}.whole.jpg"


def codes(key: str, index: int) -> str:
    """Of the codes of an image."""
    return f"{ROOT}/pictures/{key}/{index}.codes"


def colors(key: str) -> str:
    """Of the colour views of all images."""
    return f"{ROOT}/pictures/{key}/colors.png"


def download(key: str, name: str) -> str:
    """Of a ZIP file of masks."""
    return f"{ROOT}/downloads/{key}/{name}/{DOWNLOAD_NAME}"


def is_name(text: str) -> bool:
    """Whether it can be the name of a download."""
    return re.fullmatch(NAME, text) is not None
