"""The images of a run -> the workers of Ray, each of which keeps what it finds.

Knows Ray's data sets, and how Ray is found or started. Does not know recipes, nor what is kept.

This process sends out names of files, or of parts of a data set, which workers read; it is told a
few words an image. What is found goes to the disk, which all must share.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pointprompt import on_ray
from pointprompt.cli.images import Image, Listed, Streamed
from pointprompt.cli.keeping import Keeper
from pointprompt.recipes.applied import Applied
from pointprompt.recipes.recipe import Recipe
from pointprompt.sources.dataset_rows import Row
from pointprompt.sources.hub.remote import DatasetError
from pointprompt.sources.photos import Limits

if TYPE_CHECKING:
    import pyarrow
    from ray.data import Dataset


class Spread(NamedTuple):
    """How a run is spread over workers: `workers` and `gpus_per_worker` of `on_ray.apply`."""

    workers: int | None = None
    gpus_per_worker: float | None = None


def spread(
    images: Listed | Streamed,
    recipe: Recipe,
    keeper: Keeper,
    how: Spread,
    *,
    device: str | None,
    limits: Limits,
    tell: Callable[[str], None],
) -> dict[Path, str]:
    """Have all images done that are not yet; why nothing is in some, by their paths.

    Args:
        images: All of them.
        recipe: As for `apply`.
        keeper: Keeps what is found.
        how: As above.
        device: As for `apply`.
        limits: As for `apply`.
        tell: Told of every image that is done, why nothing is in it, or "".

    Raises:
        RayError: As for `on_ray.apply`.
    """
    with _running():
        rows = (
            _of_files(images, keeper) if isinstance(images, Listed) else _of_parts(images, keeper)
        )
        failed: dict[Path, str] = {}
        if rows is None:
            return failed

        def keep(applied: Applied, row: dict[str, Any]) -> dict[str, Any]:
            record = keeper.keep(applied, _image(row))
            return {"path": row["path"], "reason": record if isinstance(record, str) else ""}

        done = on_ray.apply(
            recipe,
            rows,
            keep,
            workers=how.workers,
            gpus_per_worker=how.gpus_per_worker,
            device=device,
            limits=limits,
        )
        for row in done:
            if row["reason"]:
                failed[Path(row["path"])] = row["reason"]
            tell(row["reason"])
        return failed


@contextmanager
def _running() -> Iterator[None]:
    """Ray, for as long as the block lasts: the one that RAY_ADDRESS names, or one of this computer.

    Raises:
        RayError: There is none.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Of what it says itself there is no line that a person here could act on.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray.data
    except ImportError as error:
        raise on_ray.RayError(
            "Ray is not installed here: pip install 'pointprompt[ray]'."
        ) from error
    ours = not ray.is_initialized()
    if ours:
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
        except ConnectionError as error:
            raise on_ray.RayError(
                f"There is no Ray at RAY_ADDRESS={os.environ.get('RAY_ADDRESS', '')}: {error}"
            ) from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        if ours:
            ray.shutdown()


def _of_files(images: Listed, keeper: Keeper) -> Dataset | None:
    """The files that are not done, so few at a time that little is lost with a worker."""
    import ray.data

    new = (image for image in images if not keeper.is_done(image))
    tables = []
    while some := list(islice(new, on_ray.BATCH)):
        tables.append(_table([{"image": str(image.path), **_said(image)} for image in some]))
    return ray.data.from_arrow(tables) if tables else None


def _of_parts(images: Streamed, keeper: Keeper) -> Dataset:
    """What is not done of a data set, read by workers, a part by one."""
    import ray.data

    def read(parts: dict[str, Any]) -> Iterator[pyarrow.Table]:
        for part in parts["id"]:
            try:
                for image in images.of(int(part)):
                    if image.row is not None and image.row.lack:
                        keeper.give_up(image, image.row.lack)
                    elif image.row is not None:
                        yield _table([{"image": image.row.data, **_said(image)}])
            except DatasetError as error:
                # As a value: of an error that is raised here, its sentence would not arrive.
                yield _table([{"image": b"", **_said(_NO_IMAGE, str(error))}])

    parts = [{"id": part} for part in range(images.parts)]
    # No core of their own, for they mostly wait: else workers, which have one each, left them none.
    return ray.data.from_items(parts, override_num_blocks=images.parts).map_batches(
        read, batch_size=1, num_cpus=0
    )


_NO_IMAGE = Image(Path(), "", "", "", Row("", b""))


def _said(image: Image, problem: str = "") -> dict[str, Any]:
    """What a worker must know of an image, or the problem that ends it all."""
    return {
        "path": str(image.path),
        "key": image.key,
        "shown": image.shown,
        "name": image.name,
        "is_row": image.row is not None,
        "problem": problem,
    }


def _image(row: dict[str, Any]) -> Image:
    """What `_said` says.

    Raises:
        DatasetError: It is a problem.
    """
    if row["problem"]:
        raise DatasetError(row["problem"])
    of_row = Row("", b"") if row["is_row"] else None
    return Image(Path(row["path"]), row["key"], row["shown"], row["name"], of_row)


def _table(rows: list[dict[str, Any]]) -> pyarrow.Table:
    import pyarrow as pa

    try:
        return pa.Table.from_pylist(rows)
    except UnicodeEncodeError as error:
        raise on_ray.RayError(
            f"Ray cannot be told of {error.object!r}, whose name is not in UTF-8. Rename it."
        ) from error
