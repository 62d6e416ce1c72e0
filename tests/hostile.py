"""What a hostile page may send: JSON values, messages that are right but for one place, a file."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import strategies as st
from PIL import Image

from pointprompt.settings import Settings

# Python's JSON reader takes NaN and Infinity too.
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([10**400, -(10**400), 2**53, 2**63, 1 - 2**-53, 5e-324, 1e308, -0.0]),
)
TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(["0.5", "NaN", "\ud800", "../..", "\x00"]))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)


def click(**changes: Any) -> dict[str, Any]:
    return {"image": 0, "x": 0.25, "y": 0.5, "positive": True, **changes}


def message(**changes: Any) -> dict[str, Any]:
    return {"session": "token", "seq": 7, "clicks": [click()], "settings": {}, **changes}


def thing(**changes: Any) -> dict[str, Any]:
    return {"name": "cat", "color": [255, 0, 255], "clicks": [click()], "settings": {}, **changes}


def export(**changes: Any) -> dict[str, Any]:
    asked = {"session": "token", "seq": 7, "things": [thing()], "exclusive": True}
    how = {"formats": ["png"], "coco_polygons": False, "coco_regions": False}
    return {**asked, "overlaps": False, **how, **changes}


def push(**changes: Any) -> dict[str, Any]:
    where = {"name": "me/masks", "token": "hf_mine", "private": True}
    return {"export": export(), **where, **changes}


SETTING_NAMES = (*Settings.__dataclass_fields__, "unknown")
CLICKS = st.one_of(
    JSON,
    st.builds(
        lambda name, value: click(**{name: value}),
        st.sampled_from(["image", "x", "y", "positive", "z"]),
        JSON,
    ),
)
NEARLY_MESSAGES = st.builds(
    message,
    seq=st.one_of(st.integers(0, 9), JSON),
    clicks=st.one_of(st.lists(CLICKS, max_size=3), JSON),
    settings=st.one_of(st.dictionaries(st.sampled_from(SETTING_NAMES), JSON, max_size=3), JSON),
    images=st.one_of(st.lists(st.integers(0, 2), max_size=3), JSON),
)
MESSAGES = st.one_of(JSON, NEARLY_MESSAGES)


def many_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG that says the same thing again and again: little to store, much to do."""
    file = io.BytesIO()
    Image.new("L", (side, side), 128).save(file, "JPEG", progressive=True)
    jpeg = file.getvalue()
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:last] + jpeg[last:-2] * scans + jpeg[-2:]


# For an argument that a person passes.
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.just(10**400),
    st.lists(st.integers(), max_size=2),
)
