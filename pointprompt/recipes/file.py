"""A recipe -> the bytes of its file, and back. Anyone may have written what is read.

Knows safetensors, JSON, and what each value of a recipe may be. Does not know what is done with
recipes.

A file is arrays, by name, and under "pointprompt" a JSON document of all else:

    terms.<name>                      of `Terms.arrays`
    <t>.codes, images, labels,        of the t-th thing: `Concept.tokens`
    <t>.heights, heights_elsewhere
    <t>.looks                         `Concept.looks`
    <i>.numbers, <i>.scales           of the i-th image: `KnownImage.codes`, where it has any

There is no code in it, and nothing of it is run.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from pointprompt.analysis.codes import Packed
from pointprompt.recipes.recipe import KnownImage, Recipe, RecipeError, RecipeThing
from pointprompt.rules.concept import Bumps, Concept, Level, Looks
from pointprompt.settings import JointRule, Settings
from pointprompt.things import MAX_THINGS, Color, Thing, check_things
from pointprompt.types import BackboneChoice, Click, is_number, is_whole, python_number

# To be raised where the same names come to mean something else.
VERSION = 1
# The terms of the largest backbone have 10 MB, and an image's own codes a tenth of one.
MAX_BYTES = 256 << 20
MAX_CLICKS = 10_000
MAX_IMAGES = 100_000

_KEY = "pointprompt"
_LENGTH = 8
_MAX_TEXT = 64 << 20
_DIGEST = re.compile("[0-9a-f]{64}")
_MOST_TOKENS = 1 << 16
# Codes have length 1 but for their rounding.
_LONGEST_CODE = 1.5
_BACKBONE = {"name": str, "node": str, "layer": int, "input_size": int, "debias": bool}

_Arrays = Mapping[str, NDArray[Any]]


def encode(recipe: Recipe) -> bytes:
    """The content of a recipe's file; of equal recipes the same."""
    arrays: dict[str, NDArray[Any]] = {}
    arrays |= {f"terms.{name}": array for name, array in recipe.terms.arrays().items()}
    for number, thing in enumerate(recipe.things):
        tokens = thing.concept.tokens
        arrays |= {
            f"thing.{number}.codes": tokens.codes,
            f"thing.{number}.images": tokens.images.astype(np.int64),
            f"thing.{number}.labels": tokens.labels.astype(np.int64),
            f"thing.{number}.heights": tokens.heights,
            f"thing.{number}.heights_elsewhere": tokens.heights_elsewhere,
            f"thing.{number}.looks": thing.concept.looks.codes,
        }
    for index, image in enumerate(recipe.images):
        if image.codes is not None:
            arrays[f"image.{index}.numbers"] = image.codes.numbers
            arrays[f"image.{index}.scales"] = image.codes.scales
    # Not `ascontiguousarray`, which would make vectors of numbers.
    arrays = {name: np.asarray(array, order="C") for name, array in sorted(arrays.items())}
    document = {
        "version": VERSION,
        "backbone": asdict(recipe.backbone),
        "identity": recipe.identity,
        "grid": list(recipe.grid),
        "things": [_thing_entry(thing) for thing in recipe.things],
        "images": [[image.digest, image.number] for image in recipe.images],
        "arrays": _digest(arrays),
    }
    text = json.dumps(document, allow_nan=False, sort_keys=True, default=python_number)
    return save(arrays, {_KEY: text})


def decode(data: bytes) -> Recipe:
    """The recipe in a file's content, from anyone.

    Raises:
        RecipeError: It is none, of another version, or a value in it is not of its kind or not in
            its range.
    """
    if len(data) > MAX_BYTES:
        raise RecipeError(f"A recipe has at most {MAX_BYTES >> 20} MiB.")
    document = _document(data)
    try:
        arrays: dict[str, NDArray[Any]] = load(data)
    except (SafetensorError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise RecipeError("This recipe is damaged: its arrays cannot be read.") from error
    if document.get("arrays") != _digest(arrays):
        raise RecipeError("This recipe is damaged: its arrays are not what was written.")
    try:
        return _recipe(document, arrays)
    except RecipeError:
        raise
    except ValueError as error:
        # What the parts themselves say of their values.
        raise RecipeError(f"This recipe cannot be used: {str(error)[:300]}") from error
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        said = "a value is missing, or of another kind."
        raise RecipeError(f"This recipe cannot be used: {said}") from error


def write(recipe: Recipe, path: str | Path) -> Path:
    """Write a recipe's file, whole or not at all, over what is there; its path.

    Args:
        recipe: From `make_recipe`.
        path: The file; its folder is there.

    Raises:
        OSError: It cannot be written.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with unfinished.open("xb") as file:
            file.write(encode(recipe))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink()
    return path


def read(path: str | Path) -> Recipe:
    """The recipe in a file.

    Args:
        path: The file, from anyone: nothing in it is run, and every value is checked.

    Raises:
        RecipeError: It is none, of another version, damaged or too large, or a value in it is not
            of its kind or not in its range.
        OSError: It cannot be read.
    """
    with Path(path).open("rb") as file:
        return decode(file.read(MAX_BYTES + 1))


# --- Writing -------------------------------------------------------------------------------------


def _thing_entry(thing: RecipeThing) -> dict[str, Any]:
    tokens, looks = thing.concept.tokens, thing.concept.looks
    return {
        "name": thing.name,
        "color": list(thing.color),
        "settings": thing.settings.as_dict(),
        "clicks": [[c.image, float(c.x), float(c.y), c.positive] for c in thing.clicks],
        "level": [float(tokens.level.own), float(tokens.level.elsewhere)],
        "looks_level": float(looks.level),
        "sure_of": sorted(int(image) for image in thing.concept.sure_of),
    }


def _digest(arrays: _Arrays) -> str:
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape};".encode())
        digest.update(np.asarray(array, order="C").tobytes())
    return digest.hexdigest()


# --- Reading -------------------------------------------------------------------------------------


def _document(data: bytes) -> dict[str, Any]:
    """What the metadata of a file of arrays says, where that is a recipe's."""
    length = int.from_bytes(data[:_LENGTH], "little")
    none = RecipeError("This is not a recipe of pointprompt.")
    if not 2 <= length <= min(len(data) - _LENGTH, _MAX_TEXT):
        raise none
    try:
        header = json.loads(data[_LENGTH : _LENGTH + length])
        document = json.loads(header["__metadata__"][_KEY])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise none from None
    if not isinstance(document, dict):
        raise none
    if document.get("version") != VERSION or isinstance(document["version"], bool):
        raise RecipeError(
            f"This recipe has the version {document.get('version')!r:.40}; this pointprompt reads "
            f"{VERSION}. Download it again, or update pointprompt."
        )
    return document


def _recipe(document: dict[str, Any], arrays: _Arrays) -> Recipe:
    # Here, since it imports torch.
    from pointprompt.analysis.terms import Terms

    of_terms = {
        name.removeprefix("terms."): array
        for name, array in arrays.items()
        if name.startswith("terms.")
    }
    terms = Terms.from_arrays(of_terms)
    _check_terms(terms)
    grid = _numbers(document["grid"], "grid", 2)
    if min(grid) < 1 or grid[0] * grid[1] > _MOST_TOKENS:
        raise ValueError("its grid is none.")
    d = terms.embedder.joint.shape[1]
    images = _images(document["images"], arrays, (grid[0], grid[1], d))
    entries = document["things"]
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_THINGS:
        raise ValueError(f"it must have 1 to {MAX_THINGS} things.")
    things = tuple(
        _thing(entry, f"thing.{t}", arrays, len(images), d) for t, entry in enumerate(entries)
    )
    check_things([Thing(thing.name) for thing in things])
    identity = document["identity"]
    if not isinstance(identity, str) or len(identity) > 10_000:
        raise ValueError("it does not say which weights it was made with.")
    recipe = Recipe(
        _backbone(document["backbone"]), identity, (grid[0], grid[1]), terms, things, images
    )
    return recipe


def _check_terms(terms: Any) -> None:
    """Check what `Terms.from_arrays` leaves to whoever wrote them."""
    cut, embedder = terms.cut, terms.embedder
    samples, k = cut.eigvecs.shape
    right = samples >= 4 and k >= 1 and cut.sigma > 0 and (cut.degrees > 0).all()
    right = right and 0 < len(embedder.scales) <= max(1, k - 1)
    right = right and 0 not in embedder.axes.shape and 0 not in embedder.joint.shape
    if not right:
        raise ValueError("its terms describe nothing.")


def _images(entries: Any, arrays: _Arrays, shape: tuple[int, int, int]) -> tuple[KnownImage, ...]:
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_IMAGES:
        raise ValueError("it does not say which images it was made on.")
    found = []
    for index, entry in enumerate(entries):
        digest, number = _list(entry, f"image {index}", 2)
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise ValueError(f"image {index} has no digest.")
        if not is_whole(number) or not 0 <= number <= index:
            raise ValueError(f"image {index} has no number.")
        codes = None
        if f"image.{index}.numbers" in arrays:
            numbers = _array(arrays, f"image.{index}.numbers", np.int8, shape)
            codes = Packed(numbers, _array(arrays, f"image.{index}.scales", np.float32, shape[2:]))
        found.append(KnownImage(digest, number, codes))
    return tuple(found)


def _thing(entry: Any, at: str, arrays: _Arrays, n: int, d: int) -> RecipeThing:
    color = Color(*_numbers(entry["color"], "color", 3))
    if not isinstance(entry["settings"], dict):
        raise ValueError("its settings must be an object.")
    settings = Settings.from_dict(entry["settings"])
    if not isinstance(settings.rule, JointRule):
        raise ValueError("a recipe is by our own rule alone.")
    if settings.concept:
        raise ValueError("a recipe goes on from no other one.")
    if not isinstance(entry["name"], str):
        raise ValueError("a thing has no name.")
    clicks = tuple(_click(click, n) for click in entry["clicks"])
    if not any(click.positive for click in clicks) or len(clicks) > MAX_CLICKS:
        raise ValueError(f"a thing must have up to {MAX_CLICKS} clicks, a positive one among them.")
    Thing(entry["name"], clicks, settings, color)  # It says what is wrong with them.
    return RecipeThing(entry["name"], color, settings, clicks, _concept(entry, at, arrays, n, d))


def _concept(entry: Any, at: str, arrays: _Arrays, n: int, d: int) -> Concept:
    m = len(arrays[f"{at}.labels"])
    if not 0 < m <= MAX_CLICKS:
        raise ValueError("a concept must be of clicks.")
    codes = _array(arrays, f"{at}.codes", np.float32, (m, d), _LONGEST_CODE)
    images = _array(arrays, f"{at}.images", np.int64, (m,)).astype(np.intp)
    labels = _array(arrays, f"{at}.labels", np.int64, (m,)).astype(np.intp)
    heights, elsewhere = (
        _array(arrays, f"{at}.{name}", np.float32, (m,), 10.0)
        for name in ("heights", "heights_elsewhere")
    )
    if not np.isin(labels, (1, -1)).all() or labels[0] != 1:
        raise ValueError("a concept begins with a click that says this.")
    if images.min() < 0 or images.max() >= n:
        raise ValueError("a concept is of an image that is not there.")
    looks = arrays[f"{at}.looks"]
    if looks.ndim != 2 or not 0 < len(looks) <= n:
        raise ValueError("a concept must have looks.")
    looks = _array(arrays, f"{at}.looks", np.float32, (len(looks), d), _LONGEST_CODE)
    own, other = (_level(value) for value in _list(entry["level"], "level", 2))
    sure_of = _numbers(entry["sure_of"], "sure_of", len(entry["sure_of"]))
    if not all(0 <= image < n for image in sure_of):
        raise ValueError("a concept is sure of an image that is not there.")
    return Concept(
        Bumps(Level(own, other), codes, images, labels, heights, elsewhere),
        Looks(looks, _level(entry["looks_level"])),
        frozenset(sure_of),
    )


def _level(value: object) -> float:
    # At 1 there would be nothing above it to divide by.
    if not is_number(value) or not -1 <= value < 0.999:
        raise ValueError("a concept's level must be at least -1 and below 1.")
    return float(value)


def _click(entry: Any, n: int) -> Click:
    image, x, y, positive = _list(entry, "click", 4)
    if not is_whole(image) or not 0 <= image < n:
        raise ValueError("a click is on an image that is not there.")
    return Click(image, x, y, positive)


def _numbers(value: Any, name: str, count: int) -> list[int]:
    if not all(map(is_whole, _list(value, name, count))):
        raise ValueError(f"its {name} must be {count} whole numbers.")
    return list(value)


def _list(value: Any, name: str, count: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != count:
        raise ValueError(f"its {name} must be a list of {count}.")
    return value


def _array(
    arrays: _Arrays,
    name: str,
    kind: type[np.generic],
    shape: tuple[int, ...],
    most: float | None = None,
) -> NDArray[Any]:
    """An array of this kind and shape, finite and nowhere larger than `most`."""
    array = arrays[name]
    right = array.dtype == kind and array.shape == shape and bool(np.isfinite(array).all())
    if not right or (most is not None and array.size and np.abs(array).max() > most):
        raise ValueError(f"{name} is not what it should be.")
    return array


def _backbone(entry: Any) -> BackboneChoice:
    if (
        not isinstance(entry, dict)
        or set(entry) != set(_BACKBONE)
        or any(type(entry[name]) is not kind for name, kind in _BACKBONE.items())
    ):
        raise ValueError("it does not say which backbone it was made with.")
    return BackboneChoice(**entry)
