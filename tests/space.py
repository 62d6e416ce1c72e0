"""What is deployed, tried: an environment from requirements.txt alone, and the main job in it.

`make space` runs this. It copies what git has of the project into a new folder, serves `app.py`
from there with the environment that it is given, and does in a real browser what a person comes
for: upload, click, see the masks, download them. Run by the development environment, which has the
browser's driver; nothing of that one is seen by the server.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import subprocess
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from pointprompt.sources.examples import example_set
from tests.e2e.browser import Page, launch_chromium
from tests.serving import ROOT, serving

# The red ball of the example set "still-life" in its first three images, and a place without it.
BALL = ((0.31, 0.42), (0.68, 0.36), (0.61, 0.30))
TABLE = (0.08, 0.9)


def main() -> None:
    """Try the project as it is committed, and say what was done."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("python", type=Path, help="the Python of the environment to try")
    python = Path(os.path.abspath(parser.parse_args().python))  # noqa: PTH100 - not its target
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        project = _copy(folder / "project")
        photos = _photos(folder / "photos")
        temporary = folder / "temporary"
        temporary.mkdir()
        began = time.monotonic()
        with serving(temporary, python=python, project=project) as server:
            print(f"served after {time.monotonic() - began:.1f} s")
            versions = _main_job(server.url, photos, folder)
            status = server.end(signal.SIGTERM)
        left = [path.name for path in temporary.iterdir()]
        print(f"ended with status {status}; left behind: {left or 'nothing'}")
        _require(status == 0 and not left, "The server did not end cleanly.")
    print(", ".join(f"{package} {version}" for package, version in versions.items()))


def _copy(folder: Path) -> Path:
    """What git has of the project, and nothing else that lies in its folder."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    folder.mkdir()
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(folder)
    commit = subprocess.run(
        ["git", "log", "-1", "--format=%h %s"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    print(f"commit {commit.stdout.strip()}")
    return folder


def _photos(folder: Path) -> list[Path]:
    folder.mkdir()
    paths = []
    for image in example_set("still-life").images[: len(BALL)]:
        paths.append(folder / image.name)
        Image.fromarray(image.load()).save(paths[-1])
    return paths


def _main_job(url: str, photos: list[Path], folder: Path) -> dict[str, str]:
    """Do it, and return the versions that the download names."""
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        tab = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page = Page(tab, url)
        page.open()
        began = time.monotonic()
        page.analyze_files(photos)
        print(f"{page.tile_count} photos analysed after {time.monotonic() - began:.1f} s")
        page.click(0, *BALL[0])
        page.wait_for_masks()
        shown = [_at(page.mask(index), ball) for index, ball in enumerate(BALL)]
        _require(all(shown[1:]) and not _at(page.mask(1), TABLE), "The masks are wrong.")
        print("one click in the first photo masked the ball, and not the table, in the others")
        with tab.expect_download() as waiting:
            page.action("export").click()
        path = folder / "masks.zip"
        waiting.value.save_as(path)
        _require(not page.problems, f"The browser complained: {page.problems}")
        print(f"browser: Chromium {browser.version}")
        browser.close()
    return _checked_download(path, photos)


def _checked_download(path: Path, photos: list[Path]) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        document = json.loads(archive.read("prompt.json"))
        for photo, ball in zip(photos, BALL, strict=True):
            mask = np.array(Image.open(io.BytesIO(archive.read(f"masks/{photo.stem}.png"))))
            _require(
                _at(mask, ball) and not _at(mask, TABLE), f"The mask of {photo.name} is wrong."
            )
        print(f"downloaded {path.stat().st_size} bytes with {len(archive.namelist())} files")
    versions: dict[str, str] = document["versions"]
    return versions


def _at(mask: np.ndarray, place: tuple[float, float]) -> bool:
    height, width = mask.shape
    return bool(mask[int(place[1] * height), int(place[0] * width)])


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise SystemExit(message)


if __name__ == "__main__":
    main()
