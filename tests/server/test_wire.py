from __future__ import annotations

import base64
import json
import math
import zlib
from dataclasses import replace

import numpy as np
import pytest

from pointprompt.analysis.analysis import Analysis
from pointprompt.analysis.codes import Packed
from pointprompt.server import wire
from pointprompt.settings import Settings
from pointprompt.types import BackboneChoice, Photo, TokenPrediction

ADDRESSES = {"wholes": ["whole/a.jpg"], "codes": ["a.codes"], "same": [0]}


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
    assert json.loads(
        json.dumps(wire.encode(wire.MasksAnswer.of(asked(5), prediction, masks)))
    ) == {
        "seq": 5,
        "masks": wire.encode_masks(masks),
        "presence": [1.0, 0.123],
        "heat": "",
    }
    assert json.loads(json.dumps(wire.encode(wire.Failure(6, "gone", "It is gone.")))) == {
        "seq": 6,
        "error": "gone",
        "message": "It is gone.",
    }


def asked(seq: int, *, heat: bool = False) -> wire.PredictRequest:
    return wire.PredictRequest("token", seq, (), Settings(), heat=heat)


def test_heatmaps_come_where_they_are_wanted_from_0_to_255():
    heatmaps = np.array([[[0, 0.5], [0.25, 1]], [[1, 1], [0, 0.001]]], np.float32)
    prediction = TokenPrediction(heatmaps, heatmaps > 0.5, heatmaps - 0.5, np.ones(2, np.float32))
    answer = wire.MasksAnswer.of(asked(5, heat=True), prediction, prediction.masks)
    sent = np.frombuffer(zlib.decompress(base64.b64decode(answer.heat)), np.uint8)
    assert sent.tolist() == [0, 128, 64, 255, 255, 255, 0, 0]


def test_the_codes_of_an_image_are_a_file_of_bytes_that_make_the_same_codes_again():
    random = np.random.default_rng(0)
    packed = Packed.of(random.normal(size=(4, 6, 3)).astype(np.float32))
    codes = packed.numbers * packed.scales
    picture = random.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    file = wire.encode_codes(codes, picture)
    assert np.frombuffer(file, "<u2", 4).tolist() == [3, 5, 7, 0]
    scales = np.frombuffer(file, "<f4", 3, offset=8)
    numbers = np.frombuffer(file, np.int8, 3 * 24, offset=20).reshape(3, 4, 6)
    np.testing.assert_allclose(np.moveaxis(numbers, 0, -1) * scales, codes, rtol=1e-6)
    pixels = np.frombuffer(file, np.uint8, offset=20 + 3 * 24).reshape(3, 5, 7)
    np.testing.assert_array_equal(np.moveaxis(pixels, 0, -1), picture)


def test_the_codes_of_a_large_image_are_a_small_file():
    file = wire.encode_codes(np.ones((64, 64, 32), np.float32), np.zeros((120, 160, 3), np.uint8))
    assert len(file) < 190_000


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
        photos=(
            Photo("a.jpg", 30, 40, b"", np.zeros((30, 40, 3), np.uint8), "Its end is lost.", 6),
        ),
        eigvecs=np.zeros((1, 5, 6, 9), np.float32),
        codes=np.zeros((1, 5, 6, 4), np.float32),
        colors=np.zeros((1, 5, 6, 3), np.uint8),
        terms=None,
        backbone=BackboneChoice("fake", "block", 0, 64),
    )
    manifest = wire.Manifest.of(
        "token",
        analysis,
        ["tiles/a.jpg"],
        "colors.png",
        **ADDRESSES,
        ticket="ticket",
        recall="signed",
    )
    assert json.loads(json.dumps(wire.encode(manifest))) == {
        "session": "token",
        "ticket": "ticket",
        "joins": "",
        "kept": [],
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
                "turned": True,
                "tile": "tiles/a.jpg",
                "whole": "whole/a.jpg",
                "codes": "a.codes",
                "same": 0,
            }
        ],
        "example": "",
        "opening": False,
        "recall": "signed",
        "concepts": [],
        "opened": None,
    }
    with pytest.raises(ValueError, match="shorter"):
        wire.Manifest.of("token", analysis, [], "colors.png", wholes=[], codes=[], same=[])
    crisp = replace(analysis, image_embeddings=np.zeros((1, 64, 64, 256), np.float16))
    manifest = wire.Manifest.of("token", crisp, ["tiles/a.jpg"], "colors.png", **ADDRESSES)
    assert manifest.outlines == ("tokens", "photo", "sam")
