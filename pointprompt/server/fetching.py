"""Image files into the folder of a session to be: files that are here already, and example sets.

Knows files. Does not know sessions, nor what becomes of the images.
"""

from __future__ import annotations

import filecmp
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pointprompt.server.session_files import IMAGES, link, subfolder
from pointprompt.sources.examples import ExampleSet
from pointprompt.types import Photo, ProgressFn

# Puts a set's image files into the folder it is given, and returns them in order.
Fetch = Callable[[Path, ProgressFn], Sequence[Path]]


def link_files(files: Sequence[str | Path]) -> Fetch:
    """A `Fetch` of files that are on this disk already."""

    def fetch(folder: Path, progress: ProgressFn) -> list[Path]:
        return [link_file(Path(file), folder, index) for index, file in enumerate(files)]

    return fetch


def make_files(example: ExampleSet) -> Fetch:
    """A `Fetch` of a built-in example set, whose pictures are made when they are wanted."""

    def fetch(folder: Path, progress: ProgressFn) -> list[Path]:
        from PIL import Image

        paths = [folder / image.name for image in example.images]
        for path, image in zip(paths, example.images, strict=True):
            Image.fromarray(image.load()).save(path)
        return paths

    return fetch


def link_photos(photos: Sequence[Photo]) -> Fetch:
    """A `Fetch` of photos' files, under the names of the photos."""

    def fetch(folder: Path, progress: ProgressFn) -> list[Path]:
        paths = []
        for index, photo in enumerate(photos):
            if isinstance(photo.source, Path):
                paths.append(subfolder(folder, str(index)) / photo.name)
                link(photo.source, paths[-1])
        return paths

    return fetch


def as_fetching(progress: ProgressFn) -> ProgressFn:
    """The same, for progress that is told while images are fetched rather than read."""
    return lambda step: progress(replace(step, stage="fetch"))


def link_file(file: Path, folder: Path, index: int) -> Path:
    """The file in the folder, under its own name; a folder each, since names may repeat."""
    path = subfolder(folder, str(index)) / file.name
    link(file, path)
    return path


def linked_photos(photos: Sequence[Photo], folder: Path) -> tuple[Photo, ...]:
    """The photos with their image files in a folder of images too."""
    images = subfolder(folder, IMAGES)
    return tuple(
        replace(photo, source=link_file(photo.source, images, index))
        if isinstance(photo.source, Path)
        else photo
        for index, photo in enumerate(photos)
    )


def is_among(path: Path, photos: Sequence[Photo]) -> bool:
    """Whether one of the photos has the same file, byte for byte."""
    return any(
        isinstance(photo.source, Path) and filecmp.cmp(path, photo.source, shallow=False)
        for photo in photos
    )
