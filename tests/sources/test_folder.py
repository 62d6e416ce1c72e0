"""The image files of a folder, as a person would list them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointprompt.sources.folder import image_files
from pointprompt.sources.photos import ImageError


def touched(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_frames_are_in_the_order_of_their_numbers(tmp_path: Path):
    touched(tmp_path, "b-10.jpg", "b-9.JPG", "b-09a.jpg", "A.png", "sub/c.webp")
    names = [path.relative_to(tmp_path).as_posix() for path in image_files(tmp_path)]
    assert names == ["A.png", "b-9.JPG", "b-09a.jpg", "b-10.jpg", "sub/c.webp"]


def test_what_is_hidden_or_no_image_by_its_name_is_left_out(tmp_path: Path):
    touched(tmp_path, "a.jpg", ".b.jpg", ".cache/c.jpg", "notes.txt", "clip.mp4")
    assert [path.name for path in image_files(tmp_path)] == ["a.jpg"]


def test_a_folder_that_is_not_there_or_has_no_image_is_a_sentence(tmp_path: Path):
    with pytest.raises(ImageError, match="no folder"):
        image_files(tmp_path / "nowhere")
    with pytest.raises(ImageError, match="named as an image"):
        image_files(tmp_path)


def test_numbers_of_any_length_are_counted(tmp_path: Path):
    touched(tmp_path, f"{'9' * 200}.jpg", f"1{'0' * 200}.jpg", "007.jpg", "7.jpg")
    names = [path.name for path in image_files(tmp_path)]
    assert names == ["007.jpg", "7.jpg", f"{'9' * 200}.jpg", f"1{'0' * 200}.jpg"]
