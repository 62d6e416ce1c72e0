"""The command: which work is asked for, and what is said of it. Errors become messages here.

Knows sub-commands and exit codes. What is heavy is imported by the work that needs it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pointprompt.cli.telling import Bar, bar, refuse, say, some

if TYPE_CHECKING:
    from pointprompt.analysis.analysis import Analysis
    from pointprompt.cli.batch import Report
    from pointprompt.formats.hub_push import HubDataset
    from pointprompt.formats.prompt_json import PromptFile
    from pointprompt.sources.photos import Limits

_STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line says; without a sub-command, serve the page.

    Raises:
        SystemExit: With 1 where some images could not be read, 2 where nothing could be done, 130
            where it was stopped.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] == "serve" or (words[0].startswith("-") and words[0] not in _HELP):
        from pointprompt.ui.command import main as serve

        serve(words[1:] if words[:1] == ["serve"] else words)
        return
    # Before torch is imported, as for the page.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from pointprompt.cli.options import command_parser

    options = command_parser().parse_args(words)
    try:
        status = _WORK[options.command](options)
    except KeyboardInterrupt:
        again = " The same command again goes on from here." if options.command == "apply" else ""
        refuse(f"Stopped.{again}", as_json=options.json, status=_STOPPED)
    except (ValueError, OSError, MemoryError) as error:
        refuse(_sentence(error), as_json=options.json)
    if status:
        raise SystemExit(status)


_HELP = ("-h", "--help")


def _analyze(options: argparse.Namespace) -> int:
    from pointprompt.cli import sets
    from pointprompt.cli.options import reading_of, use_device
    from pointprompt.engines.engine import ThisProcess
    from pointprompt.formats.archive import check_new
    from pointprompt.pipeline import analyze, conditions_of
    from pointprompt.sources.photos import ImageError
    from pointprompt.sources.video import is_video

    out = Path(options.out)
    check_new(out)
    limits = reading_of(options, options.max_images)
    engine = ThisProcess(use_device(options.device))
    if is_video(options.images):
        raise ImageError("A set is made of image files: `apply` takes videos as they are.")
    files, names = _images_of(options, options.images, limits)
    with bar(not options.json) as told:
        analysis = analyze(
            files,
            names=names,
            backbone=options.backbone,
            input_size=options.input_size,
            engine=engine,
            limits=limits,
            progress=told.tell,
        )
    sets.write(out, analysis, conditions_of(engine, analysis.backbone.request))
    images = [photo.name for photo in analysis.photos]
    said = {"set": str(out), "backbone": analysis.backbone.name, "images": images}
    lines = [
        f"{len(images)} images, described by {analysis.backbone.name}, are the set {out}.",
        f"Next: pointprompt predict {out} --click {images[0]},0.5,0.5 --out masks",
    ]
    say(said, lines, as_json=options.json)
    return 0


def _images_of(
    options: argparse.Namespace, place: str, limits: Limits
) -> tuple[list[Path] | list[bytes], list[str]]:
    """The images of a folder or of a data set that are to be a set, and what they are called.

    Raises:
        ValueError: There are none, or too many.
    """
    from pointprompt.cli.images import first_of
    from pointprompt.cli.journal import names_in
    from pointprompt.cli.options import dataset_of
    from pointprompt.sources.dataset_rows import open_rows
    from pointprompt.sources.folder import image_files
    from pointprompt.sources.photos import ImageError

    asked = dataset_of(options, place)
    if asked is None:
        files = image_files(place)
        count, more = len(files), f"has {len(files)} images"
    else:
        rows = first_of(open_rows(asked), limits.max_images + 1)
        count, more = len(rows), f"has more than {limits.max_images} images"
    if count > limits.max_images:
        which = "--max-images" if asked is None else "--limit takes the first of them, --max-images"
        raise ImageError(
            f"{place} {more} and a set holds {limits.max_images}: {which} says how many. A recipe "
            "made on some of them can be applied to all."
        )
    if asked is None:
        return files, names_in(Path(place), files)
    return [one.row.data for one in rows if one.row], [one.name for one in rows]


def _predict(options: argparse.Namespace) -> int:
    from pointprompt.cli.options import click_of, settings_of
    from pointprompt.formats.prompt_json import PromptFile
    from pointprompt.things import Thing

    settings = settings_of(options)
    analysis = _set_of(options)
    clicks = tuple(click_of(text, analysis.photos) for text in options.click)
    return _write(options, analysis, PromptFile((Thing(options.name, clicks, settings),)))


def _export(options: argparse.Namespace) -> int:
    from pointprompt.formats.prompt_json import read_prompt

    prompt = read_prompt(Path(options.prompt).read_bytes())
    return _write(options, _set_of(options), prompt)


def _set_of(options: argparse.Namespace) -> Analysis:
    """The set that is named, or a new one of the images in a folder, which is not kept.

    Raises:
        ValueError: It is neither, or what is asked for beside it cannot be done.
    """
    from pointprompt.cli import sets
    from pointprompt.cli.options import formats_of
    from pointprompt.formats.archive import check_new
    from pointprompt.pipeline import analyze
    from pointprompt.sources.dataset_rows import is_dataset
    from pointprompt.sources.photos import Limits

    # What is wrong is said before anything is computed.
    formats_of(options)
    check_new(Path(options.out))
    folder = Path(options.set)
    is_set = sets.is_set(folder) or not (folder.is_dir() or is_dataset(options.set))
    if is_set:
        return sets.read(folder)
    files, names = _images_of(options, options.set, Limits())
    with bar(not options.json) as told:
        return analyze(files, names=names, progress=told.tell)


def _write(options: argparse.Namespace, analysis: Analysis, prompt: PromptFile) -> int:
    from pointprompt.cli.exporting import labelled
    from pointprompt.cli.options import formats_of
    from pointprompt.exporting import write_new

    (formats, chosen), out = formats_of(options), Path(options.out)
    target = _target(options)
    with bar(not options.json) as told:
        found = write_new(out, labelled(analysis, prompt), formats, chosen, told.tell)
        pushed = _push(options, target, told)
    images = len(analysis.photos) - len(prompt.skipped)
    lines = [f"{name} is in {count} of {images} images." for name, count in found.items()]
    said = {"out": str(out), "images": images, "found": found, **pushed}
    say(said, [*lines, *_where(said)], as_json=options.json)
    return 0


def _target(options: argparse.Namespace) -> HubDataset | None:
    """Where results are pushed; what is wrong with that is said before they are computed."""
    from pointprompt.cli import pushing

    return pushing.target(options.push, public=options.public) if options.push else None


def _push(options: argparse.Namespace, target: HubDataset | None, told: Bar) -> dict[str, str]:
    """Push the results; what is to be said of that."""
    from pointprompt.cli import pushing

    if target is None:
        return {}
    pushing.push(target, Path(options.out), told.tell)
    return {"pushed": target.address}


def _where(said: dict[str, Any]) -> list[str]:
    lines = [f"The files are in {said['out']}."]
    return [*lines, f"The data set is {said['pushed']}."] if "pushed" in said else lines


def _apply(options: argparse.Namespace) -> int:
    from pointprompt.cli.batch import Asked, run
    from pointprompt.cli.options import dataset_of, formats_of, reading_of, spread_of, use_device

    formats, chosen = formats_of(options)
    asked = Asked(
        Path(options.recipe),
        dataset_of(options, options.images) or Path(options.images),
        Path(options.out),
        formats,
        chosen,
        keeps_overlaps=options.overlaps,
        every=options.every,
        device=use_device(options.device),
        limits=reading_of(options),
        spread=spread_of(options),
    )
    target = _target(options)
    with bar(not options.json) as told:
        report = run(
            asked,
            # Of a data set nobody knows how many are to come.
            lambda r: told.images(
                r.done, r.images if isinstance(asked.images, Path) else None, len(r.failed)
            ),
            told.tell,
        )
        pushed = _push(options, target, told)
    said = {"out": options.out, **report.as_dict(), **pushed}
    say(said, [*_said(report), *_where(said)], as_json=options.json)
    return 1 if report.failed else 0


def _said(report: Report) -> list[str]:
    readable = report.images - len(report.failed)
    lines = [f"{name} is in {count} of {readable} images." for name, count in report.found.items()]
    if report.unlike:
        lines.append(
            f"{len(report.unlike)} look unlike the images that the recipe was made on; look at "
            "their masks:"
        )
        lines += some([f"  {name}" for name in report.unlike])
    if report.failed:
        lines.append(f"{len(report.failed)} could not be read:")
        lines += some([f"  {one.name}: {one.reason}" for one in report.failed])
    return lines


def _backbones(options: argparse.Namespace) -> int:
    from pointprompt import backbones

    listed, lines = [], []
    for name, info in backbones.REGISTRY.items():
        state = backbones.availability(name)
        listed.append(
            {
                "name": name,
                "title": info.title,
                "good_for": info.good_for,
                "weights_mb": info.weights_mb,
                "cpu_seconds_an_image": info.cpu_seconds[0] if info.cpu_seconds else None,
                "licence": info.licence,
                "here": state.available,
                "reason": state.reason,
            }
        )
        if state.available or options.all:
            seconds = (
                f", {info.cpu_seconds[0]:g} s an image on two cores" if info.cpu_seconds else ""
            )
            lines += [
                f"{name}: {info.title}",
                f"  good for {info.good_for}",
                f"  {info.weights_mb} MB of weights{seconds}; licence {info.licence}",
                f"  {state.reason}",
            ]
    hidden = sum(not one["here"] for one in listed)
    if hidden and not options.all:
        lines.append(f"{hidden} more cannot be had now; --all lists them too.")
    say({"backbones": listed}, lines, as_json=options.json)
    return 0


_WORK: dict[str, Callable[[argparse.Namespace], int]] = {
    "analyze": _analyze,
    "predict": _predict,
    "export": _export,
    "apply": _apply,
    "backbones": _backbones,
}


def _sentence(error: Exception) -> str:
    """What to say of an error; those of the core are sentences already."""
    if isinstance(error, MemoryError):
        return "There is not enough memory for this. Try a smaller backbone or smaller images."
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}."
    return str(error)
