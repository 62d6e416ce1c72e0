import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointprompt.formats import prompt_json
from pointprompt.formats.prompt_json import describe, encode, read_prompt
from pointprompt.settings import OUTLINES, JointRule, Settings, TutorialRule
from pointprompt.types import BackboneChoice, Click, Photo, Prompt

BACKBONE = BackboneChoice("efficientnet_lite0", "block", 4, 512)

unit = st.floats(0, 1, exclude_max=True)
clicks = st.builds(Click, st.integers(0, 2), unit, unit, st.booleans())
prompts = st.builds(Prompt, st.text(), st.lists(clicks).map(tuple))
all_settings = st.builds(
    Settings,
    st.builds(JointRule, st.floats(0, 1), st.floats(0.01, 10))
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
)


def _file(prompt, choice, photos):
    return encode(describe(prompt, choice, BACKBONE, photos))


@settings(deadline=None)
@given(prompt=prompts, choice=all_settings)
def test_what_is_written_is_read_back(prompt, choice):
    data = _file(prompt, choice, [Photo(f"{i}.png", 1, 1, b"", None) for i in range(3)])
    assert read_prompt(data) == (prompt, choice)
    assert read_prompt(data.decode()) == (prompt, choice)


def test_numbers_of_numpy_are_written_as_numbers():
    prompt = Prompt("x", (Click(0, np.float32(0.1), np.float32(0.99999994)),))
    choice = Settings(TutorialRule(threshold=np.float32(0.25), min_area=np.int64(4)))
    data = _file(prompt, choice, [Photo("cat.jpeg", 60, 90, b"", None)])
    assert read_prompt(data) == (prompt, choice)
    assert json.loads(data)["prompt"]["clicks"][0]["pixel_y"] == 59


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr(prompt_json, "PACKAGES", ("no-such-package-at-all",))
    document = describe(Prompt(), Settings(), BACKBONE, [])
    assert document["versions"]["no-such-package-at-all"] is None


def _good():
    return {
        "format": "pointprompt",
        "version": 2,
        "prompt": {
            "name": "fur",
            "clicks": [{"image": 0, "x": 0.5, "y": 0.5, "positive": True}],
        },
        "settings": {"rule": {"name": "joint", "threshold": 0.7}},
    }


def test_settings_that_are_not_there_take_their_defaults():
    prompt, choice = read_prompt(json.dumps(_good()))
    assert prompt == Prompt("fur", (Click(0, 0.5, 0.5),))
    assert choice == Settings(JointRule(threshold=0.7))


# A path into the document, and what to put there.
HOSTILE = [
    (["format"], "labelme", "not a prompt file"),
    (["version"], 3, "format version 3"),
    (["version"], "9" * 100_000, "format version"),
    (["prompt"], None, "no prompt"),
    (["prompt"], [], "no prompt"),
    (["prompt", "name"], 3, "no name"),
    (["prompt", "clicks"], None, "no list of clicks"),
    (["prompt", "clicks"], {"0": 1}, "no list of clicks"),
    (["prompt", "clicks", 0], None, "lacks"),
    (["prompt", "clicks", 0], {"image": 0, "x": 0.5, "y": 0.5}, "lacks"),
    (["prompt", "clicks", 0, "image"], -1, "image"),
    (["prompt", "clicks", 0, "image"], 0.0, "image"),
    (["prompt", "clicks", 0, "image"], True, "image"),
    (["prompt", "clicks", 0, "x"], 1, "x"),
    (["prompt", "clicks", 0, "x"], "0.5", "x"),
    (["prompt", "clicks", 0, "x"], float("nan"), "x"),
    (["prompt", "clicks", 0, "x"], 10**400, "too large|x"),
    (["prompt", "clicks", 0, "y"], None, "y"),
    (["prompt", "clicks", 0, "positive"], 1, "positive"),
    (["settings"], None, "no settings"),
    (["settings", "__class__"], "x", "no setting"),
    (["settings", "rule", "name"], "sharpest", "rule must be one of joint, tutorial"),
    (["settings", "rule", "name"], ["joint"], "rule"),
    (["settings", "rule"], "joint", "rule"),
    (["settings", "one_only"], 1, "one_only"),
    (["settings", "outline"], None, "outline"),
    (["settings", "outline"], {"photo": 1}, "outline"),
    (["settings", "rule", "threshold"], float("inf"), "threshold"),
    (["settings", "rule", "threshold"], [0.5], "threshold"),
    (["settings", "rule", "gamma"], 0, "gamma"),
    (["settings", "rule", "gamma"], 10**400, "too large|gamma"),
    (["settings", "rule"], {"name": "tutorial", "denoise": "yes"}, "denoise"),
    (["settings", "rule"], {"name": "tutorial", "min_area": 2.5}, "min_area"),
    (["settings", "rule"], {"name": "tutorial", "n_eigvecs": 0}, "n_eigvecs"),
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
    document = {**_good(), "version": 1, "settings": old}
    assert read_prompt(json.dumps(document))[1] == today


@pytest.mark.parametrize(("old", "sentence"), OLD_HOSTILE)
def test_a_value_of_version_1_that_cannot_be_used_is_an_error_that_names_it(old, sentence):
    document = {**_good(), "version": 1, "settings": old}
    with pytest.raises(ValueError, match=sentence) as error:
        read_prompt(json.dumps(document))
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize(("path", "value", "sentence"), HOSTILE)
def test_a_value_that_cannot_be_used_is_an_error_that_names_it(path, value, sentence):
    document = _good()
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ValueError, match=sentence) as error:
        read_prompt(json.dumps(document))
    assert len(str(error.value)) < 1000


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


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(_good())), inner),
    )
)
def test_any_other_json_is_an_error(value):
    with pytest.raises(ValueError, match="prompt file"):
        read_prompt(json.dumps(value))
