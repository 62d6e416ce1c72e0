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
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks import report
from benchmarks.hostile import send_nonsense, upload_damaged
from benchmarks.photos import make_blobs
from benchmarks.plan import NEVER, SHORT, Figures, Plan
from benchmarks.regular import Regular
from benchmarks.server import Server
from benchmarks.table import Table
from tests.hostile import many_scans
from tests.visitor import Visitor


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print the figures; 1 where something happened that never should."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--short", action="store_true", help="a minute, as in the tests")
    parser.add_argument("--seed", type=int, default=0)
    report.add_option(parser)
    options = parser.parse_args(arguments)
    plan = replace(SHORT if options.short else Plan(), seed=options.seed)
    with tempfile.TemporaryDirectory() as folder:
        figures = run(plan, Path(folder))
    rows = [[name, figures.counts[name]] for name in (*NEVER, *_others(figures))]
    table = Table(["what", "figure"], rows)
    print(table)
    if options.docs:
        report.publish("soak", table, parser.prog)
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
        people = [Regular(server, figures, folder, plan, i) for i in range(plan.visitors)]
        _together(people, [Regular.analyze])
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
        send_nonsense(server, figures, plan)
        upload_damaged(server, figures, plan, folder)
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


def _use(people: Sequence[Regular], plan: Plan) -> None:
    """Clicks and analyses of all people at the same time."""
    clicks = plan.clicks // len(people)
    # A new analysis now and then; one each was made at the beginning.
    every = max(1, clicks * len(people) // max(1, plan.analyses // 2))

    def work(person: Regular) -> None:
        for number in range(clicks):
            if number and number % every == 0:
                person.analyze()
            person.click()

    _together(people, [work])


def _together(people: Sequence[Regular], works: Sequence[Callable[[Regular], None]]) -> None:
    threads = [threading.Thread(target=work, args=(person,)) for person in people for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _use_while_killed(
    server: Server, people: Sequence[Regular], figures: Figures, plan: Plan
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
    sets = [make_blobs(folder / f"set-{i}", 12, 1000 + i, large=True) for i in range(plan.at_once)]
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
    photos = make_blobs(folder / "beside", 2, 77)
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


if __name__ == "__main__":
    sys.exit(main())
