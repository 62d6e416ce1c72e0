from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointprompt.server import status
from pointprompt.types import Photo, Progress, Rejected

HOSTILE = '<img src=x onerror="alert(1)">&"\''


class Outline(HTMLParser):
    """The tags of some HTML, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_there_is_nothing_to_say_at_first():
    assert status.idle() == ""


@pytest.mark.parametrize(
    "stage",
    [
        "wait",
        "wait_export",
        "start",
        "download",
        "fetch",
        "frames",
        "read",
        "features",
        "cut",
        "colors",
        "open",
        "export",
        "upload",
        "commit",
    ],
)
def test_every_stage_has_words_and_a_place_in_the_bar(stage):
    shown = Outline(status.busy(Progress(stage, 0, 1), None))
    assert len(shown.text) > 5
    assert 0 <= int(shown.attributes["aria-valuenow"]) <= 100


def test_the_bar_never_goes_back_through_an_analysis():
    steps = [Progress("start", 0, 1)]
    for stage, total in (("fetch", 3), ("read", 3), ("features", 3), ("cut", 1), ("colors", 1)):
        steps += [Progress(stage, done, total) for done in range(total + 1)]
    steps.append(Progress("open", 0, 1))
    shares = [int(Outline(status.busy(s, None)).attributes["aria-valuenow"]) for s in steps]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 100)


def test_the_images_done_are_counted_where_there_are_several():
    assert "3 of 12" in status.busy(Progress("features", 3, 12), None)
    assert " of " not in Outline(status.busy(Progress("features", 0, 1), None)).text


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress("wait", 0, 0), "Waiting: you are next"),
        (Progress("wait", 0, 1), "Waiting: 1 analysis before yours"),
        (Progress("wait", 0, 2), "Waiting: 2 analyses before yours"),
        (Progress("wait_export", 0, 1), "Waiting: 1 download before yours"),
        (Progress("wait_export", 0, 3), "Waiting: 3 downloads before yours"),
    ],
)
def test_who_waits_reads_how_many_come_before(progress, words):
    assert Outline(status.busy(progress, None)).text == words


def test_a_stage_without_steps_is_no_error():
    assert Outline(status.busy(Progress("read", 0, 0), None)).attributes["aria-valuenow"] == "5"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "about 1 s"),
        (0.4, "about 1 s"),
        (41.6, "about 42 s"),
        (60, "about 1 min"),
        (150, "about 2 min"),
        (3600, "about 60 min"),
    ],
)
def test_the_time_left_is_rounded(seconds, words):
    assert f", {words} left" in status.busy(Progress("features", 1, 2), seconds)


def test_no_time_is_named_where_none_is_known():
    assert "left" not in status.busy(Progress("features", 0, 2), None)


def test_the_end_is_told_to_assistive_tools_and_a_failure_at_once():
    assert Outline(status.done("12 images ready.")).attributes["role"] == "status"
    assert Outline(status.stopped("Cancelled.")).attributes["role"] == "status"
    assert Outline(status.failed("No images.")).attributes["role"] == "alert"


@pytest.mark.parametrize("line", [status.done, status.failed, status.stopped])
def test_texts_stay_texts(line):
    shown = Outline(line(HOSTILE))
    assert shown.tags == ["div", "button"]
    assert shown.text == HOSTILE


@given(name=st.text(), reason=st.text())
def test_names_and_reasons_of_rejected_images_stay_texts(name, reason):
    shown = Outline(status.done("Ready.", [Rejected(name, reason)]))
    assert shown.tags == ["div", "details", "summary", "ul", "li", "strong", "button"]


@pytest.mark.parametrize("line", [status.done, status.failed, status.stopped])
def test_what_was_read_can_be_put_away(line):
    shown = Outline(line("It is over."))
    assert shown.attributes["aria-label"] == "Close"
    assert "button" not in Outline(status.busy(Progress("read", 1, 2), None)).tags


def test_rejected_images_are_named_with_the_reason():
    rejected = [Rejected(HOSTILE, "It is empty."), Rejected("b.txt", "It is no image.")]
    text = Outline(status.done("Ready.", rejected)).text
    assert f"2 images could not be used{HOSTILE}: It is empty.b.txt: It is no image." in text


def test_one_rejected_image_is_counted_as_one():
    html = status.done("Ready.", [Rejected("a.txt", "It is no image.")])
    assert "<summary>1 image could not be used</summary>" in html


def photos(*remarks: str) -> list[Photo]:
    return [Photo(HOSTILE, 1, 1, b"", Path("a"), remark) for remark in remarks]


def test_remarks_on_photos_are_counted_and_stay_texts_below_a_line_to_open():
    shown = Outline(status.remarks(photos("Its end is missing.", "", HOSTILE)))
    assert shown.tags == ["details", "summary", "ul", "li", "strong", "li", "strong"]
    assert "open" not in shown.attributes
    assert shown.text == (
        f"2 images read with a remark{HOSTILE}: Its end is missing.{HOSTILE}: {HOSTILE}"
    )
    assert "1 image read with a remark" in status.remarks(photos("Its end is missing."))


def test_without_remarks_there_is_nothing_to_say_of_photos():
    assert status.remarks(photos("", "")) == ""


def test_without_rejected_images_there_are_no_details():
    assert Outline(status.done("Ready.")).tags == ["div", "button"]


def test_a_link_opens_beside_the_page_and_says_nothing_of_it():
    shown = Outline(status.done("Pushed to", link=(HOSTILE, f"http://hub/{HOSTILE}")))
    assert shown.text == f"Pushed to {HOSTILE}"
    assert shown.tags == ["div", "a", "button"]
    assert shown.attributes["href"] == f"http://hub/{HOSTILE}"
    assert (shown.attributes["target"], shown.attributes["rel"]) == (
        "_blank",
        "noopener noreferrer",
    )
