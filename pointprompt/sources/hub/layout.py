"""Tells from names and from the author's card which files of a dataset hold its images.

Knows the conventions of the Hub: configurations, splits, patterns, folders of images. Reads
nothing, so that it cannot know what is inside a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from pointprompt.sources.hub.remote import DatasetError

# The files of each split.
Splits = dict[str, tuple[str, ...]]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What files are called that a person would call pictures. Whether they can be read shows later.
_PICTURE_SUFFIXES = _words(
    ".jpg .jpeg .jpe .jfif .png .apng .webp .bmp .dib .tif .tiff .gif .avif .heic .heif .hif .jxl "
    ".jp2 .j2k .jpx .jpf .ppm .pgm .pbm .pnm .pam .tga"
)
_ARCHIVE = re.compile(r"\.(?:zip|tar|tgz|tbz2|txz|7z|rar)(?:\.\w+)?$", re.IGNORECASE)
# What stands beside data without being any.
_TEXTS = _words(
    ".md .txt .rst .py .ipynb .sh .yml .yaml .toml .cfg .bib .cff .pdf .html .svg .lock"
)
_DESCRIPTIONS = _words(
    "config.json dataset_info.json dataset_infos.json dataset_dict.json state.json"
)
# Beside so many pictures, another file may hold the dataset itself and these be its illustrations.
_FEW_PICTURES = 10

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

_MAX_PATTERNS = 200
# Comparing a path with a pattern takes one or two microseconds.
_MAX_COMPARISONS = 5_000_000


@dataclass(frozen=True)
class Contents:
    """The files of one configuration, by what can be done with them.

    Attributes:
        parquet: Parquet files.
        pictures: Plain image files.
        left_out: Pictures and parquet files that belong to no split, are masks of others, or
            illustrate the dataset's page.
        archives: Files that may hold images and are not opened here.
        others: Data in forms that are not read here.
        illustrations: Whether the pictures are nothing but illustrations, as far as names tell.
    """

    parquet: Splits = field(default_factory=dict)
    pictures: Splits = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    archives: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    illustrations: bool = False

    @property
    def readable(self) -> bool:
        """Whether there is anything that can be read here."""
        return bool(self.parquet or self.pictures)

    @property
    def copy_is_better(self) -> bool:
        """Whether the images may be elsewhere than in what can be read here."""
        if self.parquet:
            return bool(self.archives)
        few = sum(map(len, self.pictures.values())) <= _FEW_PICTURES
        return bool(self.archives) or (few and bool(self.others)) or not self.pictures

    @property
    def pictures_are_the_dataset(self) -> bool:
        """Whether the plain pictures are worth reading although nothing else could be."""
        if self.archives:
            return sum(map(len, self.pictures.values())) > _FEW_PICTURES
        return bool(self.pictures) and not (self.illustrations and (self.others or self.parquet))


def contents_of(files: Sequence[str], card: dict[str, Any]) -> dict[str, Contents]:
    """Return what each configuration consists of, as the card or else the file names say.

    Args:
        files: The paths of all files of the repository.
        card: What its author declares. Its patterns can only pick from `files`.
    """
    visible = [file for file in files if not _is_hidden(file)]
    configs = declared_configs(card)
    if not configs:
        return {"default": _by_name(visible)}
    result = {}
    comparisons = 0
    for config in configs:
        folder = str(config.get("data_dir") or "").strip("./")
        inside = [f for f in visible if not folder or f.startswith(f"{folder}/")]
        patterns = _patterns(config.get("data_files"))
        comparisons += len(inside) * sum(map(len, patterns.values()))
        if comparisons > _MAX_COMPARISONS:
            raise DatasetError("The dataset's card describes more files than are looked through.")
        contents = _by_pattern(inside, patterns, folder) if patterns else _by_name(inside)
        result[str(config.get("config_name", "default"))] = contents
    return result


def copy_contents(files: Sequence[str]) -> dict[str, Contents]:
    """Return what the Hub's parquet copy consists of, of which the largest are kept in part."""
    layout: dict[str, dict[str, list[str]]] = {}
    for file in files:
        parts = PurePosixPath(file).parts
        if len(parts) == 3 and file.endswith(".parquet"):
            splits = layout.setdefault(parts[0], {})
            splits.setdefault(parts[1].removeprefix("partial-"), []).append(file)
    return {config: Contents(parquet=_frozen(splits)) for config, splits in layout.items()}


def declared_configs(card: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the configurations that a card describes."""
    configs = card.get("configs")
    return [c for c in configs if isinstance(c, dict)] if isinstance(configs, list) else []


def default_config(card: dict[str, Any]) -> str:
    """Return the name of the configuration to use where none is asked for."""
    marked = [c.get("config_name") for c in declared_configs(card) if c.get("default") is True]
    return str(marked[0]) if marked else "default"


def split_called(text: str) -> str:
    """Return the name under which a split called so is usually kept: validation for "dev"."""
    return _SPLIT_WORDS.get(text.lower(), text)


def words_in(text: str) -> list[str]:
    """Return the words of a name, in lower case: "SegmentationClass_2" has two."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text)]


# --- Kinds of files ------------------------------------------------------------------------------


def _is_hidden(file: str) -> bool:
    *folders, name = file.split("/")
    return name.startswith(".") or any(part.startswith((".", "__")) for part in folders)


def _suffix(file: str) -> str:
    return PurePosixPath(file).suffix.lower()


def _parquet_in(files: Iterable[str]) -> list[str]:
    """Return the parquet files; those that are called metadata only where they are all."""
    found = sorted((f for f in files if _suffix(f) == ".parquet"), key=_natural)
    return [f for f in found if not set(words_in(PurePosixPath(f).stem)) & _ASIDE_STEMS] or found


def _pictures_in(files: Iterable[str]) -> list[str]:
    return sorted((f for f in files if _suffix(f) in _PICTURE_SUFFIXES), key=_natural)


def _archives_in(files: Iterable[str]) -> tuple[str, ...]:
    """Return the archives, but for those whose names say that they hold no photos."""
    found = [f for f in files if _ARCHIVE.search(f)]
    return tuple(f for f in found if not set(words_in(PurePosixPath(f).name)) & MASK_WORDS)


def _others_in(files: Iterable[str]) -> tuple[str, ...]:
    def is_other(file: str) -> bool:
        known = _PICTURE_SUFFIXES | _TEXTS | {".parquet", ""}
        name = PurePosixPath(file).name
        described = name in _DESCRIPTIONS or _is_metadata(file) or _ARCHIVE.search(file)
        return _suffix(file) not in known and not described

    return tuple(filter(is_other, files))


def _is_metadata(file: str) -> bool:
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


def _frozen(splits: dict[str, list[str]]) -> Splits:
    return {split: tuple(files) for split, files in splits.items() if files}


# --- By the card's patterns ----------------------------------------------------------------------


def _patterns(data_files: object) -> dict[str, list[str]]:
    """Return the patterns of each split, from any of the forms a dataset's card allows."""
    if isinstance(data_files, dict):
        data_files = [{"split": split, "path": path} for split, path in data_files.items()]
    if not isinstance(data_files, list):
        data_files = [data_files]
    result: dict[str, list[str]] = {}
    for entry in data_files[:_MAX_PATTERNS]:
        split, found = "train", entry
        if isinstance(entry, dict):
            split, found = str(entry.get("split", "train")), entry.get("path")
        texts = found if isinstance(found, list) else [found]
        kept = [p for text in texts[:_MAX_PATTERNS] if isinstance(text, str) for p in _plain(text)]
        if kept:
            result.setdefault(split, []).extend(kept)
    return result


def _plain(pattern: str) -> list[str]:
    """Return the patterns without alternatives in braces that one with them stands for."""
    waiting = [pattern]
    done: list[str] = []
    while waiting and len(waiting) + len(done) <= _MAX_PATTERNS:
        text = waiting.pop(0)
        braces = re.search(r"\{([^{}]*)\}", text)
        if braces is None or "," not in braces[1]:
            done.append(text)
        else:
            start, end = text[: braces.start()], text[braces.end() :]
            waiting += [f"{start}{choice}{end}" for choice in braces[1].split(",")]
    return done


def _by_pattern(files: Sequence[str], patterns: dict[str, list[str]], folder: str) -> Contents:
    """Return the files that the patterns pick. They can only pick from `files`."""
    paths = [(file, PurePosixPath(file).parts) for file in files]
    parquet, pictures, left_out = {}, {}, []
    picked: set[str] = set()
    for split, texts in patterns.items():
        wanted = [_parts(folder, text) for text in texts]
        matching = {f for f, parts in paths if any(_matches(parts, w) for w in wanted)}
        described = {PurePosixPath(f).parent for f in matching if _is_metadata(f)}
        if described:
            beside = [f for f, _ in paths if described & set(PurePosixPath(f).parents)]
            matching.update(_pictures_in(beside))
        photos, masks = _without_masks(_pictures_in(matching))
        parquet[split], pictures[split] = _parquet_in(matching), photos
        left_out += masks
        picked |= matching
    chosen = [file for file in files if file in picked]
    return Contents(
        parquet=_frozen(parquet),
        pictures=_frozen(pictures),
        left_out=tuple(left_out),
        archives=_archives_in(chosen),
        others=_others_in(chosen),
    )


def _parts(folder: str, pattern: str) -> tuple[str, ...]:
    # "**.jpg" means at any depth, and "photos/" means what is in that folder.
    pattern = re.sub(r"(?:(?<=/)|^)\*\*(?=[^/*])", "**/*", pattern)
    parts = PurePosixPath(folder, pattern).parts
    return (*parts, "**") if pattern.endswith("/") else parts


def _matches(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether the parts of a path fit those of a pattern; `**` stands for any folders."""
    at = wanted = retry_at = 0
    star: int | None = None
    while at < len(path):
        if wanted < len(pattern) and pattern[wanted] == "**":
            star, retry_at = wanted, at
            wanted += 1
        elif wanted < len(pattern) and fnmatchcase(path[at], pattern[wanted]):
            at += 1
            wanted += 1
        elif star is not None:
            # The newest `**` takes one folder more; the earlier ones need not be tried again.
            retry_at += 1
            at, wanted = retry_at, star + 1
        else:
            return False
    return all(part == "**" for part in pattern[wanted:])


# --- By names ------------------------------------------------------------------------------------


def _by_name(files: Sequence[str]) -> Contents:
    found, masks = _without_masks(_pictures_in(files))
    photos = [file for file in found if not _is_illustration(file)]
    illustrations = [file for file in found if _is_illustration(file)] if photos else []
    parquet, rest_of_parquet = _splits(_parquet_in(files), is_picture=False)
    pictures, rest_of_pictures = _splits(photos or found, is_picture=True)
    program = [f for f in files if f.endswith(".py") and "/" not in f]
    return Contents(
        parquet=parquet,
        pictures=pictures,
        left_out=(*masks, *illustrations, *rest_of_pictures, *rest_of_parquet),
        archives=_archives_in(files),
        others=(*_others_in(files), *program),
        illustrations=not photos and len(found) <= _FEW_PICTURES,
    )


def _is_illustration(file: str) -> bool:
    """Return whether a picture seems to belong to the dataset's page rather than to the dataset."""
    folders, _, name = file.rpartition("/")
    if folders:
        return folders.partition("/")[0].lower() in _PAGE_FOLDERS
    return bool(set(words_in(PurePosixPath(name).stem)) & _PAGE_WORDS)


def _without_masks(pictures: list[str]) -> tuple[list[str], list[str]]:
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


def _splits(files: Sequence[str], *, is_picture: bool) -> tuple[Splits, list[str]]:
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
    return _frozen(splits), rest


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
