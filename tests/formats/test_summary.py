import csv
import io

import numpy as np

from pointprompt.edits import Lock, Stroke
from pointprompt.formats.summary import Summary
from pointprompt.settings import Settings
from pointprompt.things import Thing
from pointprompt.types import Click
from tests.formats.made import files_of, labelled, photo, some_masks, things


def _rows(given):
    text = files_of(Summary, given)["summary.csv"].decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_says_how_much_of_a_thing_is_in_an_image():
    mask = np.zeros((4, 5), bool)
    mask[0, 0] = mask[1, 1] = mask[3, 4] = True  # Two regions: the first pixels touch.
    clicks = (Click(0, 0.1, 0.1), Click(1, 0.1, 0.1), Click(0, 0.5, 0.5, positive=False))
    given = labelled([[mask, ~mask], [~mask, mask]], [Thing("cat", clicks), Thing("dog")])
    rows = _rows(given)
    assert rows[0] == {
        "image": "image 0.jpeg",
        "thing": "cat",
        "pixels": "3",
        "share": "0.150000",
        "regions": "2",
        "presence": f"{given.presence[0, 0]:.4f}",
        "positive_clicks": "1",
        "negative_clicks": "1",
        "locked": "false",
        "edited": "false",
    }
    assert [(row["image"], row["thing"]) for row in rows] == [
        ("image 0.jpeg", "cat"),
        ("image 0.jpeg", "dog"),
        ("image 1.jpeg", "cat"),
        ("image 1.jpeg", "dog"),
    ]
    assert [row["pixels"] for row in rows] == ["3", "17", "17", "3"]


def test_what_is_nowhere_has_a_row_of_zeros():
    (row,) = _rows(labelled([[np.zeros((4, 5), bool)]]))
    assert (row["pixels"], row["share"], row["regions"]) == ("0", "0.000000", "0")


def test_no_name_breaks_the_table_or_is_run_as_a_formula():
    names = ['a,"b";\'c', "=1+1", "-2", "+3", "@x", "手"]
    given = labelled(some_masks(6, [(4, 5)]), things(*names), [photo("ä, b.png", 4, 5)])
    rows = _rows(given)
    assert [row["thing"] for row in rows] == ['a,"b";\'c', "'=1+1", "'-2", "'+3", "'@x", "手"]
    assert {row["image"] for row in rows} == {"ä, b.png"}


def test_what_was_accepted_and_what_a_brush_was_used_on_is_said_of_each_image():
    lock = Lock((1,), (Click(0, 0.1, 0.1),), Settings())
    stroke = Stroke(0, adds=False, radius=0.1, points=((0.5, 0.5),))
    thing = Thing("cat", locks=(lock,), strokes=(stroke,))
    first, second = _rows(labelled(some_masks(1, [(4, 5), (4, 5)]), [thing]))
    assert (first["locked"], first["edited"]) == ("false", "true")
    assert (second["locked"], second["edited"]) == ("true", "false")
