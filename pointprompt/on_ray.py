"""A recipe -> what it says of the images of a Ray data set, by workers on one computer or many.

Knows Ray, and that each worker does what `applying.apply` does. Does not know where images come
from, what becomes of what is found, nor the terminal. Ray is imported when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pointprompt.formats.format import as_png
from pointprompt.recipes import file as recipe_file
from pointprompt.recipes.applied import Applied
from pointprompt.recipes.recipe import Recipe
from pointprompt.sources.photos import Limits

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow
    from ray import ObjectRef
    from ray.data import Dataset

# Images that a worker is given at a time: that many are done again where it dies.
BATCH = 16
# What a worker says of a batch that it can do nothing with: a column that nobody else has.
_REFUSED = "pointprompt refuses"

# Says what is to be told of an image, given what was found and the image's row.
Keep = Callable[[Applied, dict[str, Any]], dict[str, Any]]


class RayError(ValueError):
    """The work cannot be done on Ray; the message says why."""


def apply(
    recipe: Recipe | str | Path,
    images: Dataset,
    keep: Keep | None = None,
    *,
    column: str = "image",
    workers: int | None = None,
    gpus_per_worker: float | None = None,
    device: str | None = None,
    limits: Limits | None = None,
) -> Iterator[dict[str, Any]]:
    """What a recipe says of the images of a Ray data set, in whatever order they are done.

    The masks are those of `pointprompt.apply`. Ray must be running (`ray.init()`, by whose own
    conventions it is this computer or a cluster). The recipe is sent out once, and each worker
    loads the backbone once. Ray keeps as many images on their way as its workers need. Where a
    worker dies, what it was at is done again, so `keep` must give the same when it is called twice.

    Args:
        recipe: From `make_recipe`, or its file.
        images: A column of it holds an image a row: a path that all workers have, the bytes of a
            file, or both as {"bytes": ..., "path": ...}. So do `ray.data.read_binary_files`,
            `ray.data.read_parquet` of a Hugging Face data set's files, and
            `ray.data.from_huggingface`. An image is called what its column "name" says, or else
            what its file in the column "path" is called.
        keep: Is called in the worker with what was found in an image and the image's row, less the
            image; it returns a row of small values, with the same names and types for every image.
            None returns "name", "reason" as in `Applied`, "unlike", and of "things" each its
            "name", "presence" and "mask": a PNG, 255 where the thing is.
        column: Which one it is.
        workers: How many, with a core each; None takes one for each GPU, or without any one for
            each core but one. What reads the images may need that one: where there is none left,
            Ray waits for ever.
        gpus_per_worker: The share of a GPU that each has; None takes a whole one where there are
            GPUs.
        device: As for `pointprompt.apply`.
        limits: As for `pointprompt.apply`.

    Raises:
        RayError: Ray is not installed or not running, or a worker cannot do the work at all: it
            has other weights, or no disk to write to.
        RecipeError: It is no recipe.
        ray.exceptions.RayError: What happens on a cluster.
    """
    ray = _ray()
    if not isinstance(recipe, Recipe):
        recipe = recipe_file.read(recipe)
    workers, gpus = _sized(ray.cluster_resources(), workers, gpus_per_worker)
    if device is not None and not device.startswith("cuda"):
        gpus = 0.0
    work = images.map_batches(
        _Worker,
        # A reference: every computer fetches it once, however many workers it has.
        fn_constructor_args=(ray.put(recipe_file.encode(recipe)), keep, column, device, limits),
        batch_size=BATCH,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
        num_gpus=gpus,
    )
    return _said(work)


def _said(work: Dataset) -> Iterator[dict[str, Any]]:
    for row in work.iter_rows():
        if row.get(_REFUSED):
            raise RayError(row[_REFUSED])
        yield {name: value for name, value in row.items() if name != _REFUSED}


def _ray() -> Any:
    try:
        import ray.data
    except ImportError as error:
        raise RayError(
            "Ray is not installed here: pip install 'pointprompt[ray]'. It must be on every "
            "computer that works."
        ) from error
    if not ray.is_initialized():
        raise RayError("Ray is not running: call ray.init() first.")
    return ray


def _sized(
    there: dict[str, float], workers: int | None, gpus_per_worker: float | None
) -> tuple[int, float]:
    """How many workers, and the share of a GPU of each, by what there is.

    Raises:
        RayError: There is not so much.
    """
    cpus, all_gpus = there.get("CPU", 1.0), there.get("GPU", 0.0)
    gpus = (1.0 if all_gpus else 0.0) if gpus_per_worker is None else gpus_per_worker
    if gpus < 0 or (workers is not None and workers < 1):
        raise RayError("There must be at least one worker, and of GPUs no less than 0 for it.")
    room = int(min(cpus, all_gpus / gpus if gpus else cpus))
    if not gpus and workers is None:
        room = max(1, room - 1)
    # Ray itself would wait for ever.
    if room < (workers or 1):
        raise RayError(
            f"Ray has {cpus:g} cores and {all_gpus:g} GPUs: room for {room} workers, not for "
            f"{workers or 1}. Ask for fewer, or for a smaller share of a GPU."
        )
    return workers or room, gpus


class _Worker:
    """An actor: it has the recipe, and loads the backbone for its first images."""

    def __init__(
        self,
        recipe: ObjectRef,
        keep: Keep | None,
        column: str,
        device: str | None,
        limits: Limits | None,
    ) -> None:
        import ray

        self._recipe = recipe_file.decode(ray.get(recipe))
        self._keep = keep
        self._column = column
        self._device = device
        self._limits = limits

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        """The rows that say what was found in the images of these rows."""
        import pyarrow as pa

        try:
            rows = self._done(batch.to_pylist())
        # As a value: of an error that is raised here, its sentence would not arrive.
        except (ValueError, OSError, MemoryError) as error:
            return pa.table({_REFUSED: [str(error) or type(error).__name__]})
        return pa.Table.from_pylist(rows, None if self._keep else _schema())

    def _done(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        # Here, since it imports torch, and the options of a command need it not.
        from pointprompt.applying import apply as apply_here

        images = [row.pop(self._column) for row in rows]
        found = apply_here(
            self._recipe,
            images,
            names=[_name(row, image) for row, image in zip(rows, images, strict=True)],
            device=self._device,
            limits=self._limits,
        )
        keep = self._keep or _shown
        return [keep(applied, row) for applied, row in zip(found, rows, strict=True)]


def _name(row: dict[str, Any], image: Any) -> str:
    """What an image is called; "" where nothing says it."""
    inside = image.get("path") if isinstance(image, dict) else image
    path = row.get("path") or (inside if isinstance(inside, str) else "")
    return str(row.get("name") or path.replace("\\", "/").rpartition("/")[2])


def _shown(applied: Applied, _: dict[str, Any]) -> dict[str, Any]:
    things = [
        {"name": name, "presence": applied.presence[name], "mask": as_png(mask * np.uint8(255))}
        for name, mask in applied.masks.items()
    ]
    return {
        "name": applied.name,
        "reason": applied.reason,
        "unlike": applied.unlike,
        "things": things,
    }


def _schema() -> Any:
    """Of the rows of `_shown`: a batch in which no image could be read does not tell it."""
    import pyarrow as pa

    thing = pa.struct([("name", pa.string()), ("presence", pa.float64()), ("mask", pa.binary())])
    return pa.schema(
        [
            ("name", pa.string()),
            ("reason", pa.string()),
            ("unlike", pa.bool_()),
            ("things", pa.list_(thing)),
        ]
    )
