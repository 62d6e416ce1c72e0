"""Where the images of a dataset may be: its own files, or the parquet copy that the Hub keeps.

Knows what a dataset consists of, and chooses where nobody did. Reads no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pointprompt.sources.hub.columns import NoImagesError
from pointprompt.sources.hub.layout import (
    Contents,
    Splits,
    contents_of,
    copy_contents,
    declared_configs,
    default_config,
)
from pointprompt.sources.hub.names import split_called
from pointprompt.sources.hub.remote import Connection
from pointprompt.sources.hub.repository import Repository, parquet_copy
from pointprompt.sources.hub.request import MAX_TEXT_LENGTH

_SHOWN = 3


@dataclass(frozen=True)
class Source:
    """Files that may hold the images asked for.

    Attributes:
        repository: Where they are.
        splits: Which they are.
        is_parquet: Whether they are parquet files rather than pictures.
        remarks: What a person should know who gets images from here.
    """

    repository: Repository
    splits: Splits
    is_parquet: bool
    remarks: tuple[str, ...] = ()


def sources(
    connection: Connection, found: Repository, asked: str, timeout: float
) -> Iterator[Source]:
    """Yield the places where the images may be, the likeliest first."""
    is_described = bool(declared_configs(found.card))
    own = contents_of(found.files, found.card)
    own = {name: c for name, c in own.items() if c.readable or c.archives or c.others}
    copy, copied = None, {}
    if not own or not _has(own, asked) or any(c.copy_is_better for c in own.values()):
        copy = parquet_copy(connection, found.name, timeout)
        copied = copy_contents(copy.files) if copy is not None else {}

    # Without a card, the Hub knows the names of what cannot be read here.
    hub_knows = not is_described and all(c.copy_is_better for c in own.values())
    offered = (copied if hub_knows else own) or own or copied
    if not _has(offered, asked):
        offered = {**copied, **own}
    if not offered:
        return
    preferred = default_config(found.card)
    config = choose("configuration", asked, offered, preferred=preferred)
    remarks = remarks_on_choice("configuration", asked, config, offered)
    unnamed = {} if is_described or asked else own
    contents = own.get(config) or unnamed.get("default") or Contents()

    if contents.parquet:
        aside = [f for f in contents.left_out if f.endswith(".parquet")]
        yield Source(found, contents.parquet, True, (*remarks, *_left_out(aside)))
    if copy is not None and config in copied and contents.copy_is_better:
        yield Source(copy, copied[config].parquet, True, tuple(remarks))
    if contents.pictures_are_the_dataset:
        unread = [*contents.archives, *contents.others] if contents.copy_is_better else []
        more = [f"Beside them the dataset holds {some(unread)}, not read here."] if unread else []
        aside = [f for f in contents.left_out if not f.endswith(".parquet")]
        yield Source(found, contents.pictures, False, (*remarks, *_left_out(aside), *more))


def choose(what: str, asked: str, available: Mapping[str, object], *, preferred: str) -> str:
    """Return the name asked for, or else the only or the preferred one.

    Raises:
        NoImagesError: There is none of that name, or a choice to make.
    """
    if asked in available:
        return asked
    choices = ", ".join(sorted(available)[:20]) + (", ..." if len(available) > 20 else "")
    if asked:
        alike = [n for n in available if n.casefold() == asked.casefold()]
        alike = alike or [n for n in available if what == "split" and n == split_called(asked)]
        if len(alike) == 1:
            return alike[0]
        raise NoImagesError(f"The dataset has no {what} {asked}. It has: {choices}.")
    if len(available) == 1:
        return next(iter(available))
    if preferred in available:
        return preferred
    raise NoImagesError(f"The dataset has more than one {what}. Choose one of: {choices}.")


def remarks_on_choice(what: str, asked: str, chosen: str, available: Iterable[str]) -> list[str]:
    """Return a remark where there was a choice that nobody made."""
    others = sorted(set(available) - {chosen})
    if asked or not others:
        return []
    return [f"These are of the {what} {chosen}; the dataset also has {some(others)}."]


def some(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    shown = ", ".join(name[:MAX_TEXT_LENGTH] for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _has(configs: Mapping[str, object], asked: str) -> bool:
    return not asked or asked.casefold() in map(str.casefold, configs)


def _left_out(files: Sequence[str]) -> list[str]:
    if not files:
        return []
    return [f"Left out, as by name no part of the split, a mask or an illustration: {some(files)}."]


def nothing_to_read(found: Repository) -> str:
    """Return a sentence that says what there is instead of images, and what to do."""
    name = found.name
    if f"{name.rpartition('/')[2]}.py" in found.files:
        return (
            f"{name} is loaded by a program of its own, and such programs are not run here. "
            "Look for a copy of it that is stored as parquet files."
        )
    contents = contents_of(found.files, found.card).values()
    archives = [file for c in contents for file in c.archives]
    if archives:
        return (
            f"{name} keeps its images in archives ({some(archives)}), which are not opened here, "
            "and the Hub has no copy of them as parquet files. Download and unpack them, and "
            "upload the images."
        )
    kinds = sorted({PurePosixPath(file).suffix.lower() for c in contents for file in c.others})
    instead = f", only files of the kind {some(kinds)}" if kinds else ""
    return (
        f"{name} holds neither parquet files nor plain images{instead}. Look for a copy of it "
        "that is stored as parquet files, or upload the images yourself."
    )
