import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pointprompt.edits import MAX_STROKES, Lock, Stroke
from pointprompt.formats import prompt_json
from pointprompt.formats.prompt_json import describe, encode, read_prompt
from pointprompt.settings import MAX_AREA, OUTLINES, RULES, SIZES, JointRule, Settings, TutorialRule
from pointprompt.things import MAX_NAME_CHARS, MAX_THINGS, Color, Thing
from pointprompt.types import Click, Photo
from tests.formats.made import BACKBONE, document, labelled, some_masks
from tests.hostile import JSON

unit = st.floats(0, 1, exclude_max=True)
clicks = st.builds(Click, st.integers(0, 2), unit, unit, st.booleans())
names = (
    st.text(min_size=1, max_size=MAX_NAME_CHARS)
    .filter(str.isprintable)
    .filter(lambda name: name == name.strip() != "")
)
all_settings = st.builds(
    Settings,
    st.builds(
        JointRule,
        st.floats(0, 1),
        st.floats(0.01, 10),
        st.sampled_from(SIZES),
        st.sampled_from(["", f"{'0a' * 8}-19"]),
    )
    | st.builds(
        TutorialRule,
        threshold=st.floats(0, 1),
        gamma=st.floats(0.01, 10),
        denoise=st.booleans(),
        min_area=st.integers(0, 10_000),
        negative_threshold=st.floats(0, 1),
        n_eigvecs=st.none() | st.integers(1, 100),
    ),
    one_only=st.booleans(),
    outline=st.sampled_from(OUTLINES),
    fill_holes=st.integers(0, MAX_AREA),
    remove_specks=st.integers(0, 100),
)
strokes = st.builds(
    Stroke,
    st.integers(0, 2),
    st.booleans(),
    st.floats(0, 1, exclude_min=True),
    st.lists(st.tuples(st.floats(-1, 2), st.floats(-1, 2)), min_size=1, max_size=4).map(tuple),
)
locks = st.lists(
    st.builds(
        Lock,
        st.integers(0, 2).map(lambda image: (image,)),
        st.lists(clicks, max_size=2).map(tuple),
        all_settings,
    ),
    max_size=2,
    unique_by=lambda lock: lock.images,
).map(tuple)


colors = st.builds(Color, *[st.integers(0, 255)] * 3)
some_things = st.lists(
    st.builds(
        Thing,
        names,
        st.lists(clicks, max_size=5).map(tuple),
        all_settings,
        colors,
        locks,
        st.lists(strokes, max_size=3).map(tuple),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda thing: thing.name.casefold(),
).map(tuple)
PHOTOS = [Photo(f"{i}.png", 60, 90, b"", None) for i in range(3)]
SCHEMA = json.loads((Path(__file__).parents[2] / "docs/prompt.schema.json").read_text())
VALID = Draft202012Validator(SCHEMA)


def _file(things, photos=PHOTOS):
    return encode(describe(things, BACKBONE, photos))


@given(things=some_things)
def test_what_is_written_is_read_back_and_as_the_schema_has_it(things):
    data = _file(things)
    assert read_prompt(data).things == things
    assert read_prompt(data.decode()).things == things
    VALID.validate(json.loads(data))


def test_numbers_of_numpy_are_written_as_numbers():
    click = Click(0, np.float32(0.1), np.float32(0.99999994))
    choice = Settings(TutorialRule(threshold=np.float32(0.25), min_area=np.int64(4)))
    thing = Thing("x", (click,), choice, Color(*np.array([1, 2, 3])))
    data = _file([thing])
    assert read_prompt(data).things == (thing,)
    assert json.loads(data)["things"][0]["clicks"][0]["pixel_y"] == 59
    VALID.validate(json.loads(data))


def test_the_whole_file_of_an_archive_is_as_the_schema_has_it():
    given = labelled(some_masks(2, [(8, 9), (5, 5)]), [FUR, Thing("dog")])
    whole = document(given, ["png", "overlays"])
    VALID.validate(whole)
    assert read_prompt(json.dumps(whole)).things == (FUR, Thing("dog"))


def test_the_schema_is_one_and_has_the_limits_and_choices_of_the_code():
    Draft202012Validator.check_schema(SCHEMA)
    parts = SCHEMA["$defs"]
    assert SCHEMA["properties"]["version"]["const"] == prompt_json.FORMAT_VERSION
    assert SCHEMA["properties"]["things"]["maxItems"] == MAX_THINGS
    assert parts["thing"]["properties"]["name"]["maxLength"] == MAX_NAME_CHARS
    assert parts["thing"]["properties"]["strokes"]["maxItems"] == MAX_STROKES
    assert set(parts["stroke"]["properties"]) == {one.name for one in fields(Stroke)}
    assert set(parts["lock"]["properties"]) == {one.name for one in fields(Lock)}
    assert parts["area"]["maximum"] == MAX_AREA
    assert parts["settings"]["properties"]["outline"]["enum"] == list(OUTLINES)
    assert parts["joint"]["properties"]["size"]["enum"] == list(SIZES)
    assert set(parts["settings"]["properties"]) == {one.name for one in fields(Settings)}
    for name, rule in RULES.items():
        assert set(parts[name]["properties"]) == {"name"} | {one.name for one in fields(rule)}


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr(prompt_json, "PACKAGES", ("no-such-package-at-all",))
    document = describe([Thing()], BACKBONE, [])
    assert document["versions"]["no-such-package-at-all"] is None


FUR = Thing("fur", (Click(0, 0.5, 0.5),), Settings(JointRule(threshold=0.7)), Color(1, 2, 3))


def _good():
    return {
        "format": "pointprompt",
        "version": 3,
        "things": [
            {
                "name": "fur",
                "color": [1, 2, 3],
                "clicks": [{"image": 0, "x": 0.5, "y": 0.5, "positive": True}],
                "settings": {"rule": {"name": "joint", "threshold": 0.7}},
            }
        ],
    }


def _good_old(version=2):
    thing = _good()["things"][0]
    return {
        "format": "pointprompt",
        "version": version,
        "prompt": {"name": "fur", "clicks": thing["clicks"]},
        "settings": thing["settings"] if version == 2 else {},
    }


def test_settings_that_are_not_there_take_their_defaults():
    assert read_prompt(json.dumps(_good())) == ((FUR,), False, False, (), ())
    VALID.validate(_good())


@pytest.mark.parametrize(
    ("name", "kept"), [("fur", "fur"), ("", "mask"), ("a\nb", "mask"), ("x" * 61, "mask")]
)
def test_a_prompt_file_of_version_2_is_still_read_whatever_its_name(name, kept):
    old = _good_old()
    old["prompt"]["name"] = name
    thing = Thing(kept, FUR.clicks, FUR.settings)
    assert read_prompt(json.dumps(old)).things == (thing,)


# A path into the document, and what to put there.
HOSTILE = [
    (["format"], "labelme", "not a prompt file"),
    (["version"], 4, "format version 4"),
    (["version"], True, "format version True"),
    (["version"], [3], "format version"),
    (["version"], "9" * 100_000, "format version"),
    (["things"], None, "^things "),
    (["things"], {"0": 1}, "^things "),
    (["things"], [], "^things: .* not 0"),
    (["things"], [{}] * 21, "^things .* not 21"),
    (["things"], [_good()["things"][0]] * 2, "^things: Two things have the same name"),
    (["things", 0], None, "^things.0. "),
    (["things", 0, "name"], 3, "^things.0..name: "),
    (["things", 0, "name"], " fur", "^things.0..name: "),
    (["things", 0, "name"], "", "^things.0..name: "),
    (["things", 0, "name"], "x" * 61, "^things.0..name: "),
    (["things", 0, "name"], ["x"], "^things.0..name: "),
    (["things", 0, "color"], None, "^things.0..color "),
    (["things", 0, "color"], [1, 2], "^things.0..color "),
    (["things", 0, "color"], "red", "^things.0..color "),
    (["things", 0, "color"], [1, 2, 256], "^things.0..color: "),
    (["things", 0, "color"], [1, 2, True], "^things.0..color: "),
    (["things", 0, "color"], [1, 2, None], "^things.0..color: "),
    (["things", 0, "color"], [1, 2, 3.5], "^things.0..color: "),
    (["things", 0, "clicks"], None, "^things.0..clicks "),
    (["things", 0, "clicks"], {"0": 1}, "^things.0..clicks "),
    (["things", 0, "clicks", 0], None, "^things.0..clicks.0. "),
    (["things", 0, "clicks", 0], {"image": 0, "x": 0.5, "y": 0.5}, "^things.0..clicks.0..positive"),
    *[
        (["things", 0, "clicks", 0, name], value, f"^things.0..clicks.0..{name} must be")
        for name, values in {
            "image": [-1, 0.5, True, "0", None],
            "x": [1, "0.5", float("nan"), 10**400, "0" * 100_000, []],
            "y": [None, -0.1, float("inf"), False],
            "positive": [1, None, "true"],
        }.items()
        for value in values
    ],
    *[
        (["things", 0, "settings", *path], value, f"^things.0..settings.? .*{words}")
        for path, value, words in [
            ([], None, "object"),
            (["__class__"], "x", "no setting"),
            (["rule", "name"], "sharpest", "rule must be one of joint, tutorial"),
            (["rule", "name"], ["joint"], "rule"),
            (["rule"], "joint", "rule"),
            (["rule", "size"], "half", "size"),
            (["one_only"], 1, "one_only"),
            (["outline"], None, "outline"),
            (["outline"], "o" * 100_000, "outline"),
            (["outline"], {"photo": 1}, "outline"),
            (["rule", "threshold"], float("inf"), "threshold"),
            (["rule", "threshold"], [0.5], "threshold"),
            (["rule", "gamma"], 0, "gamma"),
            (["rule", "gamma"], 10**400, "gamma"),
            (["rule"], {"name": "tutorial", "denoise": "yes"}, "denoise"),
            (["rule"], {"name": "tutorial", "min_area": 2.5}, "min_area"),
            (["rule"], {"name": "tutorial", "n_eigvecs": 0}, "n_eigvecs"),
        ]
    ],
]
# What the schema cannot say.
BEYOND_SCHEMA = ("same name", "locked twice")


def _edited():
    """A file with a lock and a stroke."""
    document = _good()
    (thing,) = document["things"]
    lock = {"images": [1], "clicks": _good()["things"][0]["clicks"], "settings": {"one_only": True}}
    stroke = {"image": 0, "adds": False, "radius": 0.05, "points": "0.25,0.5 0.3,-1"}
    thing |= {"locks": [lock], "strokes": [stroke]}
    image = {"name": "a.png", "width": 4, "height": 3, "mask_pixels": {}, "files": []}
    document["images"] = [image, {**image, "name": "b.png"}, {**image, "skipped": True}]
    return document


HOSTILE_EDITS = [
    *[
        (["things", 0, *path], value, f"^things.0..{words}")
        for path, value, words in [
            (["locks"], None, "locks "),
            (["locks", 0], [], "locks.0. "),
            (["locks", 0, "images"], None, "locks.0..images "),
            (["locks", 0, "images"], [], "locks.0..images"),
            (["locks", 0, "images"], [-1], "locks.0..images"),
            (["locks", 0, "images"], ["0"], "locks.0..images"),
            (["locks", 0, "clicks", 0, "x"], 2, "locks.0..clicks.0..x "),
            (["locks", 0, "settings"], None, "locks.0..settings "),
            (["locks"], [_edited()["things"][0]["locks"][0]] * 2, "locks: .* locked twice"),
            (["strokes"], {}, "strokes "),
            (["strokes", 0], "line", "strokes.0. "),
            (["strokes", 0, "image"], 0.5, "strokes.0.: .*image"),
            (["strokes", 0, "adds"], 1, "strokes.0.: .*adds"),
            (["strokes", 0, "radius"], 0, "strokes.0.: .*radius"),
            (["strokes", 0, "radius"], None, "strokes.0.: .*radius"),
            (["strokes", 0, "points"], [[0, 0]], "strokes.0..points must be a text"),
            (["strokes", 0, "points"], "", "strokes.0.: .* 1 to 1000 points"),
            (["strokes", 0, "points"], "0.5", "strokes.0.: points must be places"),
        ]
    ],
    (["images", 2, "skipped"], 1, "^images.2..skipped "),
]
# What a pattern says too little of.
HOSTILE_POINTS = [
    ("0.5,x", "places"),
    ("0.5,nan", "from -1 to 2"),
    ("0.5,2.5", "from -1 to 2"),
    ("0,0 " * 1001, "1000"),
    ("0" * 100_000, "places"),
]
# What was refused in version 2 still is.
HOSTILE_OLD = [
    (["prompt"], None, "^prompt "),
    (["prompt"], [], "^prompt "),
    (["prompt", "name"], 3, "^prompt.name "),
    (["prompt", "clicks"], None, "^prompt.clicks "),
    (["prompt", "clicks", 0, "x"], 2, r"^prompt.clicks\[0\].x "),
    (["settings"], None, "^settings "),
    (["settings", "rule", "gamma"], -1, "^settings: gamma"),
]

# Settings of version 1, and what they are today.
OLD = [
    ({}, Settings()),
    ({"strength": 1}, Settings(JointRule(threshold=0.25))),
    ({"strength": 0, "threshold": 0.9}, Settings(JointRule(threshold=0.75))),
    ({"edges": False, "crisp": True, "one_only": True}, Settings(one_only=True, outline="tokens")),
    ({"crisp": True}, Settings(outline="sam")),
    (
        {"rule": "tutorial", "threshold": 0.7, "min_area": 8, "strength": 0.1},
        Settings(TutorialRule(threshold=0.7, min_area=8)),
    ),
]
# What was refused in version 1 still is.
OLD_HOSTILE = [
    ({"rule": "sharpest"}, "rule must be one of kernel, tutorial"),
    ({"rule": ["kernel"]}, "rule"),
    ({"strength": -0.1}, "strength"),
    ({"strength": 10**400}, "strength"),
    ({"strength": True}, "strength"),
    ({"edges": None}, "edges"),
    ({"crisp": 1}, "crisp"),
    ({"one_only": 1}, "one_only"),
    ({"threshold": [0.5]}, "threshold"),
    ({"gamma": 10**400}, "too large|gamma"),
    ({"n_eigvecs": 0}, "n_eigvecs"),
    ({"outline": "photo"}, "unknown setting"),
]


@pytest.mark.parametrize(("old", "today"), OLD)
def test_a_prompt_file_of_version_1_is_still_read(old, today):
    document = {**_good_old(1), "settings": old}
    assert read_prompt(json.dumps(document)).things[0].settings == today


@pytest.mark.parametrize(("old", "sentence"), OLD_HOSTILE)
def test_a_value_of_version_1_that_cannot_be_used_is_an_error_that_names_it(old, sentence):
    document = {**_good_old(1), "settings": old}
    with pytest.raises(ValueError, match=sentence) as error:
        read_prompt(json.dumps(document))
    assert len(str(error.value)) < 1000


def _with(document, path, value):
    place = document
    for key in path[:-1]:
        place = place[key]
    if path[-1:]:
        place[path[-1]] = value
    return document


@pytest.mark.parametrize(("path", "value", "sentence"), HOSTILE)
def test_a_value_that_cannot_be_used_is_an_error_that_names_its_place(
    path, value, sentence, good=_good
):
    document = _with(good(), path, value)
    with pytest.raises(ValueError, match=sentence) as error:
        read_prompt(json.dumps(document))
    assert len(str(error.value)) < 400
    # JSON has no NaN, so a schema knows nothing of it.
    if value == value:
        assert VALID.is_valid(document) == any(words in sentence for words in BEYOND_SCHEMA)


@pytest.mark.parametrize(("path", "value", "sentence"), HOSTILE_EDITS)
def test_an_edit_that_cannot_be_used_is_an_error_that_names_its_place(path, value, sentence):
    test_a_value_that_cannot_be_used_is_an_error_that_names_its_place(
        path, value, sentence, good=_edited
    )


@pytest.mark.parametrize(("points", "sentence"), HOSTILE_POINTS)
def test_points_are_places_near_the_image(points, sentence):
    document = _with(_edited(), ["things", 0, "strokes", 0, "points"], points)
    with pytest.raises(ValueError, match=f"^things.0..strokes.0.: .*{sentence}") as error:
        read_prompt(json.dumps(document))
    assert len(str(error.value)) < 400


def test_edits_are_read_with_the_images_that_are_skipped():
    VALID.validate(_edited())
    file = read_prompt(json.dumps(_edited()))
    (thing,) = file.things
    assert thing.locks == (Lock((1,), FUR.clicks, Settings(one_only=True)),)
    assert thing.strokes == (Stroke(0, adds=False, radius=0.05, points=((0.25, 0.5), (0.3, -1.0))),)
    assert file.skipped == (2,)
    assert file.last_image == 2


@pytest.mark.parametrize(("path", "value", "sentence"), HOSTILE_OLD)
def test_a_value_of_version_2_that_cannot_be_used_is_an_error_too(path, value, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_prompt(json.dumps(_with(_good_old(), path, value)))


@given(
    path=st.sampled_from(
        [
            [],
            ["things"],
            ["things", 0],
            *[["things", 0, key] for key in _good()["things"][0]],
            *[["things", 0, "clicks", 0, key] for key in ("image", "x", "y", "positive")],
            *[["things", 0, "settings", key] for key in ("rule", "one_only", "outline")],
        ]
    ),
    value=JSON,
)
def test_whatever_is_put_into_a_file_it_is_read_or_refused_in_a_short_sentence(path, value):
    document = _with(_good(), path, value) if path else value
    try:
        things = read_prompt(json.dumps(document)).things
    except ValueError as error:
        assert len(str(error)) < 400
    else:
        assert (
            read_prompt(_file(things, PHOTOS * 9)).things == things if _on_few(things) else things
        )


def _on_few(things):
    return all(click.image < 27 for thing in things for click in thing.clicks)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"PK\x03\x04",
        "[" * 100_000,
        '{"a":' * 100_000,
        "1" * 10_000,
        "[]",
        "null",
        '"text"',
        "{}",
        b" " * (prompt_json.MAX_PROMPT_BYTES + 1),
    ],
    ids=lambda data: repr(data[:9]),
)
def test_what_is_no_prompt_file_is_an_error(data):
    with pytest.raises(ValueError, match="prompt file"):
        read_prompt(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(_good())), inner),
    )
)
def test_any_other_json_is_an_error(value):
    with pytest.raises(ValueError, match="prompt file"):
        read_prompt(json.dumps(value))


@pytest.mark.parametrize("name", ["exclusive", "keeps_overlaps"])
def test_how_things_stand_to_each_other_is_read_and_is_a_yes_or_a_no(name):
    read = read_prompt(json.dumps({**_good(), name: True}))
    assert getattr(read, name)
    with pytest.raises(ValueError, match=f"{name} must be true or false, not 1"):
        read_prompt(json.dumps({**_good(), name: 1}))


def test_the_images_of_a_file_are_read_and_what_is_wrong_with_one_is_said():
    images = [{"name": "a.jpg", "width": 4, "height": 3, "files": []}]
    assert read_prompt(json.dumps({**_good(), "images": images})).images == (("a.jpg", 4, 3),)
    for change, place in (
        ({"name": 3}, r"images\[0\].name must be a text"),
        ({"width": 0}, r"images\[0\].width must be a whole number"),
        ({"height": None}, r"images\[0\].height must be a whole number"),
    ):
        with pytest.raises(ValueError, match=place):
            read_prompt(json.dumps({**_good(), "images": [{**images[0], **change}]}))
