"""What is asked for, in the words of a command line, each word checked.

Knows options. Does not know what is done with them.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import NoReturn

from pointprompt import backbones
from pointprompt.cli.spreading import Spread
from pointprompt.formats.format import Options
from pointprompt.formats.orientation import ORIENTATIONS
from pointprompt.formats.registry import DEFAULT_FORMATS, FORMATS
from pointprompt.settings import OUTLINES, SIZES, JointRule, Settings
from pointprompt.sources.dataset_rows import DatasetAsked, is_dataset
from pointprompt.sources.photos import Limits
from pointprompt.types import Click, Photo

ENGINES = ("here", "ray")
_EXAMPLES = """\
The same work as on the page, without a browser:

  pointprompt analyze photos --out set
  pointprompt predict set --click cat.jpg,0.5,0.5 --out masks --format png,recipe
  pointprompt apply masks/recipe.safetensors more-photos --out more-masks --format coco,csv
  pointprompt apply masks/recipe.safetensors hf:owner/name --split train --out their-masks

`pointprompt COMMAND --help` says more of each. Without a command the page is served.
"""
_FORMATS = "FORMATS, with commas between:\n" + "\n".join(
    f"  {name:<10}{choice.line}" for name, choice in FORMATS.items()
)
_CLICKS = """\
A click is IMAGE,X,Y or IMAGE,X,Y,-

  IMAGE   the name of an image of the set, or its number from 1
  X, Y    where, from 0 to 1: from the left, and from the top
  -       at the end: this is not it

Examples: --click cat.jpg,0.5,0.5 --click 3,0.8,0.55,-
"""
_DATASETS = """\
Instead of a folder of images, a DATASET:

  hf:owner/name    of the Hugging Face Hub, streamed, with your own token (HF_TOKEN, hf auth login)
  rows.parquet     a parquet file, or a pattern in quotes: 'rows/*.parquet'
  FOLDER           of parquet files, or what Dataset.save_to_disk wrote

Its images are called by their place: row-000012-cat.jpg. What a row only names, a file or an
address, is not looked for.
"""
_APPLY = """\
Streams: memory stays the same however many images there are, and files are written as images come.
Stopped, it goes on where it was when the same command is given again.

It ends with 0 if all images could be read, with 1 if some could not (each is named, with the
reason, in apply.json too), with 2 if nothing could be done, and with 130 when it was stopped.

With --engine ray, workers do the same on this computer, or on the cluster that RAY_ADDRESS names;
all of them must have the folders under the same paths.
"""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in a sentence, without the list of all options before it."""

    def error(self, message: str) -> NoReturn:
        """End with the sentence."""
        self.exit(2, f"pointprompt: {message} `{self.prog} --help` says what there is.\n")


def command_parser() -> argparse.ArgumentParser:
    """Of all commands but `serve`, whose options are the server's own."""
    parser = Parser(
        prog="pointprompt",
        description="Click a thing in one photo, get its mask in all of them.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    commands.add_parser("serve", help="serve the page (also without any command)", add_help=False)

    analyze = _command(commands, "analyze", "compute once what clicks need", _DATASETS)
    analyze.add_argument("images", metavar="FOLDER|DATASET", help="of images")
    analyze.add_argument("--out", metavar="SET", required=True, help="a folder, made by this")
    analyze.add_argument(
        "--backbone",
        help="`pointprompt backbones` lists them (default: SAM "
        "where there is a GPU and its weights, else the built-in one)",
    )
    analyze.add_argument("--input-size", type=int, help="side of what it sees, in pixels")
    analyze.add_argument("--max-images", type=int, default=100, help="in the set (default: 100)")
    _add_dataset(analyze)
    _add_reading(analyze)

    predict = _command(
        commands,
        "predict",
        "mask what is clicked in all images of a set",
        f"{_CLICKS}\n{_DATASETS}",
    )
    predict.add_argument(
        "set",
        metavar="SET",
        help="from `pointprompt analyze`, or a folder of images, or a DATASET",
    )
    predict.add_argument(
        "--click",
        action="append",
        required=True,
        metavar="IMAGE,X,Y[,-]",
        help="as below; any number of them",
    )
    predict.add_argument("--name", default="mask", help="what the thing is called (default: mask)")
    _add_dataset(predict)
    _add_settings(predict)
    _add_formats(predict, DEFAULT_FORMATS)

    export = _command(commands, "export", "write what a prompt.json masks in a set", _FORMATS)
    export.add_argument(
        "set",
        metavar="SET",
        help="from `pointprompt analyze`, or a folder of images, or a DATASET",
    )
    _add_dataset(export)
    export.add_argument("prompt", metavar="PROMPT.json", help="of a download from the page")
    _add_formats(export, DEFAULT_FORMATS)

    apply = _command(
        commands,
        "apply",
        "run a recipe on any number of images",
        f"{_APPLY}\n{_DATASETS}\n{_FORMATS}",
    )
    apply.add_argument("recipe", metavar="RECIPE", help="of a download, or of --format recipe")
    apply.add_argument(
        "images", metavar="FOLDER|VIDEO|DATASET", help="images, also in folders within it"
    )
    _add_dataset(apply)
    apply.add_argument(
        "--every",
        type=int,
        default=1,
        metavar="N",
        help="take every n-th frame of a video (default: 1)",
    )
    apply.add_argument(
        "--overlaps",
        action="store_true",
        help="let things share pixels, in formats that can say that",
    )
    apply.add_argument(
        "--engine",
        choices=ENGINES,
        default=ENGINES[0],
        help="this process, or workers of Ray (default: here)",
    )
    apply.add_argument(
        "--workers", type=int, metavar="N", help="of Ray (default: one a GPU, or a core)"
    )
    apply.add_argument(
        "--gpus-per-worker",
        type=float,
        metavar="SHARE",
        help="such as 0.5 (default: 1 where there are GPUs)",
    )
    _add_formats(apply, DEFAULT_FORMATS)
    _add_reading(apply)

    listed = _command(commands, "backbones", "list what there is, what it costs, its licence", "")
    listed.add_argument("--all", action="store_true", help="those too that are not here now")
    return parser


def dataset_of(options: argparse.Namespace, place: str) -> DatasetAsked | None:
    """The data set that is named; None where it is none.

    Raises:
        ValueError: It is none, and something is asked of it that only data sets have.
    """
    asked = DatasetAsked(place, options.config, options.split, options.column, options.limit)
    if is_dataset(place):
        return asked
    if asked != DatasetAsked(place):
        raise ValueError(
            f"{place} is no data set, and only those have --split, --column, --config and --limit."
        )
    return None


def spread_of(options: argparse.Namespace) -> Spread | None:
    """How the work is spread over workers of Ray; None where it is not.

    Raises:
        ValueError: Something is asked of workers, and there are none.
    """
    if options.engine == "ray":
        return Spread(options.workers, options.gpus_per_worker)
    if (options.workers, options.gpus_per_worker) != (None, None):
        raise ValueError("--workers and --gpus-per-worker are of --engine ray.")
    return None


def reading_of(options: argparse.Namespace, max_images: int = 100) -> Limits:
    """The limits for images.

    Raises:
        ValueError: One is out of its range.
    """
    if max_images < 1 or not options.max_megapixels > 0:
        raise ValueError("--max-images and --max-megapixels must be above 0.")
    return Limits(max_images=max_images, max_megapixels=options.max_megapixels)


def formats_of(options: argparse.Namespace) -> tuple[tuple[str, ...], Options]:
    """The formats, and what is chosen within them.

    Raises:
        ValueError: One is unknown.
    """
    names = [name.strip() for name in options.format.split(",") if name.strip()]
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        said = f"There is no format {unknown[0]!r}." if unknown else "--format names none."
        raise ValueError(f"{said} There are {', '.join(FORMATS)}.")
    chosen = Options(options.coco_polygons, options.coco_regions, options.orientation)
    if options.public and not options.push:
        raise ValueError("--public is of --push.")
    # What is pushed is what this format writes.
    names += ["parquet"] if options.push else []
    return tuple(name for name in FORMATS if name in names), chosen


def settings_of(options: argparse.Namespace) -> Settings:
    """How clicks become masks.

    Raises:
        ValueError: A value is out of its range.
    """
    return Settings(
        JointRule(options.threshold, options.gamma, options.size),
        one_only=options.one_only,
        outline=options.outline,
        fill_holes=options.fill_holes,
        remove_specks=options.remove_specks,
    )


def click_of(text: str, photos: Sequence[Photo]) -> Click:
    """A click as `IMAGE,X,Y` or `IMAGE,X,Y,-` says it.

    Raises:
        ValueError: It says none, or on no image of the set.
    """
    form = f"A click is IMAGE,X,Y or IMAGE,X,Y,- with X and Y from 0 to 1, not {text[:80]!r}."
    rest, _, last = text.rpartition(",")
    positive = last.strip() not in ("-", "+") or last.strip() == "+"
    parts = (rest if last.strip() in ("-", "+") else text).rsplit(",", 2)
    if len(parts) != 3:
        raise ValueError(form)
    try:
        x, y = float(parts[1]), float(parts[2])
    except ValueError:
        raise ValueError(form) from None
    return Click(_image_of(parts[0].strip(), photos), x, y, positive)


def _image_of(text: str, photos: Sequence[Photo]) -> int:
    """The index of an image by its name, or its number from 1."""
    names = [photo.name for photo in photos]
    if text in names:
        return names.index(text)
    if text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= len(photos):
        return int(text) - 1
    shown = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
    raise ValueError(
        f"No image of the set is called {text[:80]!r}, and numbers go from 1 to {len(names)}. "
        f"There are {shown}."
    )


def use_device(device: str | None) -> str | None:
    """The device to compute on, as `analyze` takes it.

    Raises:
        BackboneError: It is not here.
    """
    device = (device or os.environ.get("POINTPROMPT_DEVICE", "")).strip().lower()
    if device not in ("", "cpu"):
        backbones.pick_device(device)
    return device or None


def _command(commands: argparse._SubParsersAction, name: str, does: str, epilog: str) -> Parser:
    parser: Parser = commands.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _add_reading(parser: Parser) -> None:
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best there is)")
    parser.add_argument(
        "--max-megapixels",
        type=float,
        default=Limits().max_megapixels,
        help="of one image (default: %(default)g)",
    )


def _add_dataset(parser: Parser) -> None:
    parser.add_argument("--split", default="", help="of a DATASET (default: train)")
    parser.add_argument("--column", default="", help="with its images (default: the likeliest)")
    parser.add_argument("--config", default="", help="which one it has several of, or subset")
    parser.add_argument("--limit", type=int, metavar="N", help="its first N images (default: all)")


def _add_settings(parser: Parser) -> None:
    rule, settings = JointRule(), Settings()
    parser.add_argument(
        "--threshold",
        type=float,
        default=rule.threshold,
        help="0 to 1; more is less (default: 0.5)",
    )
    parser.add_argument(
        "--gamma", type=float, default=rule.gamma, help="0 to 10; more is stricter (default: 1)"
    )
    parser.add_argument(
        "--size", choices=SIZES, default=rule.size, help="what a click means (default: thing)"
    )
    parser.add_argument(
        "--outline",
        choices=OUTLINES,
        default=settings.outline,
        help="what masks follow (default: photo)",
    )
    parser.add_argument("--one-only", action="store_true", help="of several alike things only one")
    parser.add_argument(
        "--fill-holes", type=int, default=0, metavar="PIXELS", help="fill smaller holes"
    )
    parser.add_argument(
        "--remove-specks", type=int, default=0, metavar="PIXELS", help="remove smaller regions"
    )


def _add_formats(parser: Parser, default: Sequence[str]) -> None:
    parser.add_argument("--out", metavar="DIR", required=True, help="a new folder for the files")
    parser.add_argument(
        "--format",
        default=",".join(default),
        metavar="FORMATS",
        help=f"with commas between (default: {','.join(default)})",
    )
    parser.add_argument("--coco-polygons", action="store_true", help="polygons, not runs of pixels")
    parser.add_argument("--coco-regions", action="store_true", help="each region apart")
    parser.add_argument(
        "--orientation",
        choices=ORIENTATIONS,
        default="upright",
        help="as people see photos, or as their files store them",
    )
    parser.add_argument(
        "--push",
        default="",
        metavar="OWNER/NAME",
        help="write the photos and masks to this data set of the Hugging Face Hub, with your own "
        "token; it is private",
    )
    parser.add_argument("--public", action="store_true", help="let everybody see it")
