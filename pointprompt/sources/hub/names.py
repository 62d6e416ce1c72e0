"""What the names of files and folders tell: pictures, masks, illustrations, archives, splits.

Knows how people call things in datasets. Does not know cards, nor what is inside a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from pointprompt.sources.codecs.signatures import PHOTO_SUFFIXES

# The files of each split.
Splits = dict[str, tuple[str, ...]]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What files are called that a person would call pictures. Whether they can be read shows later.
_PICTURE_SUFFIXES = frozenset(PHOTO_SUFFIXES)
_ARCHIVE = re.compile(r"\.(?:zip|tar|tgz|tbz2|txz|7z|rar)(?:\.\w+)?$", re.IGNORECASE)
# What stands beside data without being any.
_TEXTS = _words(
    ".md .txt .rst .py .ipynb .sh .yml .yaml .toml .cfg .bib .cff .pdf .html .svg .lock"
)
_DESCRIPTIONS = _words(
    "config.json dataset_info.json dataset_infos.json dataset_dict.json state.json"
)

_SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
}
# Words that say nothing beside a split's ("train_images") or a mask's ("SegmentationClass").
_EMPTY_WORDS = _words(
    "image images img imgs photo photos picture pictures data dataset set split part shard of file "
    "files folder png jpg jpeg hr lr x class object raw ids color fine all"
)
_SHARD = re.compile(r"(\w+)-\d{5}-of-\d{5}")
# What is painted by people or programs about photos, rather than photographed.
MASK_WORDS = _words(
    "mask masks annotation annotations label labels seg segm segs segmentation segmentations "
    "segmap semantic panoptic gt groundtruth depth disparity normals alpha matte mattes trimap "
    "trimaps heatmap saliency"
)
# Two classes of photos, as in "with mask" and "without mask", are no masks.
_CLASSES = re.compile(r"no[-_ ]?mask|non[-_ ]?mask|without|unmask", re.IGNORECASE)
_PAGE_FOLDERS = _words(
    "asset assets doc docs figure figures fig figs static media teaser teasers thumbnail "
    "thumbnails thumbs preview previews screenshots sample samples example examples demo"
)
_PAGE_WORDS = _words(
    "teaser logo banner thumbnail thumb preview overview figure fig demo example sample samples "
    "examples pipeline architecture framework screenshot cover icon readme header poster "
    "statistics stats leaderboard"
)
_ASIDE_STEMS = _words("metadata annotation annotations caption captions label labels")


def split_called(text: str) -> str:
    """Return the name under which a split called so is usually kept: validation for "dev"."""
    return _SPLIT_WORDS.get(text.lower(), text)


def words_in(text: str) -> list[str]:
    """Return the words of a name, in lower case: "SegmentationClass_2" has two."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text)]


# --- Kinds of files ------------------------------------------------------------------------------


def is_hidden(file: str) -> bool:
    """Return whether a file, or a folder that it is in, is by name not meant to be seen."""
    *folders, name = file.split("/")
    return name.startswith(".") or any(part.startswith((".", "__")) for part in folders)


def _suffix(file: str) -> str:
    return PurePosixPath(file).suffix.lower()


def parquet_in(files: Iterable[str]) -> list[str]:
    """Return the parquet files; those that are called metadata only where they are all."""
    found = sorted((f for f in files if _suffix(f) == ".parquet"), key=_natural)
    return [f for f in found if not set(words_in(PurePosixPath(f).stem)) & _ASIDE_STEMS] or found


def pictures_in(files: Iterable[str]) -> list[str]:
    """Return the pictures, 2 before 10."""
    return sorted((f for f in files if _suffix(f) in _PICTURE_SUFFIXES), key=_natural)


def archives_in(files: Iterable[str]) -> tuple[str, ...]:
    """Return the archives, but for those whose names say that they hold no photos."""
    found = [f for f in files if _ARCHIVE.search(f)]
    return tuple(f for f in found if not set(words_in(PurePosixPath(f).name)) & MASK_WORDS)


def others_in(files: Iterable[str]) -> tuple[str, ...]:
    """Return the files that may hold data in a form that is not read here."""

    def is_other(file: str) -> bool:
        known = _PICTURE_SUFFIXES | _TEXTS | {".parquet", ""}
        name = PurePosixPath(file).name
        described = name in _DESCRIPTIONS or is_metadata(file) or _ARCHIVE.search(file)
        return _suffix(file) not in known and not described

    return tuple(filter(is_other, files))


def is_metadata(file: str) -> bool:
    """Return whether a file describes the pictures of its folder, as the Hub's folders do."""
    path = PurePosixPath(file)
    return path.stem == "metadata" and path.suffix in (".csv", ".jsonl", ".parquet")


def _natural(file: str) -> list[list[str | tuple[int, str]]]:
    """Return a key that sorts 2 before 10, folder by folder."""

    def key(part: str) -> list[str | tuple[int, str]]:
        pieces: list[str | tuple[int, str]] = list(re.split(r"([0-9]+)", part.casefold()))
        for index in range(1, len(pieces), 2):
            digits = str(pieces[index]).lstrip("0")
            pieces[index] = (len(digits), digits)
        return pieces

    return [*map(key, file.split("/")), [file]]


# --- Illustrations, masks and splits -------------------------------------------------------------


def is_illustration(file: str) -> bool:
    """Return whether a picture seems to belong to the dataset's page rather than to the dataset."""
    folders, _, name = file.rpartition("/")
    if folders:
        return folders.partition("/")[0].lower() in _PAGE_FOLDERS
    return bool(set(words_in(PurePosixPath(name).stem)) & _PAGE_WORDS)


def without_masks(pictures: list[str]) -> tuple[list[str], list[str]]:
    """Return the photos, and the pictures whose names say that they are masks of photos."""
    if any(_CLASSES.search(file) for file in pictures):
        return pictures, []
    in_photos = [file for file in pictures if not _is_in_mask_folder(file)]
    stems = {_stem_words(file) for file in in_photos}

    def is_mask(file: str) -> bool:
        words = _stem_words(file)
        rest = tuple(word for word in words if word not in MASK_WORDS)
        return rest != words and rest in stems

    photos = [file for file in in_photos if not is_mask(file)]
    if not photos:
        return pictures, []
    kept = set(photos)
    return photos, [file for file in pictures if file not in kept]


def _is_in_mask_folder(file: str) -> bool:
    def holds_masks(folder: str) -> bool:
        words = set(words_in(folder))
        return bool(words & MASK_WORDS) and words <= (MASK_WORDS | _EMPTY_WORDS | set(_SPLIT_WORDS))

    return any(holds_masks(folder) for folder in file.split("/")[:-1])


def _stem_words(file: str) -> tuple[str, ...]:
    stem = PurePosixPath(file).stem
    words = re.findall(r"[0-9]+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+", stem)
    return tuple(word.lower() for word in words)


def splits_by_name(files: Sequence[str], *, is_picture: bool) -> tuple[Splits, list[str]]:
    """Return the files by the split that their names tell, and those that belong to none.

    A name that merely holds a split's word ("a train in the rain.jpg") tells a split only where
    the names of all files do. What then is in no split is "train", unless there is one.
    """
    certain = {file: _split_of(file, is_picture, certain=True) for file in files}
    found = (
        certain
        if any(certain.values())
        else {file: _split_of(file, is_picture, certain=False) for file in files}
    )
    if found is not certain and not all(found.values()):
        found = {}
    splits: dict[str, list[str]] = {}
    rest = []
    for file in files:
        if split := found.get(file):
            splits.setdefault(split, []).append(file)
        else:
            rest.append(file)
    if rest and "train" not in splits:
        splits["train"], rest = rest, []
    return as_splits(splits), rest


def _split_of(file: str, is_picture: bool, *, certain: bool) -> str | None:
    *folders, name = file.split("/")
    shard = _SHARD.match(name)
    if not is_picture and shard is not None and (folders[-1:] == ["data"]):
        return shard[1]
    stem = PurePosixPath(name).stem
    words = words_in(stem)
    if is_picture and (certain or not set(words) <= set(_SPLIT_WORDS)):
        stem = ""
    return next(_told(folders, stem, certain), None)


def _told(folders: Sequence[str], stem: str, certain: bool) -> Iterator[str]:
    for text in (*folders, stem):
        words = words_in(text)
        others = [word for word in words if word not in _SPLIT_WORDS]
        if not certain or all(w in _EMPTY_WORDS or len(w) == 1 for w in others):
            yield from (_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS)


def as_splits(splits: dict[str, list[str]]) -> Splits:
    """Return the splits that have any files."""
    return {split: tuple(files) for split, files in splits.items() if files}
