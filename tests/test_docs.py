"""README and docs/ say what is there: their code runs, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from pointprompt.sources.examples import example_set

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


def test_the_code_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = example_set("cat-or-not").images
    for name, image in zip(("a", "b", "c"), images, strict=False):
        Image.fromarray(image.load()).save(tmp_path / f"{name}.jpg")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^```python\n(.*?)^```$", text_of(README), re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    mask = names["prediction"].masks[1]  # type: ignore[attr-defined]
    assert mask.shape == images[1].load().shape[:2]
    assert mask.dtype == bool


def test_every_headline_figure_of_the_readme_is_one_that_was_measured() -> None:
    section = text_of(README).partition("## Figures")[2].partition("\n## ")[0]
    bullets = re.findall(r"- \[\w+\]\((docs/\w+\.md)\): (.+)", section)
    assert len(bullets) == 3
    for place, claim in bullets:
        measured = set(re.findall(r"[\d.,]*\d", text_of(ROOT / place)))
        assert set(re.findall(r"[\d.,]*\d", claim)) <= measured, claim
