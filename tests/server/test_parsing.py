from __future__ import annotations

import contextlib
import json
import math

import pytest
from hypothesis import given

from pointprompt.edits import Lock, Stroke
from pointprompt.server import wire
from pointprompt.server.parsing import (
    parse_edges,
    parse_export,
    parse_predict,
    parse_push,
    parse_recall,
    parse_restore,
    require_images,
    seq_of,
)
from pointprompt.server.wire import WireError
from pointprompt.settings import JointRule, Settings, TutorialRule
from pointprompt.things import MAX_THINGS, Color, Thing
from pointprompt.types import Click
from tests.hostile import JSON, MESSAGES, click, export, message, push, thing

SETTINGS = (*Settings().as_dict(), "more")
NOT_NUMBERS = [None, True, False, "0.5", [0.5], {}, math.nan, math.inf, -math.inf, 10**400]


def test_a_message_of_the_page_is_read_as_it_is_meant():
    request = parse_predict(
        message(
            clicks=[click(), click(image=2, x=0, y=0.999, positive=False)],
            settings={
                "rule": {"name": "tutorial", "threshold": 0.75, "n_eigvecs": None},
                "outline": "tokens",
            },
        )
    )
    assert request == wire.PredictRequest(
        session="token",
        seq=7,
        clicks=(Click(0, 0.25, 0.5, True), Click(2, 0, 0.999, False)),
        settings=Settings(TutorialRule(threshold=0.75), outline="tokens"),
    )


def test_no_settings_are_the_defaults_and_no_clicks_are_no_clicks():
    without = message(clicks=[])
    del without["settings"]
    request = parse_predict(without)
    assert (request.clicks, request.settings) == ((), Settings())


def test_all_settings_survive_the_way_through_json():
    for rule in (JointRule(0.3, 2.5), TutorialRule(0.1, 3.5, False, 12, 0.2, 7)):
        settings = Settings(rule, one_only=True, outline="sam")
        sent = json.loads(json.dumps(message(settings=settings.as_dict())))
        assert parse_predict(sent).settings == settings


@given(MESSAGES)
def test_any_message_is_a_request_or_a_wire_error(hostile):
    try:
        request = parse_predict(hostile)
    except WireError as error:
        assert str(error)
    else:
        assert isinstance(request, wire.PredictRequest)
        assert all(0 <= one.x < 1 and 0 <= one.y < 1 for one in request.clicks)


@given(MESSAGES)
def test_every_message_has_a_number_that_javascript_can_hold(hostile):
    seq = seq_of(hostile)
    assert type(seq) is int
    assert 0 <= seq < 2**53


@given(JSON)
def test_a_token_is_a_short_text_or_a_wire_error(hostile):
    try:
        token = parse_predict(message(session=hostile)).session
    except WireError:
        return
    assert 0 < len(token) <= wire.MAX_TOKEN_CHARS


@pytest.mark.parametrize("field", ["session", "seq", "clicks"])
def test_a_missing_field_is_an_error(field):
    incomplete = message()
    del incomplete[field]
    with pytest.raises(WireError):
        parse_predict(incomplete)


@pytest.mark.parametrize("value", [None, [], "message", 1, [message()]])
def test_what_is_no_object_is_no_message(value):
    with pytest.raises(WireError, match="must be an object"):
        parse_predict(value)
    assert seq_of(value) == 0


@pytest.mark.parametrize("session", [None, "", 5, True, ["token"], "x" * 101])
def test_a_session_is_a_short_text(session):
    with pytest.raises(WireError, match="session"):
        parse_predict(message(session=session))


@pytest.mark.parametrize("seq", [None, True, "7", 7.0, -1, 2**53, math.nan, math.inf])
def test_a_number_is_a_whole_number_that_javascript_can_count_to(seq):
    with pytest.raises(WireError, match="number"):
        parse_predict(message(seq=seq))
    assert seq_of(message(seq=seq)) == 0


@pytest.mark.parametrize("seq", [0, 1, 2**53 - 1])
def test_the_number_is_found_however_wrong_the_rest_is(seq):
    assert seq_of({"seq": seq, "clicks": math.nan}) == seq


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("value", [*NOT_NUMBERS, 1, 1.0, -1e-9, 1e300])
def test_a_coordinate_is_a_number_from_0_to_below_1(axis, value):
    with pytest.raises(WireError):
        parse_predict(message(clicks=[click(**{axis: value})]))


@pytest.mark.parametrize("value", [None, True, "0", 0.0, -1, math.nan])
def test_an_image_is_a_whole_number_from_0(value):
    with pytest.raises(WireError):
        parse_predict(message(clicks=[click(image=value)]))


@pytest.mark.parametrize("value", [None, 1, 0, "true", math.nan])
def test_positive_is_true_or_false(value):
    with pytest.raises(WireError):
        parse_predict(message(clicks=[click(positive=value)]))


@pytest.mark.parametrize("wrong", [None, [], 3, {}, click(z=1), {"image": 0, "x": 0.5, "y": 0.5}])
def test_a_click_has_its_four_fields_and_no_other(wrong):
    with pytest.raises(WireError):
        parse_predict(message(clicks=[wrong]))


@pytest.mark.parametrize("clicks", [None, {}, "clicks", 3, click()])
def test_clicks_are_a_list(clicks):
    with pytest.raises(WireError, match="must be a list"):
        parse_predict(message(clicks=clicks))


def test_a_thousand_clicks_are_accepted_and_one_more_is_not():
    assert len(parse_predict(message(clicks=[click()] * 1000)).clicks) == 1000
    with pytest.raises(WireError, match="more than 1000 clicks"):
        parse_predict(message(clicks=[click()] * 1001))


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
    with pytest.raises(WireError):
        parse_predict(message(settings={"rule": {"name": rule, name: value}}))


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
    with pytest.raises(WireError):
        parse_predict(message(settings=settings))


@pytest.mark.parametrize("settings", [None, [], "gamma", 1, [["gamma", 1]]])
def test_settings_are_an_object(settings):
    with pytest.raises(WireError, match="must be an object"):
        parse_predict(message(settings=settings))


def test_an_unknown_setting_is_refused_without_its_name():
    with pytest.raises(WireError, match="cannot be as this message has it") as error:
        parse_predict(message(settings={"sharpness": 1}))
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
    for parse in (parse_predict, parse_export, parse_restore, lambda asked: edges_of(asked, 3)):
        try:
            parse(hostile)
        except WireError as error:
            assert len(str(error)) < 120
            assert "echo" not in str(error)


@given(JSON)
def test_a_ticket_is_a_short_text_or_a_wire_error(hostile):
    try:
        ticket = parse_restore({"ticket": hostile}).ticket
    except WireError:
        return
    assert 0 < len(ticket) <= wire.MAX_TOKEN_CHARS


@given(JSON)
def test_what_recalls_a_set_is_a_text_or_a_wire_error(hostile):
    try:
        recall = parse_recall({"recall": hostile}).recall
    except WireError:
        return
    assert 0 < len(recall) <= wire.MAX_RECALL_CHARS


def asking(**changes: object) -> dict[str, object]:
    return message(**{"images": [0], "side": 256, **changes})


def edges_of(asked: object, n: int) -> wire.EdgesRequest:
    """The request, of images of a set of n."""
    request = parse_edges(asked)
    require_images(request, n)
    return request


def test_an_export_holds_all_things_with_their_own_clicks_and_settings():
    dog = thing(name="dog", color=[0, 225, 255], settings={"one_only": True})
    request = parse_export(export(things=[thing(), dog]))
    assert request == wire.ExportRequest(
        session="token",
        seq=7,
        things=(
            Thing("cat", (Click(0, 0.25, 0.5),)),
            Thing("dog", (Click(0, 0.25, 0.5),), Settings(one_only=True), Color(0, 225, 255)),
        ),
        exclusive=True,
        overlaps=False,
        skipped=(),
        formats=("png",),
    )


def stroke(**changes):
    return {"image": 1, "adds": True, "radius": 0.05, "points": [[0.5, 0.25], [1.5, -1]], **changes}


def lock(**changes):
    return {"images": [1, 0], "clicks": [click()], "settings": {"one_only": True}, **changes}


def test_edits_are_read_as_they_are_meant():
    edited = thing(locks=[lock()], strokes=[stroke()])
    request = parse_export(export(things=[edited], skipped=[2, 2]))
    locked = Lock((1, 0), (Click(0, 0.25, 0.5),), Settings(one_only=True))
    painted = Stroke(1, adds=True, radius=0.05, points=((0.5, 0.25), (1.5, -1)))
    assert request.things[0].locks == (locked,)
    assert request.things[0].strokes == (painted,)
    assert request.skipped == (2,)
    assert parse_predict(message(locks=[lock()])).locks == (locked,)
    assert edges_of(asking(locks=[lock()]), 2).locks == (locked,)


@pytest.mark.parametrize(
    "edits",
    [
        {"strokes": {}},
        {"strokes": [None]},
        {"strokes": [stroke(more=1)]},
        {"strokes": [stroke(image=-1)]},
        {"strokes": [stroke(image=10**9)]},
        {"strokes": [stroke(adds=1)]},
        {"strokes": [stroke(radius=0)]},
        {"strokes": [stroke(radius="0.1")]},
        {"strokes": [stroke(points=[])]},
        {"strokes": [stroke(points=[[0.5]])]},
        {"strokes": [stroke(points=[[0.5, 2.5]])]},
        {"strokes": [stroke(points=[[0.5, float("nan")]])]},
        {"strokes": [stroke(points=[[0.5, 0.5]] * 1001)]},
        {"strokes": [stroke()] * 2001},
        {"strokes": [stroke(points=[[0.5, 0.5]] * 1000)] * 101},
        {"locks": None},
        {"locks": [lock(images=[])]},
        {"locks": [lock(images=[0.5])]},
        {"locks": [lock(images=[0]), lock(images=[1, 0])]},
        {"locks": [lock(clicks=None)]},
        {"locks": [lock(clicks=[click()] * 1001)]},
        {"locks": [lock(images=[image], clicks=[click()] * 1000) for image in range(21)]},
        {"locks": [lock(settings={"more": 1})]},
    ],
)
def test_edits_that_cannot_be_are_refused(edits):
    with pytest.raises(WireError):
        parse_export(export(things=[thing(**edits)]))
    if "locks" in edits:
        with pytest.raises(WireError):
            parse_predict(message(**edits))


@given(JSON)
def test_whatever_stands_for_edits_is_edits_or_a_wire_error(hostile):
    for edits in (hostile, [hostile], [stroke(points=hostile)], [lock(images=hostile)]):
        with contextlib.suppress(WireError):
            parse_export(export(things=[thing(strokes=edits, locks=edits)], skipped=hostile))
        with contextlib.suppress(WireError):
            parse_predict(message(locks=edits))


@pytest.mark.parametrize(
    "changes",
    [
        {"things": []},
        {"things": {}},
        {"things": [thing(), thing(name="CAT")]},
        {"things": [thing(name=str(number)) for number in range(21)]},
        {"things": [thing(name="")]},
        {"things": [thing(name="a\nb")]},
        {"things": [thing(name=3)]},
        {"things": [thing(color=[0, 0])]},
        {"things": [thing(color=[0, 0, 256])]},
        {"things": [thing(color=[0, 0, None])]},
        {"things": [thing(clicks=[click()] * 600), thing(name="dog", clicks=[click()] * 600)]},
        {"things": [thing(settings={"more": 1})]},
        {"exclusive": 1},
        {"overlaps": None},
        {"formats": ["png", "exe"]},
        {"formats": [["png"]]},
        {"formats": "png"},
        {"coco_polygons": "yes"},
        {"orientation": "sideways"},
        {"orientation": ["stored"]},
        {"orientation": None},
        {"session": ""},
    ],
)
def test_an_export_of_things_that_cannot_be_is_refused(changes):
    with pytest.raises(WireError):
        parse_export(export(**changes))


def test_an_export_is_upright_where_it_does_not_say():
    assert parse_export(export()).orientation == "upright"
    assert parse_export(export(orientation="stored")).orientation == "stored"


def test_a_push_holds_an_export_and_where_it_is_to_go():
    request = parse_push(push())
    assert request == wire.PushRequest(parse_export(export()), "me/masks", "hf_mine", True)
    # Whatever shows a request, a log for one, does not show the token.
    assert "hf_mine" not in repr(request)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": None},
        {"name": ["me/masks"]},
        {"name": "x" * 501},
        {"token": 5},
        {"token": None},
        {"token": "x" * 501},
        {"private": "yes"},
        {"private": None},
        {"export": None},
        {"export": export(things=[])},
    ],
)
def test_a_push_of_what_cannot_be_is_refused_and_says_nothing_of_the_token(changes):
    with pytest.raises(WireError) as raised:
        parse_push(push(**changes))
    assert "hf_mine" not in str(raised.value)
    assert "xxx" not in str(raised.value)


@given(JSON)
def test_whatever_stands_for_things_is_things_or_a_wire_error(hostile):
    for message_ in (export(things=hostile), export(things=[hostile]), hostile):
        with contextlib.suppress(WireError):
            assert 0 < len(parse_export(message_).things) <= MAX_THINGS


def test_an_edges_request_holds_the_whole_prompt_too():
    prompt = parse_predict(message())
    edges = parse_edges(asking())
    assert (edges.session, edges.seq, edges.clicks, edges.settings) == (
        prompt.session,
        prompt.seq,
        prompt.clicks,
        prompt.settings,
    )


def test_images_are_asked_for_by_their_numbers_each_once():
    assert edges_of(asking(images=[2, 0, 2, 1]), 3).images == (2, 0, 1)
    most = list(range(wire.MAX_EDGED))
    assert edges_of(asking(images=most), 100).images == tuple(most)


@pytest.mark.parametrize(
    "images",
    [None, [], {}, 0, "0", {"0": 0}, list(range(17)), [0] * 17],
)
def test_some_images_must_be_asked_for_and_not_too_many(images):
    with pytest.raises(WireError, match="1 to 16 images"):
        edges_of(asking(images=images), 100)


@pytest.mark.parametrize("image", [3, -1, True, 0.0, "0", None, [0], math.nan, 10**400])
def test_an_image_that_is_not_in_the_set_is_an_error(image):
    with pytest.raises(WireError, match="no image"):
        edges_of(asking(images=[0, image]), 3)


def test_a_message_without_images_or_that_is_no_object_asks_for_none():
    for value in (message(), None, [0], 0):
        with pytest.raises(WireError):
            edges_of(value, 3)


@given(JSON)
def test_any_images_are_some_of_the_set_or_a_wire_error(hostile):
    try:
        images = edges_of(asking(images=hostile), 3).images
    except WireError as error:
        assert str(error)
    else:
        assert 0 < len(images) == len(set(images)) <= 3
        assert all(type(image) is int and 0 <= image < 3 for image in images)


def test_the_size_of_a_screen_is_a_whole_number_within_bounds():
    assert edges_of(asking(side=256), 3).side == 256
    for side in (0, -1, 2049, 1.5, "256", None, True, [256]):
        with pytest.raises(WireError, match="pixels"):
            edges_of(asking(side=side), 3)


@pytest.mark.parametrize("value", [0, 1, "true", None, [], {}])
def test_heatmaps_are_wanted_or_not(value):
    assert parse_predict(message(heat=True)).heat is True
    assert parse_predict(message()).heat is False
    with pytest.raises(WireError, match="heatmaps"):
        parse_predict(message(heat=value))
