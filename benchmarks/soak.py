"""Long and hard use of the running app: what is lost, crossed, leaked or left behind?

    python -m benchmarks.soak            minutes: the figures of docs/reliability.md
    python -m benchmarks.soak --short    as in the tests

Several visitors, each with photos of their own, analyse, click and click again. Requests are cut
off at random and sent again, as the page does; the server is killed at random and started again;
hypothesis sends it what no page would, and files that were damaged at random are uploaded. Every
answer is compared with what the same clicks on the same photos gave before.
"""

from __future__ import annotations

import argparse
import io
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from benchmarks.server import Server
from benchmarks.table import table
from benchmarks.visitor import Refused, Visitor
from tests.hostile import JSON, MESSAGES, many_scans

# What a request raises that was lost on its way.
LOST = (httpx.HTTPError,)
# So many prompts a visitor has; each is asked for again and again, and must give the same masks.
_PROMPTS = 12
_CUT_OFF = 0.03
_TRIES = 200
_RETRY_SECONDS = 0.5
# Of a message that no page would send, how much of the answer is looked at.
_LEAKS = ("Traceback", "site-packages", "/pointprompt-", str(Path.home()))
_RUNS_SCRIPTS = ("html", "svg", "xml", "javascript", "ecmascript")


@dataclass(frozen=True)
class Plan:
    """How much of everything.

    Attributes:
        visitors: At a time.
        clicks: Of all visitors together.
        analyses: The same.
        kills: Of the server, without a warning.
        messages: That no page would send.
        files: Damaged ones.
        at_once: Analyses at the same time, of twelve photos each.
        seed: Of all chance.
    """

    visitors: int = 8
    clicks: int = 2000
    analyses: int = 30
    kills: int = 3
    messages: int = 20_000
    files: int = 500
    at_once: int = 10
    seed: int = 0


SHORT = Plan(visitors=2, clicks=40, analyses=3, kills=1, messages=300, files=24, at_once=0)


@dataclass
class Figures:
    """What happened. Safe to count in from several threads."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, what: str, by: int = 1) -> None:
        """Note that it happened."""
        with self._lock:
            self.counts[what] += by

    def problem(self, what: str, detail: str) -> None:
        """Note what never should, with what was seen."""
        with self._lock:
            self.counts[what] += 1
            self.problems.append(f"{what}: {detail[:300]}")


# What must be 0.
NEVER = ("lost", "crossings", "5xx", "leaks", "scripts served", "server deaths", "orphans")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print the figures; 1 where something happened that never should."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--short", action="store_true", help="a minute, as in the tests")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    plan = replace(SHORT if options.short else Plan(), seed=options.seed)
    with tempfile.TemporaryDirectory() as folder:
        figures = run(plan, Path(folder))
    rows = [[name, figures.counts[name]] for name in (*NEVER, *_others(figures))]
    print(table(["what", "figure"], rows))
    for problem in figures.problems[:20]:
        print(problem)
    return int(any(figures.counts[name] for name in NEVER))


def _others(figures: Figures) -> list[str]:
    return sorted(name for name in figures.counts if name not in NEVER)


def run(plan: Plan, folder: Path) -> Figures:
    """All of it, with files below `folder`."""
    figures = Figures()
    temporary = folder / "tmp"
    temporary.mkdir()
    server = Server(temporary)
    try:
        people = [_Person(server, figures, folder, plan, i) for i in range(plan.visitors)]
        _together(people, [_Person.analyze])
        figures.counts["MB of memory, after the first sets"] = server.nbytes() >> 20
        half = replace(plan, clicks=plan.clicks // 2)
        _use(people, half)
        warm = server.nbytes()
        _use(people, half)
        figures.counts["MB of memory, warm"] = warm >> 20
        figures.counts["MB of memory, after as much use again"] = server.nbytes() >> 20
        figures.counts["% of memory that this added"] = round(100 * (server.nbytes() - warm) / warm)
        _use_while_killed(server, people, figures, plan)
        _beside_a_hostile_file(server, figures, folder)
        if plan.at_once:
            _at_once(server, figures, plan, folder)
        _fuzz(server, figures, plan)
        _upload_damaged(server, figures, plan, folder)
        if not server.is_running():
            figures.problem("server deaths", server.log()[-300:])
        figures.count("MB of memory, at the end", server.nbytes() >> 20)
        for person in people:
            person.leave()
    finally:
        if server.is_running():
            code, seconds = server.stop(signal.SIGTERM)
            figures.counts["ms from SIGTERM to the end"] = round(1000 * seconds)
            figures.counts["exit code after SIGTERM"] = code
    for path in server.leftovers():
        figures.problem("orphans", path.relative_to(temporary).as_posix())
    log = server.log()
    if "Traceback" in log:
        figures.counts["tracebacks in the log"] = log.count("Traceback")
        figures.problems.append("log: " + log[log.index("Traceback") :][:1500])
    return figures


class _Person:
    """Somebody with photos, prompts and what those gave before."""

    def __init__(
        self, server: Server, figures: Figures, folder: Path, plan: Plan, number: int
    ) -> None:
        self._server = server
        self._figures = figures
        self._random = random.Random(f"{plan.seed} {number}")
        self.photos = _photos(folder / f"person-{number}", 3 + number, number)
        self._prompts = [self._prompt() for _ in range(_PROMPTS)]
        self._known: dict[int, bytes] = {}
        self._visitor: Visitor | None = None

    def analyze(self) -> None:
        """Analyse the photos, from the start where the server went away meanwhile."""
        for _ in range(_TRIES):
            try:
                self._visitor = self._visitor or Visitor(self._server.url)
                self._visitor.analyze(self.photos)
            except (*LOST, Refused) as error:
                self._note(error)
                self.leave()
                time.sleep(_RETRY_SECONDS)
                continue
            shown = self._visitor.manifest
            if shown is None or len(shown["images"]) != len(self.photos):
                self._figures.problem("lost", f"an analysis: {self._visitor.statuses[-1:]}")
            self._figures.count("analyses")
            return
        self._figures.problem("lost", "an analysis, for good")

    def click(self) -> None:
        """One prompt, asked for until its masks are here, which must be what they always were."""
        number = self._random.randrange(_PROMPTS)
        cut_off = self._random.random() < _CUT_OFF
        for attempt in range(_TRIES):
            if self._visitor is None or self._visitor.manifest is None:
                self.analyze()
            assert self._visitor is not None
            try:
                seconds = 0.001 if cut_off and attempt == 0 else 60.0
                answer = self._visitor.predict(self._prompts[number], seconds=seconds)
            except (*LOST, Refused) as error:
                self._note(error)
                self._figures.count("requests that were sent again")
                if not isinstance(error, httpx.TimeoutException):
                    time.sleep(_RETRY_SECONDS)
                continue
            if answer.get("error") == "gone":
                self._figures.count("sets analysed again, since the server had lost them")
                self.leave()
                continue
            self._compare(number, answer)
            self._figures.count("clicks answered")
            return
        self._figures.problem("lost", "a click, for good")

    def leave(self) -> None:
        """Close the tab."""
        if self._visitor is not None:
            self._visitor.close()
        self._visitor = None

    def _compare(self, number: int, answer: dict[str, Any]) -> None:
        assert self._visitor is not None
        try:
            masks = self._visitor.masks(answer)
        except (KeyError, ValueError) as error:
            self._figures.problem("crossings", f"{error!r}: {str(answer)[:100]}")
            return
        seen = np.packbits(masks).tobytes()
        if self._known.setdefault(number, seen) != seen:
            self._figures.problem("crossings", f"{len(self.photos)} photos, prompt {number}")

    def _note(self, error: Exception) -> None:
        if isinstance(error, Refused) and str(error).startswith("5"):
            self._figures.problem("5xx", str(error))

    def _prompt(self) -> list[dict[str, Any]]:
        def click() -> dict[str, Any]:
            return {
                "image": self._random.randrange(len(self.photos)),
                "x": self._random.random(),
                "y": self._random.random(),
                "positive": self._random.random() < 0.7,
            }

        return [{**click(), "positive": True}, *(click() for _ in range(self._random.randrange(6)))]


def _use(people: Sequence[_Person], plan: Plan) -> None:
    """Clicks and analyses of all people at the same time."""
    clicks = plan.clicks // len(people)
    # A new analysis now and then; one each was made at the beginning.
    every = max(1, clicks * len(people) // max(1, plan.analyses // 2))

    def work(person: _Person) -> None:
        for number in range(clicks):
            if number and number % every == 0:
                person.analyze()
            person.click()

    _together(people, [work])


def _together(people: Sequence[_Person], works: Sequence[Callable[[_Person], None]]) -> None:
    threads = [threading.Thread(target=work, args=(person,)) for person in people for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _use_while_killed(
    server: Server, people: Sequence[_Person], figures: Figures, plan: Plan
) -> None:
    """The same while the server is killed again and again, without a warning."""
    chance = random.Random(plan.seed)

    def kill() -> None:
        for _ in range(plan.kills):
            time.sleep(chance.uniform(1, 6))
            server.stop(signal.SIGKILL)
            figures.count("kills")
            server.start()

    killer = threading.Thread(target=kill)
    killer.start()
    while killer.is_alive():
        _use(people, replace(plan, clicks=len(people) * 5, analyses=0))
    killer.join()


def _at_once(server: Server, figures: Figures, plan: Plan, folder: Path) -> None:
    """Many analyses at the same time: the most memory that they take together."""
    sets = [_photos(folder / f"set-{i}", 12, 1000 + i, large=True) for i in range(plan.at_once)]
    visitors = [Visitor(server.url) for _ in sets]
    with _watched(server) as most:
        threads = [
            threading.Thread(target=visitor.analyze, args=(photos,))
            for visitor, photos in zip(visitors, sets, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for visitor in visitors:
        if visitor.manifest is None:
            figures.problem("lost", f"an analysis of many: {visitor.statuses[-1:]}")
        visitor.close()
    figures.counts[f"MB at most, {plan.at_once} analyses of 12 photos at once"] = most() >> 20


@contextmanager
def _watched(server: Server) -> Iterator[Callable[[], int]]:
    """Within the block, the server's memory is looked at; gives the most that was seen."""
    seen = [0]
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            seen.append(server.nbytes())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield lambda: max(seen)
    finally:
        over.set()
        watcher.join()


def _beside_a_hostile_file(server: Server, figures: Figures, folder: Path) -> None:
    """How long a visitor waits alone, and while somebody's file takes its reader very long."""
    photos = _photos(folder / "beside", 2, 77)
    hostile = folder / "scans.jpg"
    hostile.write_bytes(many_scans(side=7000, scans=2000))
    visitor, attacker = Visitor(server.url), Visitor(server.url)

    def seconds() -> float:
        begin = time.monotonic()
        visitor.analyze(photos)
        return time.monotonic() - begin

    seconds()
    alone = min(seconds() for _ in range(3))
    attack = threading.Thread(target=attacker.analyze, args=([hostile],))
    attack.start()
    time.sleep(1)  # It is being read now.
    beside = seconds()
    figures.counts["ms for 2 photos, alone"] = round(1000 * alone)
    figures.counts["ms for 2 photos, beside a hostile file"] = round(1000 * beside)
    attack.join()
    figures.counts["hostile file refused"] = int("scans.jpg" in str(attacker.statuses[-1:]))
    visitor.close()
    attacker.close()


def _fuzz(server: Server, figures: Figures, plan: Plan) -> None:
    """What no page would send, to every function and event of the page."""
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st

    visitor = Visitor(server.url)
    doors = st.sampled_from(["predict", "edges", "predict", "edges", "__init__", ""])
    quick = settings(
        max_examples=plan.messages,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @seed(plan.seed)
    @quick
    @given(doors, MESSAGES)
    def functions(function: str, message: object) -> None:
        figures.count("messages that no page would send")
        _look(figures, lambda: visitor.send(function, message))

    events = [("pp-analyze", "click"), ("pp-canvas", "restore"), ("pp-canvas", "export")]

    @seed(plan.seed)
    @settings(quick, max_examples=max(10, plan.messages // 100))
    @given(st.sampled_from(events), st.lists(JSON, max_size=6), JSON)
    def queued(event: tuple[str, str], data: list[Any], event_data: object) -> None:
        figures.count("events that no page would fire")
        _look(figures, lambda: visitor.trigger(*event, data, event_data))

    functions()
    queued()
    visitor.close()


def _look(figures: Figures, ask: Callable[[], Any]) -> None:
    try:
        seen = str(ask())
    except Refused as error:
        seen = str(error)
        if seen[:1] == "5":
            figures.problem("5xx", seen)
    # JSON that no client can write is not the server's affair.
    except (ValueError, httpx.InvalidURL):
        return
    if any(leak in seen for leak in _LEAKS):
        figures.problem("leaks", seen)


def _upload_damaged(server: Server, figures: Figures, plan: Plan, folder: Path) -> None:
    """Damaged images, and files that a browser would run, among good photos."""
    chance = random.Random(plan.seed)
    good = _photos(folder / "good", 1, 99)
    damaged = folder / "damaged"
    damaged.mkdir()
    originals = _images_of_all_formats()
    for start in range(0, plan.files, 50):
        paths = []
        for number in range(start, min(start + 50, plan.files)):
            suffix, data = chance.choice(originals)
            path = damaged / f"{number}{suffix}"
            path.write_bytes(_damage(data, chance))
            paths.append(path)
        script = damaged / f"evil-{start}.html"
        script.write_text("<script>document.title = 'mine'</script>")
        visitor = Visitor(server.url)
        try:
            uploaded = visitor.upload([script])
            visitor.analyze([*good, *paths, script])
            if visitor.manifest is None:
                figures.problem("lost", f"a good photo among damaged ones: {visitor.statuses[-1:]}")
            figures.count("damaged files", len(paths))
            _try_to_run(visitor, figures, [one["path"] for one in uploaded])
        except (*LOST, Refused) as error:
            figures.problem("lost", f"a set with damaged files: {error!r}")
        visitor.close()


def _try_to_run(visitor: Visitor, figures: Figures, paths: Sequence[str]) -> None:
    doors = ("/gradio_api/file=", "/file=", "/gradio_api/file/", "/gradio_api/proxy=")
    for address in (door + path for door in doors for path in paths):
        answer = visitor.http.get(address)
        kind = answer.headers.get("content-type", "")
        is_inline = "attachment" not in answer.headers.get("content-disposition", "")
        is_run = is_inline and any(word in kind for word in _RUNS_SCRIPTS)
        if answer.status_code == 200 and "mine" in answer.text and is_run:
            figures.problem("scripts served", f"{address}: {kind}")


def _photos(folder: Path, count: int, seed: int, *, large: bool = False) -> list[Path]:
    """Photos (JPEG) of a blob on a ground, each its own."""
    folder.mkdir()
    paths = []
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        height, width = 240, 320
        y, x = np.mgrid[:height, :width]
        pixels = np.empty((height, width, 3))
        pixels[:] = rng.integers(0, 256, 3)
        blob = np.hypot(y - rng.uniform(60, 180), x - rng.uniform(80, 240)) < rng.uniform(25, 60)
        pixels[blob] = rng.integers(0, 256, 3)
        pixels += rng.normal(0, 8, pixels.shape)
        path = folder / f"{seed}-{number}.jpg"
        image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        (image.resize((1280, 960)) if large else image).save(path)
        paths.append(path)
    return paths


def _images_of_all_formats() -> list[tuple[str, bytes]]:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (64, 96, 3), dtype=np.uint8))
    grey16 = Image.fromarray(rng.integers(0, 65536, (64, 96), dtype=np.uint16))
    written = []
    for suffix, kind, picture, options in (
        (".jpg", "JPEG", image, {}),
        (".jpg", "JPEG", image, {"progressive": True}),
        (".png", "PNG", image, {}),
        (".png", "PNG", grey16, {}),
        (".webp", "WEBP", image, {}),
        (".bmp", "BMP", image, {}),
        (".gif", "GIF", image, {}),
        (".tif", "TIFF", image, {}),
        (".tif", "TIFF", grey16, {"compression": "tiff_deflate"}),
        (".avif", "AVIF", image, {}),
        (".jp2", "JPEG2000", image, {}),
    ):
        file = io.BytesIO()
        picture.save(file, kind, **options)
        written.append((suffix, file.getvalue()))
    return written


def _damage(data: bytes, chance: random.Random) -> bytes:
    """The bytes with a few of them changed, left out, said twice or cut off."""
    damaged = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        at = chance.randrange(len(damaged))
        match chance.randrange(4):
            case 0:
                damaged[at] = chance.randrange(256)
            case 1:
                del damaged[at : at + chance.randrange(1, 40)]
            case 2:
                damaged[at:at] = damaged[at : at + chance.randrange(1, 40)]
            case _:
                del damaged[max(at, 12) :]
        if len(damaged) < 16:
            break
    return bytes(damaged)


if __name__ == "__main__":
    sys.exit(main())
