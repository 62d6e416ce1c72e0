"""A person who labels two things in forty photos: on the page, and one photo after the other.

    python -m benchmarks.labelling DATA
    python -m benchmarks.labelling DATA --thing horse SET SET --thing cow SET SET

DATA is as `benchmarks.labelled` describes; a thing is looked for in its own sets, all of which are
put together, and is in the photos of no other. In a real browser a simulated person names the
things and clicks where most is wrong, a click that made it worse is undone, and at the end COCO is
downloaded and compared with the truth. Beside it the same person has every photo alone, as a set of
its own, and goes on to the next.

Clicks and keys are counted, and how long the page has them wait is measured. What hands and eyes
take is a model, the Keystroke-Level Model of Card, Moran and Newell 1980: nobody was watched. A
photo that is looked at takes a fixation, so before every click all photos of a set take many.

Prints tables and judges nothing else.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from pycocotools import mask as coco_masks

from benchmarks import report
from benchmarks.labelled import LabelledSet, read_sets, shrunk
from benchmarks.page import VIEWPORT, fit_tiles
from benchmarks.person import next_click
from benchmarks.prepared import SMALL_SIDE
from benchmarks.stages import BACKBONE
from benchmarks.table import Figure, Table
from pointprompt.server.service import Service
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.photos import Limits
from pointprompt.things import Thing, clicks_of
from pointprompt.types import BoolArray, ByteArray, Click
from pointprompt.ui.launch import launch
from tests.e2e.browser import Page, launch_chromium, new_context

COUNT = 40
# At most, on all photos together and on one alone.
CLICKS, CLICKS_ALONE = 60, 10
# Who has clicked so often without getting any further stops before that.
_PATIENCE, _PATIENCE_ALONE = 12, 4
_FURTHER = 0.002
# The mean IoU that is asked what it takes, beside the most that was reached.
LEVELS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9)
# Two things that look alike.
_SETS = {
    "horse": ("weizmann_horse/group00", "weizmann_horse/group07"),
    "cow": ("msrc_cow/group0", "msrc_cow/group1"),
}

# Seconds, of the Keystroke-Level Model: to point at something, to press and release a button, a key
# of somebody who types as most do, to decide. And to look at one thing, of the same authors' Model
# Human Processor.
_POINT, _BUTTON, _KEY, _DECIDE, _FIXATION = 1.1, 0.2, 0.28, 1.35, 0.23
# A person sees when a click made it worse by so much, and undoes it.
_WORSE = 0.01

# The clicks of all things, the highest first, as the page keeps them for a reload.
_CLICKS_OF_ALL = """() => {
    const {above, below, ...chosen} =
        JSON.parse(sessionStorage['pointprompt-kept']).history.present;
    return [...above, chosen, ...below].map(({clicks}) => clicks);
}"""


@dataclass(frozen=True)
class Task:
    """Photos in which things are to be labelled.

    Attributes:
        names: Of the things.
        photos: (H, W, 3) uint8.
        masks: For each thing, (H, W) bool, one a photo.
    """

    names: tuple[str, ...]
    photos: tuple[ByteArray, ...]
    masks: tuple[tuple[BoolArray, ...], ...]

    def alone(self, photo: int) -> Task:
        """One of the photos, and the things that are in it."""
        there = [thing for thing, masks in enumerate(self.masks) if masks[photo].any()]
        return Task(
            tuple(self.names[thing] for thing in there),
            (self.photos[photo],),
            tuple((self.masks[thing][photo],) for thing in there),
        )

    def small(self) -> list[list[BoolArray]]:
        """The masks as large as the person sees them: all photos about alike."""
        return [
            [shrunk(np.uint8(255) * mask, SMALL_SIDE) > 127 for mask in masks]
            for masks in self.masks
        ]


@dataclass(frozen=True)
class Work:
    """What a person did.

    Attributes:
        clicks: Of the mouse.
        keys: Of the keyboard.
        decisions: What to do next.
        looks: Photos that were looked at before that.
        waited: Seconds, measured.
        undone: How many of the clicks were undone.
    """

    clicks: int = 0
    keys: int = 0
    decisions: int = 0
    looks: int = 0
    waited: float = 0.0
    undone: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def actions(self) -> int:
        """Clicks and keys."""
        return self.clicks + self.keys

    @property
    def seconds(self) -> float:
        """Of hands and waiting."""
        return self.clicks * (_POINT + _BUTTON) + self.keys * _KEY + self.waited

    @property
    def seconds_in_all(self) -> float:
        """Of hands, waiting, eyes and head."""
        return self.seconds + self.looks * _FIXATION + self.decisions * _DECIDE


class Step(NamedTuple):
    """How far a person is.

    Attributes:
        work: All until then.
        iou: Of each photo, all things together.
    """

    work: Work
    iou: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of the photos."""
        return float(np.mean(self.iou))


def main() -> None:
    """Measure both ways and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labelling", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path, help="folder with a manifest.json")
    parser.add_argument(
        "--thing", nargs="+", action="append", metavar="NAME", help="its name, and its sets"
    )
    parser.add_argument("--photos", type=int, default=COUNT, metavar="N")
    report.add_option(parser)
    options = parser.parse_args()
    wanted = {name: sets for name, *sets in options.thing} if options.thing else _SETS
    task = joined(read_sets(options.data), wanted, options.photos)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        with _served(Path(folder)) as (server, url):
            together, about = _together(browser, server, url, task)
            alone, ready = _alone(browser, server, url, task)
        browser.close()
    about["until the photos can be clicked, each alone, all of them (s)"] = Figure(ready)
    title = f"{' and '.join(task.names)} in {len(task.photos)} photos, {BACKBONE}:"
    docs = {"prog": parser.prog, "docs": options.docs}
    report.show("labelling", title, compared(together, alone), **docs)
    what = Table(["what", "figure"], list(about.items()))
    report.show("labelling, what else", "And what else there is to say:", what, **docs)


def joined(sets: Sequence[LabelledSet], wanted: Mapping[str, Sequence[str]], count: int) -> Task:
    """As many photos of each thing, in turn, of the sets that it is looked for in.

    Args:
        sets: All there are.
        wanted: The names of its sets, by that of the thing.
        count: Of all photos; fewer where there are not so many.

    Raises:
        ValueError: There is no set of such a name.
    """
    by_name = {labelled.name: labelled for labelled in sets}
    for name in itertools.chain.from_iterable(wanted.values()):
        if name not in by_name:
            raise ValueError(f"There is no set called {name!r}.")
    found = [
        [
            (thing, photo, mask)
            for name in names
            for photo, mask in zip(by_name[name].photos, by_name[name].masks, strict=True)
        ]
        for thing, names in enumerate(wanted.values())
    ]
    mixed = [one for row in zip(*found, strict=False) for one in row][:count]
    return Task(
        tuple(wanted),
        tuple(photo for _, photo, _ in mixed),
        tuple(
            tuple(mask if of == thing else np.zeros_like(mask) for of, _, mask in mixed)
            for thing in range(len(wanted))
        ),
    )


def _together(
    browser: Browser, server: _Server, url: str, task: Task
) -> tuple[list[Step], dict[str, object]]:
    """All photos as one set: the person's steps, and what else there is to say."""
    with _desk(browser, server, url, task) as desk:
        named = desk.name_things()
        steps = []
        for step in _course(desk, task, CLICKS, _PATIENCE):
            steps.append(step)
            print(f"one set: {_said(step)}", flush=True)
        file, asked = desk.download()
        answers = read_coco(file, task)
    about: dict[str, object] = {
        "mean IoU of the COCO file, at the photos' own size": Figure(
            float(np.mean(photo_ious(answers, task.masks))), 3
        ),
        "clicks that were undone": steps[-1].work.undone,
        "to wait for the file (s)": Figure(asked.waited),
        "until the photos can be clicked, one set (s)": Figure(desk.ready),
    }
    return [Step(named + step.work + asked, step.iou) for step in steps], about


def _said(step: Step) -> str:
    return f"{step.work.clicks} clicks, {step.work.undone} undone, mean IoU {step.mean:.3f}"


def _alone(
    browser: Browser, server: _Server, url: str, task: Task
) -> tuple[list[list[Step]], float]:
    """Each photo as a set of its own: the steps in each, and the seconds until all were ready."""
    courses, ready = [], 0.0
    for photo in range(len(task.photos)):
        one = task.alone(photo)
        with _desk(browser, server, url, one) as desk:
            ready += desk.ready
            desk.name_things(like_before=True)
            # To the next photo, and for each thing to what it is called.
            come = Work(keys=1 + len(one.names), looks=1)
            steps = [Step(come, (0.0,)), *_course(desk, one, CLICKS_ALONE, _PATIENCE_ALONE)]
            courses.append([steps[0], *(Step(come + s.work, s.iou) for s in steps[1:])])
        print(f"alone, {photo}: {_said(courses[-1][-1])}", flush=True)
    # Once: the names of the things, and the file.
    once = Work(clicks=len(task.names) + 3, keys=sum(len(name) + 2 for name in task.names))
    courses[0] = [Step(once + step.work, step.iou) for step in courses[0]]
    return courses, ready


def compared(together: Sequence[Step], alone: Sequence[Sequence[Step]]) -> Table:
    """What it takes to reach the same mean IoU in both ways; the last row is the most reached."""
    most = max(step.mean for step in together)
    rows = []
    for level in [*(level for level in LEVELS if level < most), most]:
        ours = next(step.work for step in together if step.mean >= level)
        theirs = least_work(alone, level)
        rows.append([f"{level:.3f}", *_cells(ours), *(_cells(theirs) if theirs else ["-"] * 4)])
    told = ("clicks", "keys", "s", "s with looking")
    return Table(
        ["mean IoU", *(f"one set: {t}" for t in told), *(f"alone: {t}" for t in told)], rows
    )


def _cells(work: Work) -> list[object]:
    return [
        work.clicks,
        work.keys,
        Figure(work.seconds, 0),
        Figure(work.seconds_in_all, 0),
    ]


def least_work(courses: Sequence[Sequence[Step]], level: float) -> Work | None:
    """The least that reaches this mean IoU where one photo is done after the other.

    In each the person stops when it is good enough, which is the same for all photos; where that
    never comes, after the last click. None where that does not reach the level either.
    """
    found = []
    for enough in sorted({step.mean for course in courses for step in course}):
        ends = [next((s for s in c if s.mean >= enough), c[-1]) for c in courses]
        if np.mean([end.mean for end in ends]) >= level:
            found.append(sum((end.work for end in ends), Work()))
    return min(found, key=lambda work: work.actions, default=None)


# The person


def _course(desk: Desk, task: Task, most: int, patience: int) -> Iterator[Step]:
    """What becomes of click after click, until they help no more or there were so many."""
    truth = task.small()
    masks = desk.masks()
    iou = photo_ious(masks, truth)
    work = Work()
    # Where a click made it worse: it is tried elsewhere first.
    avoided: set[tuple[int, int]] = set()
    best, since = 0.0, 0
    for _ in range(most):
        found = most_wrong(masks, truth, avoided)
        if found is None or since == patience:
            return
        thing, click = found
        work += desk.click(thing, click)
        tried = desk.masks()
        better = photo_ious(tried, truth)
        if np.mean(better) < np.mean(iou) - _WORSE:
            work += desk.undo()
            avoided.add((thing, click.image))
        else:
            masks, iou = tried, better
            avoided.clear()
        mean = float(np.mean(iou))
        best, since = (mean, 0) if mean > best + _FURTHER else (best, since + 1)
        yield Step(work, tuple(iou))


def most_wrong(
    masks: Sequence[Sequence[BoolArray]],
    truth: Sequence[Sequence[BoolArray]],
    avoided: set[tuple[int, int]],
) -> tuple[int, Click] | None:
    """The thing and the click on what is most wrong of all things in all photos.

    Args:
        masks: Of each thing, one a photo.
        truth: As they should be.
        avoided: A thing and a photo each, where nothing is to be clicked.
    """
    n = len(truth[0])
    flat = [mask for of_thing in truth for mask in of_thing]
    seen = [
        flat[thing * n + image] if (thing, image) in avoided else masks[thing][image]
        for thing in range(len(truth))
        for image in range(n)
    ]
    click = next_click(seen, flat)
    if click is None:
        return None
    thing, image = divmod(click.image, n)
    return thing, Click(image, click.x, click.y, click.positive)


def photo_ious(
    masks: Sequence[Sequence[BoolArray]], truth: Sequence[Sequence[BoolArray]]
) -> list[float]:
    """The IoU of each photo: a pixel counts where it has the right name, of all that have any."""
    return [_photo_iou(*pair) for pair in zip(zip(*masks), zip(*truth), strict=True)]  # noqa: B905


def _photo_iou(masks: Sequence[BoolArray], truth: Sequence[BoolArray]) -> float:
    pairs = list(zip(masks, truth, strict=True))
    union = sum(int((mask | true).sum()) for mask, true in pairs)
    return sum(int((mask & true).sum()) for mask, true in pairs) / union if union else 1.0


def read_coco(file: Path, task: Task) -> list[list[BoolArray]]:
    """The masks of a download, of each thing one a photo."""
    with zipfile.ZipFile(file) as archive:
        coco = json.loads(archive.read("coco.json"))
    names = {category["id"]: category["name"] for category in coco["categories"]}
    masks = [[np.zeros(photo.shape[:2], bool) for photo in task.photos] for _ in task.names]
    for one in coco["annotations"]:
        thing = task.names.index(names[one["category_id"]])
        masks[thing][one["image_id"] - 1] |= coco_masks.decode(one["segmentation"]).astype(bool)
    return masks


# The page


class Desk:
    """The page with the photos of a task, and who works at it.

    Attributes:
        ready: Seconds from the choice of the files to tiles that can be clicked.
    """

    def __init__(self, page: Page, server: _Server, task: Task, files: Sequence[Path]) -> None:
        self._page = page
        self._task = task
        self._chosen = 0
        server.forget()
        began = time.perf_counter()
        page.analyze_files(files)
        self.ready = time.perf_counter() - began
        self._server = server
        self._small = task.small()
        fit_tiles(page, len(files))

    def name_things(self, *, like_before: bool = False) -> Work:
        """Add the things and name them; `like_before` leaves what they are called to the page."""
        work = Work()
        for number, name in enumerate(self._task.names):
            if number:
                self._page.tab.keyboard.press("a")
                work += Work(keys=1)
            if not like_before:
                self._page.tab.get_by_role("button", name="About this thing").click()
                self._page.tab.keyboard.type(name)
                self._page.tab.keyboard.press("Enter")
                work += Work(clicks=1, keys=len(name) + 1)
        self._chosen = len(self._task.names) - 1
        return work

    def click(self, thing: int, click: Click) -> Work:
        """Choose the thing, if it is not the chosen one, and click, once the photos were seen."""
        work = Work(decisions=1, looks=len(self._task.photos))
        tab = self._page.tab
        if thing != self._chosen:
            tab.keyboard.press(str(thing + 1))
            self._chosen = thing
            work += Work(keys=1)
        overlay = self._page.overlay(click.image)
        overlay.scroll_into_view_if_needed()
        box = overlay.bounding_box()
        if box is None:
            raise RuntimeError(f"Photo {click.image} is not on the page.")
        tab.mouse.move(box["x"] + click.x * box["width"], box["y"] + click.y * box["height"])
        self._page.next_frame()
        began = time.perf_counter()
        tab.mouse.click(
            box["x"] + click.x * box["width"],
            box["y"] + click.y * box["height"],
            button="left" if click.positive else "right",
        )
        self._page.wait_for_edges()
        return work + Work(clicks=1, waited=time.perf_counter() - began)

    def undo(self) -> Work:
        """Undo the last click."""
        began = time.perf_counter()
        self._page.tab.keyboard.press("Control+z")
        self._page.wait_for_edges()
        return Work(keys=1, waited=time.perf_counter() - began, undone=1)

    def masks(self) -> list[list[BoolArray]]:
        """What the page shows of each thing, one a photo: an upper thing has what is in several."""
        kept = self._page.tab.evaluate(_CLICKS_OF_ALL)
        things = [
            Thing(name, tuple(Click(**click) for click in clicks))
            for name, clicks in zip(self._task.names, kept, strict=True)
        ]
        masks = []
        taken = [np.zeros_like(true) for true in self._small[0]]
        for index in range(len(things)):
            shown = self._server.shown(clicks_of(things, index, exclusive=True), self._small[index])
            masks.append([mask & ~above for mask, above in zip(shown, taken, strict=True)])
            taken = [mask | above for mask, above in zip(shown, taken, strict=True)]
        return masks

    def download(self) -> tuple[Path, Work]:
        """The ZIP file with COCO in it."""
        tab = self._page.tab
        tab.get_by_role("button", name="What to download").click()
        tab.get_by_label("COCO instances").check()
        tab.keyboard.press("Escape")
        began = time.perf_counter()
        with tab.expect_download() as download:
            self._page.action("export").click()
        path = Path(download.value.path())
        return path, Work(clicks=3, keys=1, waited=time.perf_counter() - began)


class _Server(Service):
    """A server that keeps what it has pages show, by what was clicked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(SessionStore(folder / "sessions"), Limits())
        self._shown: dict[tuple[frozenset[Click], int], BoolArray] = {}

    def edges(self, message: object, visitor: str = "") -> dict[str, Any]:
        """As in `Service`."""
        answer = super().edges(message, visitor)
        if isinstance(message, dict):
            clicks = frozenset(Click(**click) for click in message["clicks"])
            for one in answer.get("masks", ()):
                self._shown[clicks, one["image"]] = _decoded(one)
        return answer

    def forget(self) -> None:
        """For other photos are to come."""
        self._shown.clear()

    def shown(self, clicks: Sequence[Click], like: Sequence[BoolArray]) -> list[BoolArray]:
        """The masks by these clicks, one a photo, as large as those; empty where none was shown."""
        found = [self._shown.get((frozenset(clicks), image)) for image in range(len(like))]
        return [
            np.zeros_like(true) if mask is None else _sized(mask, true.shape)
            for mask, true in zip(found, like, strict=True)
        ]


def _decoded(edged: Mapping[str, Any]) -> BoolArray:
    """The mask (H, W) bool of a message."""
    height, width = edged["height"], edged["width"]
    packed = np.frombuffer(zlib.decompress(base64.b64decode(edged["mask"])), np.uint8)
    return np.unpackbits(packed, count=height * width).astype(bool).reshape(height, width)


def _sized(mask: BoolArray, shape: tuple[int, ...]) -> BoolArray:
    grey = Image.fromarray(np.uint8(255) * mask)
    return np.asarray(grey.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)) > 127


@contextmanager
def _served(folder: Path) -> Iterator[tuple[_Server, str]]:
    """A server of the page, and its address."""
    server = _Server(folder)
    demo = launch(server, quiet=True)
    try:
        yield server, str(demo.local_url)
    finally:
        demo.close()


@contextmanager
def _desk(browser: Browser, server: _Server, url: str, task: Task) -> Iterator[Desk]:
    """The page in a browser that was never there, with these photos."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{index:03d}.png" for index in range(len(task.photos))]
        for photo, file in zip(task.photos, files, strict=True):
            Image.fromarray(photo).save(file)
        context = new_context(browser, viewport=VIEWPORT)
        page = Page(context.new_page(), url)
        page.open()
        yield Desk(page, server, task, files)
        context.close()


if __name__ == "__main__":
    main()
