from __future__ import annotations

import base64
import json
import math
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from pointprompt.analysis.analysis import Analysis
from pointprompt.server import wire
from pointprompt.settings import JointRule, Settings, TutorialRule
from pointprompt.types import BackboneChoice, Click, Photo, TokenPrediction
from tests.hostile import JSON, MESSAGES, click, message

SETTINGS = (*Settings().as_dict(), "more")
NOT_NUMBERS = [None, True, False, "0.5", [0.5], {}, math.nan, math.inf, -math.inf, 10**400]


def decoded(text: str, shape: tuple[int, int, int]) -> np.ndarray:
    packed = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    return np.unpackbits(packed, count=math.prod(shape)).reshape(shape).astype(bool)


def test_a_message_of_the_page_is_read_as_it_is_meant():
    request = wire.parse_request(
        message(
            clicks=[click(), click(image=2, x=0, y=0.999, positive=False)],
            settings={
                "rule": {"name": "tutorial", "threshold": 0.75, "n_eigvecs": None},
                "outline": "tokens",
            },
        )
    )
    assert request == wire.Request(
        session="token",
        seq=7,
        clicks=(Click(0, 0.25, 0.5, True), Click(2, 0, 0.999, False)),
        settings=Settings(TutorialRule(threshold=0.75), outline="tokens"),
    )


def test_no_settings_are_the_defaults_and_no_clicks_are_no_clicks():
    without = message(clicks=[])
    del without["settings"]
    request = wire.parse_request(without)
    assert (request.clicks, request.settings) == ((), Settings())


def test_all_settings_survive_the_way_through_json():
    for rule in (JointRule(0.3, 2.5), TutorialRule(0.1, 3.5, False, 12, 0.2, 7)):
        settings = Settings(rule, one_only=True, outline="sam")
        sent = json.loads(json.dumps(message(settings=settings.as_dict())))
        assert wire.parse_request(sent).settings == settings


@given(MESSAGES)
def test_any_message_is_a_request_or_a_wire_error(hostile):
    try:
        request = wire.parse_request(hostile)
    except wire.WireError as error:
        assert str(error)
    else:
        assert isinstance(request, wire.Request)
        assert all(0 <= one.x < 1 and 0 <= one.y < 1 for one in request.clicks)


@given(MESSAGES)
def test_every_message_has_a_number_that_javascript_can_hold(hostile):
    seq = wire.seq_of(hostile)
    assert type(seq) is int
    assert 0 <= seq < 2**53


@given(JSON)
def test_a_token_is_a_short_text_or_a_wire_error(hostile):
    try:
        token = wire.parse_token({"session": hostile})
    except wire.WireError:
        return
    assert 0 < len(token) <= wire.MAX_TOKEN_CHARS


@pytest.mark.parametrize("field", ["session", "seq", "clicks"])
def test_a_missing_field_is_an_error(field):
    incomplete = message()
    del incomplete[field]
    with pytest.raises(wire.WireError):
        wire.parse_request(incomplete)


@pytest.mark.parametrize("value", [None, [], "message", 1, [message()]])
def test_what_is_no_object_is_no_message(value):
    with pytest.raises(wire.WireError, match="must be an object"):
        wire.parse_request(value)
    assert wire.seq_of(value) == 0


@pytest.mark.parametrize("session", [None, "", 5, True, ["token"], "x" * 101])
def test_a_session_is_a_short_text(session):
    with pytest.raises(wire.WireError, match="session"):
        wire.parse_request(message(session=session))


@pytest.mark.parametrize("seq", [None, True, "7", 7.0, -1, 2**53, math.nan, math.inf])
def test_a_number_is_a_whole_number_that_javascript_can_count_to(seq):
    with pytest.raises(wire.WireError, match="number"):
        wire.parse_request(message(seq=seq))
    assert wire.seq_of(message(seq=seq)) == 0


@pytest.mark.parametrize("seq", [0, 1, 2**53 - 1])
def test_the_number_is_found_however_wrong_the_rest_is(seq):
    assert wire.seq_of({"seq": seq, "clicks": math.nan}) == seq


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("value", [*NOT_NUMBERS, 1, 1.0, -1e-9, 1e300])
def test_a_coordinate_is_a_number_from_0_to_below_1(axis, value):
    with pytest.raises(wire.WireError):
        wire.parse_request(message(clicks=[click(**{axis: value})]))


@pytest.mark.parametrize("value", [None, True, "0", 0.0, -1, math.nan])
def test_an_image_is_a_whole_number_from_0(value):
    with pytest.raises(wire.WireError):
        wire.parse_request(message(clicks=[click(image=value)]))


@pytest.mark.parametrize("value", [None, 1, 0, "true", math.nan])
def test_positive_is_true_or_false(value):
    with pytest.raises(wire.WireError):
        wire.parse_request(message(clicks=[click(positive=value)]))


@pytest.mark.parametrize("wrong", [None, [], 3, {}, click(z=1), {"image": 0, "x": 0.5, "y": 0.5}])
def test_a_click_has_its_four_fields_and_no_other(wrong):
    with pytest.raises(wire.WireError):
        wire.parse_request(message(clicks=[wrong]))


@pytest.mark.parametrize("clicks", [None, {}, "clicks", 3, click()])
def test_clicks_are_a_list(clicks):
    with pytest.raises(wire.WireError, match="must be a list"):
        wire.parse_request(message(clicks=clicks))


def test_a_thousand_clicks_are_accepted_and_one_more_is_not():
    assert len(wire.parse_request(message(clicks=[click()] * 1000)).clicks) == 1000
    with pytest.raises(wire.WireError, match="more than 1000 clicks"):
        wire.parse_request(message(clicks=[click()] * 1001))


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("joint", "threshold"),
        ("joint", "gamma"),
        ("tutorial", "threshold"),
        ("tutorial", "negative_threshold"),
        ("tutorial", "gamma"),
    ],
)
@pytest.mark.parametrize("value", [*NOT_NUMBERS, -0.1, 10.5])
def test_a_setting_is_a_number_in_its_range(rule, name, value):
    with pytest.raises(wire.WireError):
        wire.parse_request(message(settings={"rule": {"name": rule, name: value}}))


@pytest.mark.parametrize(
    "settings",
    [
        {"rule": {"name": "tutorial", "min_area": 2.0}},
        {"rule": {"name": "tutorial", "min_area": -1}},
        {"rule": {"name": "tutorial", "n_eigvecs": 0}},
        {"rule": {"name": "tutorial", "n_eigvecs": True}},
        {"rule": {"name": "tutorial", "denoise": 1}},
        {"rule": {"name": "joint", "denoise": True}},
        {"one_only": None},
        {"outline": "yes"},
        {"outline": ["photo"]},
        {"rule": {"name": "ours"}},
        {"rule": {"name": ["joint"]}},
        {"rule": "joint"},
        {"rule": None},
    ],
)
def test_whole_numbers_switches_and_rules_are_what_they_are(settings):
    with pytest.raises(wire.WireError):
        wire.parse_request(message(settings=settings))


@pytest.mark.parametrize("settings", [None, [], "gamma", 1, [["gamma", 1]]])
def test_settings_are_an_object(settings):
    with pytest.raises(wire.WireError, match="must be an object"):
        wire.parse_request(message(settings=settings))


def test_an_unknown_setting_is_refused_without_its_name():
    with pytest.raises(wire.WireError, match="cannot be as this message has it") as error:
        wire.parse_request(message(settings={"sharpness": 1}))
    assert "sharpness" not in str(error.value)


MARK = "echo" * 1000
MARKED = [MARK, [MARK], {MARK: MARK}, {"image": MARK}, 10**4000 + 1]


@pytest.mark.parametrize("value", MARKED, ids=["text", "list", "keys", "object", "number"])
@pytest.mark.parametrize(
    "place",
    [
        lambda value: value,
        *(
            lambda value, name=name: message(**{name: value})
            for name in ("session", "seq", "clicks", "settings", "images", "side", "more")
        ),
        *(
            lambda value, name=name: message(clicks=[click(**{name: value})])
            for name in ("image", "x", "y", "positive", "more")
        ),
        *(lambda value, name=name: message(settings={name: value}) for name in SETTINGS),
        lambda value: message(settings={str(value): 1}),
        lambda value: message(clicks=[{str(value): 1}]),
    ],
)
def test_nothing_of_a_message_comes_back_in_what_is_said_about_it(value, place):
    hostile = place(value)
    parsers = (wire.parse_request, wire.parse_token, wire.parse_ticket, wire.parse_side)
    for parse in (*parsers, lambda message: wire.parse_images(message, 3)):
        try:
            parse(hostile)
        except wire.WireError as error:
            assert len(str(error)) < 120
            assert "echo" not in str(error)


@given(JSON)
def test_a_ticket_is_a_short_text_or_a_wire_error(hostile):
    try:
        ticket = wire.parse_ticket({"ticket": hostile})
    except wire.WireError:
        return
    assert 0 < len(ticket) <= wire.MAX_TOKEN_CHARS


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 4), (3, 5, 7), (2, 64, 64), (7, 3, 3)])
def test_encoded_masks_hold_every_bit(shape):
    masks = np.random.default_rng(0).random(shape) > 0.5
    np.testing.assert_array_equal(decoded(wire.encode_masks(masks), shape), masks)


def test_the_first_token_is_the_highest_bit():
    masks = np.zeros((1, 3, 3), bool)
    masks[0, 0, 0] = True
    assert zlib.decompress(base64.b64decode(wire.encode_masks(masks))) == b"\x80\x00"


def test_masks_of_a_hundred_images_are_small():
    rows, columns = np.mgrid[:64, :64]
    discs = [(rows - 20 - i % 9) ** 2 + (columns - 30) ** 2 < 150 for i in range(100)]
    assert len(wire.encode_masks(np.stack(discs))) < 18_000


def test_answers_and_failures_carry_the_number_and_are_json():
    masks = np.ones((2, 2, 2), bool)
    presence = np.array([1, 0.12345], np.float32)
    prediction = TokenPrediction(masks + 0.5, masks, masks - 0.5, presence)
    assert json.loads(json.dumps(wire.answer(5, prediction))) == {
        "seq": 5,
        "masks": wire.encode_masks(masks),
        "presence": [1.0, 0.123],
    }
    assert json.loads(json.dumps(wire.failure(6, "gone", "It is gone."))) == {
        "seq": 6,
        "error": "gone",
        "message": "It is gone.",
    }


def test_masks_with_edges_come_with_their_image_and_their_size():
    masks = {4: np.random.default_rng(0).random((5, 7)) > 0.5, 0: np.ones((1, 1), bool)}
    answer = json.loads(json.dumps(wire.edged_answer(5, masks)))
    assert answer["seq"] == 5
    sizes = [(mask["image"], mask["height"], mask["width"]) for mask in answer["masks"]]
    assert sizes == [(4, 5, 7), (0, 1, 1)]
    for mask in answer["masks"]:
        shape = (1, mask["height"], mask["width"])
        np.testing.assert_array_equal(decoded(mask["mask"], shape)[0], masks[mask["image"]])


def test_a_mask_with_edges_of_a_large_preview_is_small():
    rows, columns = np.mgrid[:1024, :1024]
    disc = (rows - 500) ** 2 + (columns - 300) ** 2 < 250**2
    assert len(wire.encode_masks(disc)) < 4_000


def test_images_are_asked_for_by_their_numbers_each_once():
    assert wire.parse_images(message(images=[2, 0, 2, 1]), 3) == (2, 0, 1)
    most = list(range(wire.MAX_EDGED))
    assert wire.parse_images(message(images=most), 100) == tuple(most)


@pytest.mark.parametrize(
    "images",
    [None, [], {}, 0, "0", {"0": 0}, list(range(17)), [0] * 17],
)
def test_some_images_must_be_asked_for_and_not_too_many(images):
    with pytest.raises(wire.WireError, match="1 to 16 images"):
        wire.parse_images(message(images=images), 100)


@pytest.mark.parametrize("image", [3, -1, True, 0.0, "0", None, [0], math.nan, 10**400])
def test_an_image_that_is_not_in_the_set_is_an_error(image):
    with pytest.raises(wire.WireError, match="no image"):
        wire.parse_images(message(images=[0, image]), 3)


def test_a_message_without_images_or_that_is_no_object_asks_for_none():
    for value in (message(), None, [0], 0):
        with pytest.raises(wire.WireError):
            wire.parse_images(value, 3)


@given(JSON)
def test_any_images_are_some_of_the_set_or_a_wire_error(hostile):
    try:
        images = wire.parse_images({"images": hostile}, 3)
    except wire.WireError as error:
        assert str(error)
    else:
        assert 0 < len(images) == len(set(images)) <= 3
        assert all(type(image) is int and 0 <= image < 3 for image in images)


def test_the_manifest_says_what_the_page_shows_and_is_json():
    analysis = Analysis(
        photos=(Photo("a.jpg", 30, 40, b"", np.zeros((30, 40, 3), np.uint8), "Its end is lost."),),
        eigvecs=np.zeros((1, 5, 6, 9), np.float32),
        codes=np.zeros((1, 5, 6, 4), np.float32),
        colors=np.zeros((1, 5, 6, 3), np.uint8),
        terms=None,
        backbone=BackboneChoice("fake", "block", 0, 64),
    )
    manifest = wire.manifest("token", analysis, ["tiles/a.jpg"], "colors.png", ticket="ticket")
    assert json.loads(json.dumps(manifest)) == {
        "session": "token",
        "ticket": "ticket",
        "joins": "",
        "grid": [5, 6],
        "eigvecs": 9,
        "backbone": "fake",
        "outlines": ["tokens", "photo"],
        "maskColor": [255, 0, 255],
        "colors": "colors.png",
        "images": [
            {
                "name": "a.jpg",
                "width": 40,
                "height": 30,
                "remark": "Its end is lost.",
                "tile": "tiles/a.jpg",
            }
        ],
    }
    with pytest.raises(ValueError, match="shorter"):
        wire.manifest("token", analysis, [], "colors.png")
    crisp = replace(analysis, image_embeddings=np.zeros((1, 64, 64, 256), np.float16))
    assert wire.manifest("token", crisp, ["tiles/a.jpg"], "colors.png")["outlines"] == [
        "tokens",
        "photo",
        "sam",
    ]


def test_the_size_of_a_screen_is_a_whole_number_within_bounds():
    assert wire.parse_side({"side": 256}) == 256
    for side in (0, -1, 4097, 1.5, "256", None, True, [256]):
        with pytest.raises(wire.WireError, match="pixels"):
            wire.parse_side({"side": side})
