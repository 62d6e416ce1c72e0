"""What the page's choices hand on: any value a crafted event may carry, and the remarks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from hypothesis import HealthCheck, given, settings

from pointprompt.sources.codecs.signatures import SUFFIXES
from pointprompt.sources.hub.fetch import DatasetError
from pointprompt.sources.photos import Limits
from pointprompt.sources.video import VIDEO_SUFFIXES
from pointprompt.types import BackboneRequest
from pointprompt.ui.choices import (
    Upload,
    backbone_line,
    backbone_request,
    describe_backbone,
    fetch_of,
    file_buttons,
)
from pointprompt.ui.frames import Chosen
from tests import hostile
from tests.fake_hub import FakeHub, encoded, hub, images_of, parquet, stored

__all__ = ["hub"]


def fetch(folder: Path, remarks: list[str], *fields: Any) -> list[Path]:
    return list(fetch_of(Limits(), remarks, *fields)(folder, lambda _: None))


@pytest.mark.parametrize("place", range(5))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=hostile.JSON)
def test_a_crafted_field_is_at_worst_a_sentence(
    hub: FakeHub, tmp_path: Path, place: int, value: object
) -> None:
    fields: list[Any] = ["me/none", "", "", "", 3]
    fields[place] = value
    with pytest.raises(DatasetError, match=r"\.$"):
        fetch(tmp_path, [], *fields)


def test_the_remarks_on_a_dataset_reach_the_page(hub: FakeHub, tmp_path: Path) -> None:
    columns = {"mask": stored(encoded(1)), "image": stored(encoded(0))}
    hub.add("me/data", {"train.parquet": parquet(columns)})
    remarks: list[str] = []
    files = fetch(tmp_path, remarks, " me/data ", "", " train ", "", 3)
    assert images_of(files) == [encoded(0)]
    assert remarks == ["These are of the column image; mask can be asked for, too."]


@pytest.mark.parametrize("name", [None, 5, ["efficientnet_lite0"], {}, 1.5, "x" * 1000])
def test_a_backbone_that_is_no_name_is_described_by_a_sentence(name: Any) -> None:
    note, *details = describe_backbone(name)
    assert "is asked for by its name" in note
    assert len(details) == 4


@pytest.mark.parametrize(
    "details",
    [
        (512.0, "", "", False),
        ("512", "", "", False),
        (True, "", "", False),
        ([], 5, {}, False),
        ("", "", "", "yes"),
        ("", "", "", None),
    ],
)
def test_details_of_a_backbone_that_are_of_no_kind_are_a_sentence(details: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="of a backbone must be"):
        backbone_request("efficientnet_lite0", *details)


def test_debiasing_is_offered_with_dinov3_off_and_asked_for_when_it_is_ticked() -> None:
    assert [describe_backbone(name)[-1].visible for name in ("dinov3_base", "sam_vit_b")] == [
        True,
        False,
    ]
    assert describe_backbone("dinov3_base")[-1].value is False
    assert backbone_request("dinov3_base", 512, "", "", True) == BackboneRequest(
        "dinov3_base", input_size=512, debias=True
    )


def chosen(others: list[str], *frames: int) -> Chosen:
    return Chosen(tuple(others), tuple(f"{n}.mp4" for n in frames), frames, 100)


def test_without_files_nothing_can_be_done_with_files() -> None:
    """A9: after a reload "Add to the set" could be pressed, and there was nothing to add."""
    for some, is_active in ((chosen([]), False), (chosen(["a.png"]), True), (chosen([], 9), True)):
        assert [button.interactive for button in file_buttons(some, 1)] == [is_active] * 2


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["a.png"], "Analyse 1 image"),
        (["a.png", "B.JPEG", "c.tif", "d.qoi"], "Analyse 4 images"),
        # A16: these were called images.
        (["a.png", "notes.txt"], "Analyse 2 files"),
        (["photo"], "Analyse 1 file"),
    ],
)
def test_what_may_be_no_image_is_not_called_one(files: list[str], says: str) -> None:
    assert file_buttons(chosen(files), 1)[0].value == says


@pytest.mark.parametrize(
    ("files", "frames", "every", "says"),
    [
        ([], [310], 13, "Analyse 24 frames"),
        ([], [310], 310, "Analyse 1 frame"),
        (["a.png", "b.png", "c.png"], [310], 13, "Analyse 3 images and 24 frames"),
        (["a.png", "b.png", "c.png"], [310], 1, "Analyse 3 images and 97 frames"),
        (["notes.txt"], [10, 10], 5, "Analyse 1 file and 4 frames"),
    ],
)
def test_frames_are_counted_beside_images(
    files: list[str], frames: list[int], every: int, says: str
) -> None:
    assert file_buttons(chosen(files, *frames), every)[0].value == says


def test_one_line_says_which_backbone_and_what_it_costs() -> None:
    assert backbone_line("efficientnet_lite0").label == (
        "Features: EfficientNet-Lite0, 0.05 s an image on a CPU · Change"
    )
    assert "SAM ViT-B, 8 s" in backbone_line("sam_vit_b").label
    assert "no backbone" in backbone_line("none").label


def test_a_browser_offers_to_choose_what_can_be_read() -> None:
    with gr.Blocks() as demo:
        Upload(Limits())
    (shown,) = (b for b in demo.blocks.values() if b.elem_id == "pp-thumbnails")
    kinds = re.search('data-accept="([^"]*)"', shown.value)[1].split(",")
    assert kinds[:2] == ["image/*", "video/*"]
    assert {*SUFFIXES.values(), *VIDEO_SUFFIXES} <= set(kinds)
    assert all(re.fullmatch(r"\.[a-z0-9]+", kind) for kind in kinds[2:])
