"""Tells from names and from the author's card which files of a dataset hold its images.

Knows the conventions of the Hub: configurations, splits, patterns, folders of images. Reads
nothing, so that it cannot know what is inside a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from pointprompt.sources.hub.names import (
    Splits,
    archives_in,
    as_splits,
    is_hidden,
    is_illustration,
    is_metadata,
    others_in,
    parquet_in,
    pictures_in,
    splits_by_name,
    without_masks,
)
from pointprompt.sources.hub.patterns import matches, parts_of, patterns_of
from pointprompt.sources.hub.remote import DatasetError

# Beside so many pictures, another file may hold the dataset itself and these be its illustrations.
_FEW_PICTURES = 10
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
    visible = [file for file in files if not is_hidden(file)]
    configs = declared_configs(card)
    if not configs:
        return {"default": _by_name(visible)}
    result = {}
    comparisons = 0
    for config in configs:
        folder = str(config.get("data_dir") or "").strip("./")
        inside = [f for f in visible if not folder or f.startswith(f"{folder}/")]
        patterns = patterns_of(config.get("data_files"))
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
    return {config: Contents(parquet=as_splits(splits)) for config, splits in layout.items()}


def declared_configs(card: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the configurations that a card describes."""
    configs = card.get("configs")
    return [c for c in configs if isinstance(c, dict)] if isinstance(configs, list) else []


def default_config(card: dict[str, Any]) -> str:
    """Return the name of the configuration to use where none is asked for."""
    marked = [c.get("config_name") for c in declared_configs(card) if c.get("default") is True]
    return str(marked[0]) if marked else "default"


def _by_pattern(files: Sequence[str], patterns: dict[str, list[str]], folder: str) -> Contents:
    """Return the files that the patterns pick. They can only pick from `files`."""
    paths = [(file, PurePosixPath(file).parts) for file in files]
    parquet, pictures, left_out = {}, {}, []
    picked: set[str] = set()
    for split, texts in patterns.items():
        wanted = [parts_of(folder, text) for text in texts]
        matching = {f for f, parts in paths if any(matches(parts, w) for w in wanted)}
        described = {PurePosixPath(f).parent for f in matching if is_metadata(f)}
        if described:
            beside = [f for f, _ in paths if described & set(PurePosixPath(f).parents)]
            matching.update(pictures_in(beside))
        photos, masks = without_masks(pictures_in(matching))
        parquet[split], pictures[split] = parquet_in(matching), photos
        left_out += masks
        picked |= matching
    chosen = [file for file in files if file in picked]
    return Contents(
        parquet=as_splits(parquet),
        pictures=as_splits(pictures),
        left_out=tuple(left_out),
        archives=archives_in(chosen),
        others=others_in(chosen),
    )


def _by_name(files: Sequence[str]) -> Contents:
    found, masks = without_masks(pictures_in(files))
    photos = [file for file in found if not is_illustration(file)]
    illustrations = [file for file in found if is_illustration(file)] if photos else []
    parquet, rest_of_parquet = splits_by_name(parquet_in(files), is_picture=False)
    pictures, rest_of_pictures = splits_by_name(photos or found, is_picture=True)
    program = [f for f in files if f.endswith(".py") and "/" not in f]
    return Contents(
        parquet=parquet,
        pictures=pictures,
        left_out=(*masks, *illustrations, *rest_of_pictures, *rest_of_parquet),
        archives=archives_in(files),
        others=(*others_in(files), *program),
        illustrations=not photos and len(found) <= _FEW_PICTURES,
    )
