"""A recipe applied with the built-in backbone itself, to pictures whose answer is known."""

from __future__ import annotations

import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pointprompt
from pointprompt import backbones
from pointprompt.analysis.analysis import Analysis
from pointprompt.applying import apply
from pointprompt.edits import Lock
from pointprompt.pipeline import analyze, image_masks, make_recipe, predict
from pointprompt.recipes.recipe import RecipeError
from pointprompt.settings import JointRule, Settings
from pointprompt.sources.photos import ImageError, Limits
from pointprompt.things import Thing
from pointprompt.types import Click
from tests.pictures import noise
from tests.server.test_service import ColorEngine
from tests.test_pipeline import BACKBONE, DrawsTheBox, scene, share
from tests.videos import write_video

WIDE = [
    scene((240, 320), (0.25, 0.5), (0.75, 0.5)),
    scene((240, 320), (0.7, 0.6), (0.25, 0.4)),
    scene((200, 320), (0.5, 0.4), (0.85, 0.5)),
]
TALL = scene((320, 240), (0.4, 0.25), (0.5, 0.75))
NEW = scene((260, 330), (0.35, 0.35), (0.75, 0.6))
STRIPED = Thing("striped", (Click(0, 0.25, 0.5), Click(1, 0.25, 0.4, positive=False)))
CHECKED = Thing("checked", (Click(1, 0.25, 0.4),), Settings(one_only=True, outline="tokens"))


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("set")
    paths = []
    for index, its in enumerate([*WIDE, TALL]):
        paths.append(folder / f"scene-{index}.png")
        Image.fromarray(its.pixels).save(paths[-1])
    return paths


@pytest.fixture(scope="module")
def analysis(files) -> Analysis:
    return analyze(files, backbone=BACKBONE, device="cpu")


@pytest.fixture(scope="module")
def recipe(analysis):
    return make_recipe(analysis, [STRIPED, CHECKED], device="cpu")


def masks_of(applied) -> list[dict[str, np.ndarray]]:
    return [dict(one.masks) for one in applied]


def assert_the_same(some, others) -> None:
    for one, other in zip(some, others, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


def test_on_the_images_it_was_made_on_masks_are_exactly_those_of_the_clicks(
    analysis, files, recipe
):
    found = list(apply(recipe, files, device="cpu"))
    for thing in (STRIPED, CHECKED):
        expected = predict(analysis, thing.clicks, thing.settings)
        for index, one in enumerate(found):
            np.testing.assert_array_equal(one.masks[thing.name], expected.masks[index])
            assert one.presence[thing.name] == expected.presence[index]
    assert not any(one.unlike for one in found)


def test_that_holds_for_a_set_of_so_few_tokens_that_all_were_cut_at_once(files):
    alone = analyze(files[:1], backbone=BACKBONE, device="cpu")
    settings = Settings(JointRule(size="part"), fill_holes=40, remove_specks=40)
    thing = Thing("striped", (Click(0, 0.25, 0.5),), settings)
    (found,) = apply(make_recipe(alone, [thing], device="cpu"), files[:1], device="cpu")
    expected = predict(alone, thing.clicks, settings).masks[0]
    np.testing.assert_array_equal(found.masks["striped"], expected)


def test_images_that_joined_the_set_are_known_too(analysis, recipe):
    more = pointprompt.extend(analysis, [NEW.pixels, TALL.pixels[:, ::-1]], device="cpu")
    expected = predict(more, STRIPED.clicks)
    found = apply(
        make_recipe(more, [STRIPED], device="cpu"),
        [NEW.pixels, TALL.pixels[:, ::-1]],
        device="cpu",
    )
    for mask, one in zip(expected.masks[4:], found, strict=True):
        np.testing.assert_array_equal(one.masks["striped"], mask)


def test_the_thing_is_found_in_an_image_that_is_new(recipe):
    (found,) = apply(recipe, [NEW.pixels], device="cpu")
    assert share(found.masks["striped"], NEW.striped) > 0.9
    assert share(found.masks["striped"], NEW.checked) < 0.1
    assert share(found.masks["checked"], NEW.checked) > 0.8
    assert found.masks["striped"].shape == NEW.pixels.shape[:2]
    assert found.photo is not None


def test_opened_on_other_images_it_gives_the_masks_that_it_gives_applied(recipe, files):
    images = [NEW.pixels, TALL.pixels[:, ::-1].copy(), files[1]]
    opened = pointprompt.open_recipe(recipe, images, device="cpu")
    # The second thing was clicked in an image that is here, and nowhere else.
    assert [bool(thing.settings.concept) for thing in opened.things] == [True, False]
    for index, one in enumerate(apply(recipe, images, device="cpu")):
        for thing in opened.things:
            found = opened.predictor.predict(thing.clicks, thing.settings)
            masks = image_masks(opened.analysis, found, thing.clicks, thing.settings)
            np.testing.assert_array_equal(masks[index], one.masks[thing.name])
    # And on from there.
    click = Click(0, 0.05, 0.05)
    found = opened.predictor.predict((click,), opened.things[0].settings)
    masks = image_masks(opened.analysis, found, (click,), Settings())
    assert share(masks[0], NEW.striped) > 0.9
    assert masks[0][13, 16]


def test_what_is_said_of_an_image_does_not_depend_on_those_beside_it(recipe):
    beside = [noise(90, 50), NEW.pixels, TALL.pixels, NEW.pixels, noise(20, 300)]
    together = masks_of(apply(recipe, beside, device="cpu"))
    alone = [masks_of(apply(recipe, [one], device="cpu"))[0] for one in beside]
    assert_the_same(together, alone)


def test_an_image_that_cannot_be_read_has_a_reason_and_the_others_go_on(recipe, files, tmp_path):
    text = tmp_path / "notes.png"
    text.write_text("no image")
    sources = [files[0], text, tmp_path / "gone.jpg", files[1]]
    found = list(apply(recipe, sources, device="cpu"))
    assert [one.name for one in found] == ["scene-0.png", "notes.png", "gone.jpg", "scene-1.png"]
    assert [bool(one.reason) for one in found] == [False, True, True, False]
    assert found[1].photo is None
    assert not found[2].masks
    assert [one.index for one in found] == [0, 1, 2, 3]


def test_where_no_image_can_be_read_all_have_reasons(recipe):
    found = list(apply(recipe, [b"nothing"] * 3, device="cpu"))
    assert all(one.reason for one in found)


def test_an_image_that_is_too_large_has_a_reason(recipe):
    (found,) = apply(recipe, [NEW.pixels], device="cpu", limits=Limits(max_megapixels=0.01))
    assert "megapixels" in found.reason


def test_an_image_unlike_all_others_is_called_so(recipe):
    found = apply(recipe, [NEW.pixels, noise(240, 320), WIDE[0].pixels], device="cpu")
    assert [one.unlike for one in found] == [False, True, False]


def test_a_folder_a_file_and_frames_of_a_video_are_images_too(recipe, files, tmp_path):
    whole = masks_of(apply(recipe, files[0].parent, device="cpu"))
    assert_the_same(whole, masks_of(apply(recipe, iter(files), device="cpu")))
    assert_the_same(whole[:1], masks_of(apply(recipe, str(files[0]), device="cpu")))
    video = write_video(tmp_path / "clip.mp4", 7)
    frames = list(apply(recipe, video, every=3, device="cpu"))
    assert [one.name for one in frames] == ["clip-0000.jpg", "clip-0003.jpg", "clip-0006.jpg"]
    assert not any(one.reason for one in frames)


def test_a_column_of_a_data_set_is_images_too(recipe, files):
    from datasets import Dataset
    from datasets import Image as Feature

    column = Dataset.from_dict({"image": [str(path) for path in files]}).cast_column(
        "image", Feature()
    )["image"]
    assert_the_same(
        masks_of(apply(recipe, column, device="cpu")),
        masks_of(apply(recipe, files, device="cpu")),
    )


def test_images_have_the_names_that_they_are_given(recipe):
    found = apply(recipe, [NEW.pixels] * 3, names=["a/b.png", "c"], device="cpu")
    assert [one.name for one in found] == ["a/b.png", "c", "image-003.png"]


def test_images_are_asked_for_as_they_are_needed_and_let_go(recipe):
    asked = []

    def images():
        for number in range(100):
            asked.append(number)
            yield NEW.pixels

    found = apply(recipe, images(), device="cpu")
    first = next(found)
    photo = weakref.ref(first.photo)
    assert len(asked) < 40
    del first
    for _ in range(8):
        next(found)
    assert photo() is None
    found.close()
    assert len(asked) < 60


def test_a_recipe_may_be_its_file(recipe, files, tmp_path):
    path = pointprompt.write_recipe(recipe, tmp_path / "recipe.safetensors")
    assert_the_same(
        masks_of(apply(path, files[:1], device="cpu")),
        masks_of(apply(recipe, files[:1], device="cpu")),
    )
    assert pointprompt.read_recipe(path).grid == recipe.grid


def test_other_weights_are_refused_before_anything_is_read(recipe):
    other = replace(recipe, identity=recipe.identity.replace(recipe.identity[-64:], "0" * 64))
    with pytest.raises(RecipeError, match="not those that the recipe was made with"):
        apply(other, [b"nothing"], device="cpu")


def test_the_same_weights_on_another_device_are_taken(recipe):
    elsewhere = replace(recipe, identity=recipe.identity.replace(" cpu ", " cuda "))
    assert next(apply(elsewhere, [NEW.pixels], device="cpu")).masks


def test_a_backbone_that_is_not_there_is_an_error(recipe):
    other = replace(recipe, backbone=replace(recipe.backbone, name="resnet_9000"))
    with pytest.raises(backbones.BackboneError, match="resnet_9000"):
        apply(other, [NEW.pixels], device="cpu")


def test_a_folder_that_is_not_there_is_an_error(recipe, tmp_path):
    with pytest.raises(ImageError, match="no folder and no file"):
        apply(recipe, tmp_path / "nowhere.mp4", device="cpu")


def test_sam_draws_where_the_recipe_says_so_just_as_on_the_page(files, monkeypatch):
    monkeypatch.setattr(backbones, "load_decoder", lambda name: DrawsTheBox())
    engine, drawn = ColorEngine(crisp=True), replace(STRIPED, settings=Settings(outline="sam"))
    crisp = analyze(files, backbone=BACKBONE, engine=engine)
    found = list(apply(make_recipe(crisp, [drawn], engine=engine), files, engine=engine))
    expected = predict(crisp, drawn.clicks, drawn.settings)
    plain = predict(crisp, drawn.clicks)
    for index, one in enumerate(found):
        np.testing.assert_array_equal(one.masks["striped"], expected.masks[index])
    assert not np.array_equal(expected.masks[0], plain.masks[0])


def test_without_what_sam_needs_the_reason_is_told(analysis, files):
    drawn = replace(STRIPED, settings=Settings(outline="sam"))
    with pytest.raises(ValueError, match="SAM's own mask decoder"):
        next(apply(make_recipe(analysis, [drawn], device="cpu"), files, device="cpu"))


def test_corrections_of_single_images_are_not_in_a_recipe(analysis, files, recipe):
    locked = replace(STRIPED, locks=(Lock((0,), CHECKED.clicks, Settings()),))
    found = apply(make_recipe(analysis, [locked, CHECKED], device="cpu"), files, device="cpu")
    assert_the_same(masks_of(found), masks_of(apply(recipe, files, device="cpu")))
