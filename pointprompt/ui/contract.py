"""Writes `static/contract.js`: what the page must know of the server, in JavaScript.

The shapes of `wire`'s messages as JSDoc types, and the values that would else stand twice:
defaults, ranges, limits, colours and the constants of our rule. Nothing imports it.

    python -m pointprompt.ui.contract
"""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from pointprompt.analysis import codes
from pointprompt.edits import MAX_POINTS, MAX_STROKE_POINTS, MAX_STROKES
from pointprompt.formats.registry import DEFAULT_FORMATS, FORMATS
from pointprompt.masks import guided_filter, levels
from pointprompt.rules import concept, predictor
from pointprompt.server import wire
from pointprompt.settings import MAX_AREA, OUTLINES, RULES, SIZES, Settings
from pointprompt.things import MAX_NAME_CHARS, MAX_THINGS, THING_COLORS

PATH = Path(__file__).parent / "static" / "contract.js"

_MESSAGES = (
    wire.PredictRequest,
    wire.EdgesRequest,
    wire.ExportRequest,
    wire.PushRequest,
    wire.OpenRequest,
    wire.RecipeRequest,
    wire.RecallRequest,
    wire.RemoveRequest,
    wire.RestoreRequest,
    wire.MasksAnswer,
    wire.EdgesAnswer,
    wire.OpenedPrompt,
    wire.Failure,
    wire.Manifest,
    wire.Download,
)
_PLAIN: dict[Any, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


@dataclass(frozen=True)
class Slider:
    """Where a slider of the page begins and ends, within what its setting may be.

    Attributes:
        min: Its lowest place.
        max: Its highest place; of `n_eigvecs` that of an analysis takes its place.
        step: Between two places.
    """

    min: float
    max: float
    step: float


SLIDERS = {
    "threshold": Slider(0, 1, 0.01),
    "gamma": Slider(0.1, 5, 0.1),
    "min_area": Slider(0, 100, 1),
    "negative_threshold": Slider(0, 1, 0.01),
    "n_eigvecs": Slider(2, 30, 1),
}

# What the browser computes as the server does: the modules, and their constants that it needs.
_RULE = {
    "CODES": (codes, ["CENTRED"]),
    "JOINT": (
        concept,
        [
            *("LEAST_GUESS", "STEP", "STEP_ELSEWHERE", "REACH", "TIE", "BEST"),
            *("LEAST_LIKE", "OF_EXPECTED", "ENOUGH", "USUALLY_LIKE", "OF_LOOKS"),
        ],
    ),
    "LEVELS": (levels, ["LEVELS", "APART", "LEAST", "MOST", "USUAL", "WIDTH", "PRIOR", "ALL"]),
    "SIZE_LEVELS": (predictor, ["MORE", "PART", "MOST_OF_PART", "CLOSER", "ELSEWHERE"]),
    "GUIDED": (guided_filter, ["RADII", "FLAT"]),
}

_HEADER = """\
// What the page knows of the server: the shapes of their messages, and values that both need.
// Written by `make contract` from the server's own; a test compares them.
"""


def contract() -> str:
    """The text of `contract.js`."""
    values = [
        _value(
            "SETTINGS", "Readonly<Settings>", Settings().as_dict(), "Before anyone changes them."
        ),
        _value(
            "RULES",
            f"{{{', '.join(f'{name}: {_parameters(rule)}' for name, rule in RULES.items())}}}",
            {name: asdict(rule()) for name, rule in RULES.items()},
            "What each rule begins with.",
        ),
        _value("OUTLINES", "readonly string[]", OUTLINES, "What masks can follow."),
        _value("SIZES", "readonly string[]", SIZES, "What a click may mean, the largest first."),
        _value(
            "SLIDERS",
            "Readonly<Record<string, Slider>>",
            {name: asdict(slider) for name, slider in SLIDERS.items()},
            "By the name of a setting.",
        ),
        _value("MAX_CLICKS", "number", wire.MAX_CLICKS, "Of a prompt."),
        _value("MAX_EDGED", "number", wire.MAX_EDGED, "Images that may be asked for at once."),
        _value("MAX_HUB_CHARS", "number", wire.MAX_HUB_CHARS, "Of a data set's name, and a token."),
        _value("MAX_RECIPE_CHARS", "number", wire.MAX_RECIPE_CHARS, "Of a recipe as base64."),
        _value("MAX_SIDE", "number", wire.MAX_SIDE, "Of a mask on a screen, in pixels."),
        _value(
            "FORMATS",
            "Readonly<Record<string, string>>",
            {name: choice.line for name, choice in FORMATS.items()},
            "What a download can hold, by name.",
        ),
        _value("DEFAULT_FORMATS", "readonly string[]", DEFAULT_FORMATS, "Until others are chosen."),
        _value("MAX_LOCKED_CLICKS", "number", wire.MAX_LOCKED_CLICKS, "Of all locks of a thing."),
        _value("MAX_STROKES", "number", MAX_STROKES, "Of all things."),
        _value("MAX_STROKE_POINTS", "number", MAX_STROKE_POINTS, "Of one stroke."),
        _value("MAX_POINTS", "number", MAX_POINTS, "Of all strokes."),
        _value("MAX_AREA", "number", MAX_AREA, "Of a hole or a speck, in pixels."),
        _value("MAX_THINGS", "number", MAX_THINGS, "Of a prompt."),
        _value("MAX_NAME_CHARS", "number", MAX_NAME_CHARS, "Of a thing."),
        _value(
            "THING_COLORS",
            "Readonly<Record<string, readonly [number, number, number]>>",
            THING_COLORS,
            "By name, in the order in which things are made.",
        ),
        *(
            _value(name, "", _constants(module, names), f"Constants of `{_place(module)}`.")
            for name, (module, names) in _RULE.items()
        ),
    ]
    return "\n".join([_HEADER, *map(_typedef, _shapes()), *values])


def _constants(module: ModuleType, names: Iterable[str]) -> dict[str, Any]:
    """The values of a module's constants, as JSON has them."""
    values = {name: getattr(module, name) for name in names}
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }


def _place(module: ModuleType) -> str:
    """Where a module is in the package: "rules/concept.py"."""
    return module.__name__.partition(".")[2].replace(".", "/") + ".py"


def _shapes() -> list[type]:
    """The dataclasses of all messages, and before each those that it holds."""
    found: dict[type, None] = {}

    def visit(shape: type) -> None:
        for hint in get_type_hints(shape).values():
            for held in _dataclasses_in(hint):
                visit(held)
        found.setdefault(shape)

    for shape in (*_MESSAGES, Slider):
        visit(shape)
    return list(found)


def _dataclasses_in(hint: Any) -> Iterator[type]:
    if is_dataclass(hint) and isinstance(hint, type):
        yield hint
    for argument in get_args(hint):
        yield from _dataclasses_in(argument)


def _typedef(shape: type) -> str:
    """The JSDoc type of a dataclass, with the words of its docstring."""
    says = inspect.getdoc(shape) or ""
    lines = [says.partition("\n")[0], f"@typedef {{Object}} {shape.__name__}"]
    for name, hint in get_type_hints(shape).items():
        said = re.search(rf"^    {name}: (.+(?:\n {{8}}.+)*)", says, re.MULTILINE)
        words = " ".join(said[1].split()) if said else ""
        # What a class is known by among others goes with it, always the same.
        kind = json.dumps(getattr(shape, name)) if get_origin(hint) is ClassVar else _type(hint)
        lines.append(f"@property {{{kind}}} {name} {words}".rstrip())
    return "".join(["/**\n", *(f" * {line}\n" for line in lines), " */\n"])


def _type(hint: Any) -> str:
    """The type in JSDoc of a value that was JSON on its way."""
    arguments = get_args(hint)
    origin = get_origin(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if is_dataclass(hint) and isinstance(hint, type):
        return hint.__name__
    if origin is Literal:
        return " | ".join(map(json.dumps, arguments))
    if origin in (Union, types.UnionType):
        return " | ".join(map(_type, arguments))
    if origin is tuple and arguments[-1] is Ellipsis:
        return f"{_type(arguments[0])}[]"
    # Of fields without names, or with names, which JSON leaves out.
    is_named = hasattr(hint, "_fields")
    if origin is tuple or is_named:
        fields = get_type_hints(hint).values() if is_named else arguments
        return f"[{', '.join(map(_type, fields))}]"
    raise TypeError(f"The page has no word for {hint!r}.")


def _parameters(rule: type) -> str:
    """The type in JSDoc of a rule without the name it is known by."""
    return f'Omit<{rule.__name__}, "name">'


def _value(name: str, kind: str, value: Any, says: str) -> str:
    """A constant; of no kind that is told, TypeScript finds it."""
    words = f"{says}\n * @type {{{kind}}}" if kind else says
    return f"/** {words} */\nexport const {name} = {_javascript(value)};\n"


def _javascript(value: Any) -> str:
    if isinstance(value, dict):
        lines = [f"  {name}: {json.dumps(item)},\n" for name, item in value.items()]
        return f"Object.freeze(/** @type {{const}} */ ({{\n{''.join(lines)}}}))"
    text = json.dumps(value)
    return f"Object.freeze({text})" if isinstance(value, tuple) else text


if __name__ == "__main__":
    PATH.write_text(contract(), encoding="utf-8")
