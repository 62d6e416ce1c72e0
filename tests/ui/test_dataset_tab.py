"""What the page's Dataset tab hands on: any value a crafted event may carry, and the remarks."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pointprompt.hub import DatasetError
from pointprompt.images import Limits
from pointprompt.ui.blocks import _Page
from tests import hostile
from tests.fake_hub import FakeHub, encoded, hub, images_of, parquet, stored

__all__ = ["hub"]


def fetch(folder: Path, remarks: list[str], *fields: Any) -> list[Path]:
    page: Any = SimpleNamespace(service=SimpleNamespace(limits=Limits()))
    return list(_Page._fetch_dataset(page, remarks, *fields)(folder, lambda _: None))


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
