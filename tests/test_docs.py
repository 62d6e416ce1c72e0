"""README and docs/ say what is there: their code runs, and their links lead somewhere."""

from __future__ import annotations

import re
import zipfile
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pointprompt.sources.examples import example_set
from pointprompt.types import ByteArray

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def links(page: Path) -> list[str]:
    """Where the links and pictures of a page lead; not those in code."""
    prose = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", prose)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_page_of_docs_is_reached_from_the_readme() -> None:
    reached, ahead = set(), [README]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links(page)}
        ahead += [one for one in PAGES if {one, one.parent} & targets and one not in reached]
    assert {name_of(page) for page in PAGES} == {name_of(page) for page in reached}


def test_the_readme_is_short() -> None:
    assert len(text_of(README).splitlines()) <= 120


def code_of(page: Path) -> str:
    """All Python of a page, one block after the other, as someone would run it."""
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL))


def ran(page: Path) -> dict[str, Any]:
    """The names there are after a page's code has run here."""
    names: dict[str, Any] = {}
    exec(compile(code_of(page), page.name, "exec"), names)
    return names


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[ByteArray]:
    """Those of an example; here are a.jpg to e.jpg, and the folder photos with two and a text."""
    pixels = [image.load() for image in example_set("cat-or-not").images]
    (tmp_path / "photos").mkdir()
    for name, image in zip("abcde", cycle(pixels), strict=False):
        Image.fromarray(image).save(tmp_path / f"{name}.jpg")
    for name, image in zip(("cat", "other"), pixels, strict=False):
        Image.fromarray(image[:, ::-1]).save(tmp_path / "photos" / f"{name}.jpg")
    (tmp_path / "photos" / "broken.jpg").write_text("no image")
    monkeypatch.chdir(tmp_path)
    return pixels


def test_the_code_of_the_readme_runs(images: list[ByteArray]) -> None:
    mask = ran(README)["prediction"].masks[1]
    assert mask.shape == images[1].shape[:2]
    assert mask.dtype == bool


def test_the_code_of_recipes_runs(
    images: list[ByteArray], capsys: pytest.CaptureFixture[str]
) -> None:
    names = ran(ROOT / "docs" / "recipes.md")
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == ["broken.jpg", "cat.jpg", "other.jpg"]
    assert names["tokens"].masks.shape[0] == 2
    assert names["cat"].settings.concept


@pytest.mark.usefixtures("images")
def test_the_code_of_formats_runs() -> None:
    names = ran(ROOT / "docs" / "formats.md")
    assert names["prompt"].things == (names["cat"],)
    assert {path.name for path in Path("polygons").iterdir()} == {"coco.json", "prompt.json"}
    with zipfile.ZipFile("masks.zip") as archive:
        assert {"coco.json", "prompt.json"} < set(archive.namelist())


def test_every_headline_figure_of_the_readme_is_one_that_was_measured() -> None:
    section = text_of(README).partition("## Figures")[2].partition("\n## ")[0]
    bullets = re.findall(r"- \[\w+\]\((docs/\w+\.md)\): (.+)", section)
    assert len(bullets) == 3
    for place, claim in bullets:
        measured = set(re.findall(r"[\d.,]*\d", text_of(ROOT / place)))
        assert set(re.findall(r"[\d.,]*\d", claim)) <= measured, claim
