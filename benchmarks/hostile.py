"""What no page would send, and files that were damaged or that a browser would run.

All chance has a seed. How the page's messages look, `tests.visitor` knows.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from benchmarks.photos import make_blobs
from benchmarks.plan import Figures, Plan
from benchmarks.regular import LOST
from benchmarks.server import Server
from tests.hostile import JSON, MESSAGES
from tests.visitor import Refused, Visitor

# Of a message that no page would send, how much of the answer is looked at.
_LEAKS = ("Traceback", "site-packages", "/pointprompt-", str(Path.home()))
_RUNS_SCRIPTS = ("html", "svg", "xml", "javascript", "ecmascript")


def send_nonsense(server: Server, figures: Figures, plan: Plan) -> None:
    """What no page would send, to every function and event of the page."""
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st

    visitor = Visitor(server.url)
    doors = st.sampled_from(["predict", "edges", "open_prompt", "predict", "edges", "__init__", ""])
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

    events = [
        ("pp-analyze", "click"),
        ("pp-canvas", "restore"),
        ("pp-canvas", "opening"),
        ("pp-canvas", "export"),
        ("pp-canvas", "recall"),
    ]

    @seed(plan.seed)
    @settings(quick, max_examples=max(10, plan.messages // 100))
    @given(st.sampled_from(events), st.lists(JSON, max_size=6), JSON)
    def queued(event: tuple[str, str], data: list[Any], event_data: object) -> None:
        figures.count("events that no page would fire")
        _look(figures, lambda: list(visitor.following(*event, data, event_data)))

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


def upload_damaged(server: Server, figures: Figures, plan: Plan, folder: Path) -> None:
    """Damaged images, and files that a browser would run, among good photos."""
    chance = random.Random(plan.seed)
    good = make_blobs(folder / "good", 1, 99)
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
