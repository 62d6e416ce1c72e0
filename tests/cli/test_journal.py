"""A record is whole or it is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointprompt.cli.journal import Journal, Record, key_of_file, names_in, packed, write_whole
from pointprompt.formats.archive import Written
from pointprompt.types import Photo

MASKS = [np.random.default_rng(seed).random((7, 13)) < 0.4 for seed in range(2)]
SOURCE = Path("photos/ä.png")
RECORD = Record(
    Photo("ä.png", 7, 13, b"", SOURCE, "It is turned.", 6),
    tuple(map(packed, MASKS)),
    np.random.default_rng(2).random((2, 4, 5), np.float32),
    (0.25, 0.75),
    True,
    Written((3, 0), ("masks/ä.png",), ((7, "No overlay: It is gone."),)),
)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def test_a_record_is_read_as_it_was_put(journal: Journal):
    journal.put(SOURCE, "1", RECORD)
    found = journal.get(SOURCE, "1")
    assert isinstance(found, Record)
    assert found.written == RECORD.written
    for thing, mask in enumerate(MASKS):
        np.testing.assert_array_equal(found.mask(thing), mask)
    np.testing.assert_array_equal(found.heatmaps, RECORD.heatmaps)
    assert (found.presence, found.unlike) == (RECORD.presence, True)
    before, after = vars(RECORD.photo), vars(found.photo)
    assert {name: after[name] for name in before} == before


def test_why_there_is_nothing_in_an_image_may_be_put_too(journal: Journal):
    journal.put(SOURCE, "1", "The row holds no image.")
    assert journal.get(SOURCE, "1") == "The row holds no image."


def test_of_another_image_or_a_changed_one_there_is_none(journal: Journal):
    journal.put(SOURCE, "1", RECORD)
    assert journal.get(SOURCE, "2") is None
    assert journal.get(Path("photos/b.png"), "1") is None


@given(cut=st.integers(0, 2000), at=st.integers(0, 400))
def test_a_record_that_is_damaged_is_none_or_has_its_image(tmp_path_factory, cut: int, at: int):
    folder = tmp_path_factory.mktemp("journal")
    journal = Journal(folder)
    journal.put(SOURCE, "1", RECORD)
    (path,) = folder.iterdir()
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 0x55
    path.write_bytes(data[:cut])
    found = journal.get(SOURCE, "1")
    assert not isinstance(found, Record) or found.photo.source == SOURCE


def test_a_file_is_another_one_by_its_size_or_time(tmp_path: Path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    key = key_of_file(path)
    path.write_bytes(b"other")
    assert key_of_file(path) != key
    assert key_of_file(tmp_path / "gone") == ""


def test_a_file_is_written_over_as_a_whole(tmp_path: Path):
    path = tmp_path / "a"
    write_whole(path, b"one")
    write_whole(path, b"other")
    assert path.read_bytes() == b"other"
    assert list(tmp_path.iterdir()) == [path]


def test_files_are_called_by_their_folders_too():
    root = Path("photos")
    assert names_in(root, [root / "a.jpg", root / "b" / "a.jpg"]) == ["a.jpg", "b-a.jpg"]


def test_a_mask_of_any_size_is_the_same_after_it_was_packed():
    for shape in ((1, 1), (1, 9), (33, 7)):
        mask = np.ones(shape, bool)
        photo = replace(RECORD.photo, height=shape[0], width=shape[1])
        np.testing.assert_array_equal(
            replace(RECORD, photo=photo, masks=(packed(mask),)).mask(0), mask
        )
