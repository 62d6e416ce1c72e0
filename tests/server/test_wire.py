from __future__ import annotations

import base64
import json
import math
import zlib
from dataclasses import replace

import numpy as np
import pytest

from pointprompt.analysis.analysis import Analysis
from pointprompt.server import wire
from pointprompt.types import BackboneChoice, Photo, TokenPrediction


def decoded(text: str, shape: tuple[int, int, int]) -> np.ndarray:
    packed = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    return np.unpackbits(packed, count=math.prod(shape)).reshape(shape).astype(bool)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 4), (3, 5, 7), (2, 64, 64), (7, 3, 3)])
def test_encoded_masks_hold_every_bit(shape):
    masks = np.random.default_rng(0).random(shape) > 0.5
    np.testing.assert_array_equal(decoded(wire.encode_masks(masks), shape), masks)


def test_the_first_token_is_the_highest_bit():
    masks = np.zeros((1, 3, 3), bool)
    masks[0, 0, 0] = True
    assert zlib.decompress(base64.b64decode(wire.encode_masks(masks))) == b"\x80\x00"


def test_masks_of_a_hundred_images_are_small():
    rows, columns = np.mgrid[:64, :64]
    discs = [(rows - 20 - i % 9) ** 2 + (columns - 30) ** 2 < 150 for i in range(100)]
    assert len(wire.encode_masks(np.stack(discs))) < 18_000


def test_answers_and_failures_carry_the_number_and_are_json():
    masks = np.ones((2, 2, 2), bool)
    presence = np.array([1, 0.12345], np.float32)
    prediction = TokenPrediction(masks + 0.5, masks, masks - 0.5, presence)
    assert json.loads(json.dumps(wire.encode(wire.MasksAnswer.of(5, prediction)))) == {
        "seq": 5,
        "masks": wire.encode_masks(masks),
        "presence": [1.0, 0.123],
    }
    assert json.loads(json.dumps(wire.encode(wire.Failure(6, "gone", "It is gone.")))) == {
        "seq": 6,
        "error": "gone",
        "message": "It is gone.",
    }


def test_masks_with_edges_come_with_their_image_and_their_size():
    masks = {4: np.random.default_rng(0).random((5, 7)) > 0.5, 0: np.ones((1, 1), bool)}
    answer = json.loads(json.dumps(wire.encode(wire.EdgesAnswer.of(5, masks))))
    assert answer["seq"] == 5
    sizes = [(mask["image"], mask["height"], mask["width"]) for mask in answer["masks"]]
    assert sizes == [(4, 5, 7), (0, 1, 1)]
    for mask in answer["masks"]:
        shape = (1, mask["height"], mask["width"])
        np.testing.assert_array_equal(decoded(mask["mask"], shape)[0], masks[mask["image"]])


def test_a_mask_with_edges_of_a_large_preview_is_small():
    rows, columns = np.mgrid[:1024, :1024]
    disc = (rows - 500) ** 2 + (columns - 300) ** 2 < 250**2
    assert len(wire.encode_masks(disc)) < 4_000


def test_the_manifest_says_what_the_page_shows_and_is_json():
    analysis = Analysis(
        photos=(Photo("a.jpg", 30, 40, b"", np.zeros((30, 40, 3), np.uint8), "Its end is lost."),),
        eigvecs=np.zeros((1, 5, 6, 9), np.float32),
        codes=np.zeros((1, 5, 6, 4), np.float32),
        colors=np.zeros((1, 5, 6, 3), np.uint8),
        terms=None,
        backbone=BackboneChoice("fake", "block", 0, 64),
    )
    manifest = wire.Manifest.of("token", analysis, ["tiles/a.jpg"], "colors.png", ticket="ticket")
    assert json.loads(json.dumps(wire.encode(manifest))) == {
        "session": "token",
        "ticket": "ticket",
        "joins": "",
        "grid": [5, 6],
        "eigvecs": 9,
        "backbone": "fake",
        "outlines": ["tokens", "photo"],
        "colors": "colors.png",
        "images": [
            {
                "name": "a.jpg",
                "width": 40,
                "height": 30,
                "remark": "Its end is lost.",
                "tile": "tiles/a.jpg",
            }
        ],
        "example": "",
        "opening": False,
    }
    with pytest.raises(ValueError, match="shorter"):
        wire.Manifest.of("token", analysis, [], "colors.png")
    crisp = replace(analysis, image_embeddings=np.zeros((1, 64, 64, 256), np.float16))
    manifest = wire.Manifest.of("token", crisp, ["tiles/a.jpg"], "colors.png")
    assert manifest.outlines == ("tokens", "photo", "sam")
