"""What the page's choices hand on: any value a crafted event may carry, and the remarks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pointprompt.sources.hub.fetch import DatasetError
from pointprompt.sources.photos import Limits
from pointprompt.types import BackboneRequest
from pointprompt.ui.choices import backbone_request, describe_backbone, fetch_of, file_buttons
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


def test_without_files_nothing_can_be_done_with_files() -> None:
    """A9: after a reload "Add to the set" could be pressed, and there was nothing to add."""
    assert [button.interactive for button in file_buttons(None)] == [False, False]
    assert [button.interactive for button in file_buttons(["a.png"])] == [True, True]
    assert file_buttons(["a.png", "b.png"])[0].value == "Analyse 2 images"
