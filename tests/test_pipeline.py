"""Images to masks with the built-in backbone itself, on pictures whose answer is known."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pointprompt import backbones
from pointprompt.analysis.analysis import Analysis
from pointprompt.edits import Lock, Stroke
from pointprompt.grid import upscale
from pointprompt.masks.edits import cleaned
from pointprompt.pipeline import analyze, extend, predict, token_masks, without
from pointprompt.rules.predictor import Predictor
from pointprompt.settings import Settings, TutorialRule
from pointprompt.sources.photos import ImageError, Limits
from pointprompt.types import N_EIGVECS, BackboneChoice, Click, Prediction, Progress

BACKBONE = "efficientnet_lite0"
GREY, RED, YELLOW, BLUE, WHITE = (
    (120, 130, 110),
    (200, 40, 40),
    (250, 200, 60),
    (40, 60, 200),
    (230, 230, 250),
)
RADIUS = 55
# A few eigenvectors see the large things, which are all that these pictures have.
COARSE = Settings(TutorialRule(threshold=0.2, n_eigvecs=8), outline="tokens")


@dataclass(frozen=True)
class Scene:
    """A grey picture (H, W, 3) uint8 with a striped and a checked disc, and where they are."""

    pixels: np.ndarray
    striped: np.ndarray
    checked: np.ndarray

    @property
    def background(self) -> np.ndarray:
        return ~(self.striped | self.checked)


def scene(
    size: tuple[int, int], striped: tuple[float, float], checked: tuple[float, float]
) -> Scene:
    """A scene with the discs' centres at these places, (x, y) from 0 to 1."""
    height, width = size
    rows, columns = np.mgrid[:height, :width]

    def disc(x: float, y: float) -> np.ndarray:
        return (columns - x * width) ** 2 + (rows - y * height) ** 2 < RADIUS**2

    stripes = columns // 8 % 2 == 0
    checks = (columns // 12 + rows // 12) % 2 == 0
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = GREY
    pixels[disc(*striped)] = RED
    pixels[disc(*striped) & stripes] = YELLOW
    pixels[disc(*checked)] = BLUE
    pixels[disc(*checked) & checks] = WHITE
    return Scene(pixels, disc(*striped), disc(*checked))


LEFT_RIGHT = scene((240, 320), (0.25, 0.5), (0.75, 0.5))
CORNERS = scene((300, 300), (0.7, 0.3), (0.3, 0.7))
CORNERS_STRIPED = (0.7, 0.3)
ON_STRIPED, ON_CHECKED = Click(0, 0.25, 0.5), Click(0, 0.75, 0.5)


def share(mask: np.ndarray, region: np.ndarray) -> float:
    """How much of the region is masked, from 0 to 1."""
    return float(mask[region].mean())


@pytest.fixture(scope="module")
def steps() -> list[Progress]:
    return []


@pytest.fixture(scope="module")
def analysis(steps: list[Progress], tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Of a file, a Pillow image, and pixels that are the same as the file's."""
    file = tmp_path_factory.mktemp("scenes") / "left-right.png"
    Image.fromarray(LEFT_RIGHT.pixels).save(file)
    return analyze(
        [file, Image.fromarray(CORNERS.pixels), LEFT_RIGHT.pixels],
        backbone=BACKBONE,
        device="cpu",
        progress=steps.append,
    )


SCENES = (LEFT_RIGHT, CORNERS, LEFT_RIGHT)
# Rows and columns of tokens where most images are 240 x 320.
GRID = (56, 72)


def test_a_click_on_one_disc_finds_it_in_every_image_and_not_the_other(analysis):
    for mask, its in zip(predict(analysis, [ON_STRIPED], COARSE).masks, SCENES, strict=True):
        assert share(mask, its.striped) > 0.6
        assert share(mask, its.checked) < 0.1
        assert share(mask, its.background) < 0.05


def test_a_click_on_the_other_disc_finds_the_other(analysis):
    for mask, its in zip(predict(analysis, [ON_CHECKED], COARSE).masks, SCENES, strict=True):
        assert share(mask, its.checked) > 0.6
        assert share(mask, its.striped) < 0.1
        assert share(mask, its.background) < 0.05


def test_a_click_in_another_image_finds_the_same(analysis):
    prediction = predict(analysis, [Click(1, 0.7, 0.3)], COARSE)
    assert share(prediction.masks[0], LEFT_RIGHT.striped) > 0.6
    assert share(prediction.masks[0], LEFT_RIGHT.checked) < 0.1


def test_two_clicks_find_both_and_a_negative_one_takes_its_own_away(analysis):
    both = predict(analysis, [ON_STRIPED, ON_CHECKED], COARSE)
    for mask, its in zip(both.masks, SCENES, strict=True):
        assert min(share(mask, its.striped), share(mask, its.checked)) > 0.6
    settings = replace(COARSE, rule=replace(COARSE.rule, negative_threshold=0.2))
    not_checked = Click(0, ON_CHECKED.x, ON_CHECKED.y, positive=False)
    left = predict(analysis, [ON_STRIPED, ON_CHECKED, not_checked], settings)
    for mask, its in zip(left.masks, SCENES, strict=True):
        assert share(mask, its.striped) > 0.6
        assert share(mask, its.checked) < 0.1


def test_by_default_a_click_finds_its_disc_in_every_image_and_leaves_the_background(analysis):
    for click, name in ((ON_STRIPED, "striped"), (ON_CHECKED, "checked")):
        masks = predict(analysis, [click]).masks
        assert masks[0][int(click.y * 240), int(click.x * 320)]
        for mask, its in zip(masks, SCENES, strict=True):
            # Measured: at least 0.99, and 0.00.
            assert share(mask, getattr(its, name)) > 0.9
            assert share(mask, its.background) < 0.02


def test_by_default_a_negative_click_takes_the_other_disc_away_in_every_image(analysis):
    not_checked = Click(0, ON_CHECKED.x, ON_CHECKED.y, positive=False)
    for mask, its in zip(predict(analysis, [ON_STRIPED, not_checked]).masks, SCENES, strict=True):
        assert share(mask, its.striped) > 0.9
        assert share(mask, its.checked) < 0.05
        assert share(mask, its.background) < 0.02


def test_masks_follow_the_discs_edges_closer_than_whole_tokens_can(analysis):
    clicks = [ON_STRIPED, Click(0, ON_CHECKED.x, ON_CHECKED.y, positive=False)]

    def errors(settings: Settings) -> float:
        masks = predict(analysis, clicks, settings).masks
        return sum((mask != its.striped).sum() for mask, its in zip(masks, SCENES, strict=True))

    # Measured: 293 pixels, and 2,240 of whole tokens.
    assert errors(Settings()) < 0.5 * errors(Settings(outline="tokens"))


def test_a_prediction_says_how_sure_it_is_of_each_image(analysis):
    presence = predict(analysis, [ON_STRIPED]).presence
    assert presence.shape == (3,)
    assert presence.dtype == np.float32
    assert ((presence > 0.5) & (presence <= 1)).all()


def test_masks_have_their_images_own_sizes_and_heatmaps_the_grids(analysis):
    prediction = predict(analysis, [ON_STRIPED])
    assert [mask.shape for mask in prediction.masks] == [(240, 320), (300, 300), (240, 320)]
    assert all(mask.dtype == bool for mask in prediction.masks)
    assert prediction.heatmaps.shape == prediction.token_masks.shape == (3, *GRID)
    assert prediction.heatmaps.dtype == np.float32


def test_an_analysis_is_what_its_docstring_says(analysis):
    assert analysis.eigvecs.shape == (3, *GRID, N_EIGVECS)
    assert analysis.eigvecs.dtype == analysis.eigvals.dtype == np.float32
    assert np.isfinite(analysis.eigvecs).all()
    assert (np.diff(analysis.eigvals) <= 0).all()
    assert analysis.codes.shape[:3] == (3, *GRID)
    assert analysis.codes.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(analysis.codes, axis=-1), 1, atol=0.01)
    assert analysis.colors.shape == (3, *GRID, 3)
    assert analysis.colors.dtype == np.uint8
    assert analysis.backbone == BackboneChoice(BACKBONE, "block", 4, 512)
    assert [one.name for one in analysis.photos] == [
        "left-right.png",
        "image-002.png",
        "image-003.png",
    ]


def test_the_same_image_twice_has_the_same_mask_twice(analysis):
    np.testing.assert_array_equal(analysis.eigvecs[0], analysis.eigvecs[2])
    masks = predict(analysis, [ON_STRIPED, ON_CHECKED], COARSE).masks
    np.testing.assert_array_equal(masks[0], masks[2])


def test_the_same_images_give_the_same_analysis_however_they_are_handed_in(analysis):
    again = analyze(
        [one.pixels for one in SCENES], backbone=BACKBONE, device="cpu", names=["a", "b", "c"]
    )
    np.testing.assert_array_equal(again.eigvecs, analysis.eigvecs)
    np.testing.assert_array_equal(again.eigvals, analysis.eigvals)
    np.testing.assert_array_equal(again.codes, analysis.codes)
    np.testing.assert_array_equal(again.colors, analysis.colors)
    assert [one.name for one in again.photos] == ["a", "b", "c"]


def test_every_step_is_told_in_order(analysis, steps):
    assert list(dict.fromkeys(step.stage for step in steps)) == [
        "read",
        "features",
        "cut",
        "colors",
    ]
    # Two of the three are the same, and are computed once.
    for stage, total in (("read", 3), ("features", 2), ("cut", 1), ("colors", 1)):
        told = [step for step in steps if step.stage == stage]
        assert {step.total for step in told} == {total}
        assert [step.done for step in told] == sorted(step.done for step in told)
    assert steps[-1] == Progress("colors", 1, 1)


def test_no_positive_click_masks_nothing(analysis):
    for clicks in ([], [Click(0, 0.25, 0.5, positive=False)]):
        prediction = predict(analysis, clicks)
        assert not any(mask.any() for mask in prediction.masks)
        assert not prediction.heatmaps.any()
        assert not prediction.presence.any()


def test_a_click_on_an_image_that_is_not_there_is_an_error_that_says_so(analysis):
    with pytest.raises(ValueError, match="image 3"):
        predict(analysis, [Click(3, 0.5, 0.5)])


def test_clicks_on_all_edges_are_on_the_image(analysis):
    last = 1 - 2**-53
    for x, y in ((0.0, 0.0), (last, 0.0), (0.0, last), (last, last)):
        noisy = replace(COARSE, rule=replace(COARSE.rule, denoise=False))
        for settings in (Settings(), noisy):
            mask = predict(analysis, [Click(1, x, y)], settings).masks[1]
            assert mask[int(y * 300), int(x * 300)]


def test_images_of_any_shape_are_analysed_together():
    long = np.tile(LEFT_RIGHT.pixels[95:145], (1, 63, 1))[:, :20_000]
    dot = np.full((1, 1, 3), 77, np.uint8)
    sizes = [(240, 320), (1, 1), (50, 20_000), (20_000, 50)]
    odd = analyze(
        [LEFT_RIGHT.pixels, dot, long, np.ascontiguousarray(long.transpose(1, 0, 2))],
        backbone=BACKBONE,
        device="cpu",
    )
    assert np.isfinite(odd.eigvecs).all()
    for click in (ON_STRIPED, Click(1, 0.0, 0.0), Click(2, 0.9999, 0.5), Click(3, 0.5, 0.9999)):
        prediction = predict(odd, [click])
        assert [mask.shape for mask in prediction.masks] == sizes
        assert prediction.token_masks[click.image].any()
    first = predict(odd, [ON_STRIPED], COARSE).masks[0]
    assert share(first, LEFT_RIGHT.striped) > share(first, LEFT_RIGHT.background)


def test_a_single_image_without_anything_in_it_has_an_analysis():
    plain = analyze([np.full((90, 60, 3), 77, np.uint8)], backbone=BACKBONE, device="cpu")
    assert np.isfinite(plain.eigvecs).all()
    prediction: Prediction = predict(plain, [Click(0, 0.5, 0.5)])
    assert [mask.shape for mask in prediction.masks] == [(90, 60)]
    assert np.isfinite(prediction.heatmaps).all()
    assert np.isfinite(prediction.presence).all()


def test_no_images_are_an_error_that_says_so():
    with pytest.raises(ImageError, match="no images"):
        analyze([], backbone=BACKBONE, device="cpu")


def test_an_image_that_cannot_be_read_is_named_before_anything_is_computed(tmp_path: Path):
    text = tmp_path / "notes.txt"
    text.write_text("no image")
    stages = []
    with pytest.raises(ImageError, match=r"notes\.txt: "):
        analyze(
            [LEFT_RIGHT.pixels, text],
            backbone=BACKBONE,
            device="cpu",
            progress=lambda step: stages.append(step.stage),
        )
    assert set(stages) == {"read"}


def test_more_or_larger_images_than_the_limits_allow_are_named():
    images = [LEFT_RIGHT.pixels, CORNERS.pixels]
    with pytest.raises(ImageError, match=r"image-002\.png: The set had room for only 1 of"):
        analyze(images, backbone=BACKBONE, device="cpu", limits=Limits(max_images=1))
    with pytest.raises(ImageError, match="megapixels"):
        analyze(images, backbone=BACKBONE, device="cpu", limits=Limits(max_megapixels=0.08))


def test_a_backbone_that_does_not_exist_is_an_error():
    with pytest.raises(backbones.BackboneError, match="resnet_9000"):
        analyze([LEFT_RIGHT.pixels], backbone="resnet_9000")


def test_what_progress_raises_stops_the_work():
    class Stop(Exception):
        pass

    def stop(step: Progress) -> None:
        if step.stage == "features":
            raise Stop

    with pytest.raises(Stop):
        analyze([LEFT_RIGHT.pixels], backbone=BACKBONE, device="cpu", progress=stop)


def imported_by(statement: str) -> set[str]:
    """The packages that a fresh Python has imported after a statement."""
    command = f"{statement}; import sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    ran = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True, timeout=120
    )
    return set(ran.stdout.split())


def test_importing_the_package_imports_nothing_heavy():
    heavy = {"torch", "torchvision", "timm", "sklearn", "scipy", "skimage", "gradio"}
    heavy |= {"ncut_pytorch", "huggingface_hub", "pyarrow", "datasets", "PIL"}
    assert imported_by("import pointprompt") & heavy == set()


def test_the_page_is_built_before_anything_that_computes_is_imported():
    imported = imported_by("import pointprompt.ui.launch")
    assert "gradio" in imported
    assert (
        imported & {"torch", "torchvision", "timm", "sklearn", "skimage", "ncut_pytorch"} == set()
    )


def test_adding_images_leaves_the_masks_of_the_others_exactly_as_they_are(analysis):
    clicks = [Click(0, 0.3, 0.3), Click(1, 0.9, 0.9, positive=False)]
    before = predict(analysis, clicks)
    more = extend(analysis, [CORNERS.pixels[:, ::-1], LEFT_RIGHT.pixels], device="cpu")
    after = predict(more, clicks)
    n = len(before.masks)
    assert len(after.masks) == n + 2
    np.testing.assert_array_equal(after.heatmaps[:n], before.heatmaps)
    for old, new in zip(before.masks, after.masks[:n], strict=True):
        np.testing.assert_array_equal(old, new)
    # The last one is the first one again, so what is found in that is found in it.
    assert (after.token_masks[-1] == after.token_masks[0]).mean() > 0.9
    assert len({photo.name for photo in more.photos}) == n + 2


def test_images_join_by_the_options_that_the_first_ones_were_analysed_with():
    pictures = [LEFT_RIGHT.pixels, CORNERS.pixels]
    analysis = analyze(pictures[:1], backbone=BACKBONE, input_size=384, device="cpu")
    more = extend(analysis, pictures[1:], device="cpu")
    assert more.backbone == analysis.backbone == BackboneChoice(BACKBONE, "block", 4, 384)
    # A square that joins is seen in the aspect of those before it.
    assert analysis.grid == more.grid == (40, 56)


def test_wide_photos_have_a_wide_grid_of_as_many_tokens():
    wide = scene((120, 360), (0.25, 0.5), (0.75, 0.5)).pixels
    h, w = analyze([wide], backbone=BACKBONE, device="cpu").grid
    assert w / h == pytest.approx(3, rel=0.05)
    assert h * w == pytest.approx(64 * 64, rel=0.05)


def test_a_click_at_the_right_end_of_a_wide_photo_selects_the_token_under_it():
    wide = scene((120, 480), (0.1, 0.5), (0.99, 0.5))
    analysis = analyze([wide.pixels], backbone=BACKBONE, device="cpu")
    h, w = analysis.grid
    assert w == 4 * h
    prediction = predict(analysis, [Click(0, 0.999, 0.5)])
    assert prediction.token_masks[0, h // 2, w - 1]
    assert prediction.masks[0][60, 479]
    assert share(prediction.masks[0], wide.checked) > 0.9
    assert share(prediction.masks[0], wide.background) < 0.1


def test_a_full_set_takes_no_more(analysis):
    with pytest.raises(ImageError, match="The set is full"):
        extend(analysis, [CORNERS.pixels], limits=Limits(max_images=3))
    with pytest.raises(ImageError, match="had room for only 1 of"):
        extend(analysis, [CORNERS.pixels] * 2, limits=Limits(max_images=4))


def test_what_is_of_a_backbone_needs_the_backbones_name():
    with pytest.raises(ValueError, match="name that too"):
        analyze([LEFT_RIGHT.pixels], input_size=384)


def test_the_settings_say_whether_masks_follow_edges(analysis):
    whole = predict(analysis, [ON_STRIPED], Settings(outline="tokens"))
    edged = predict(analysis, [ON_STRIPED], Settings())
    for index, photo in enumerate(analysis.photos):
        tokens = upscale(whole.token_masks[index], photo.height, photo.width)
        assert np.array_equal(whole.masks[index], tokens)
        assert not np.array_equal(edged.masks[index], tokens)


class DrawsTheBox:
    """A decoder that draws the whole box of a prompt."""

    def masks(self, embedding, points, labels):
        logits = np.full((len(points), 256, 256), -1, np.float32)
        for plane, prompt, what in zip(logits, points, labels, strict=True):
            (left, top), (right, bottom) = prompt[what == 2][0], prompt[what == 3][0]
            rows, columns = (
                slice(round(256 * low), round(256 * high))
                for low, high in ((top, bottom), (left, right))
            )
            plane[rows, columns] = 1
        return logits, np.ones(len(points), np.float32)


def test_small_holes_and_specks_are_counted_in_pixels_of_the_image(analysis):
    plain = predict(analysis, [ON_STRIPED], COARSE)
    (whole,) = {mask.sum() for mask in plain.masks[:1]}
    gone = replace(COARSE, remove_specks=int(whole) + 1)
    assert not predict(analysis, [ON_STRIPED], gone).masks[0].any()
    kept = replace(COARSE, remove_specks=40)
    np.testing.assert_array_equal(
        predict(analysis, [ON_STRIPED], kept).masks[0],
        cleaned(plain.masks[0], holes=0, specks=40),
    )


def test_tokens_are_cleaned_by_the_pixels_that_they_have(analysis):
    tokens = Predictor(analysis).predict([ON_STRIPED], COARSE)
    photo = analysis.photos[0]
    of_token = photo.height * photo.width / tokens.masks[0].size
    largest = int(tokens.masks.sum(axis=(1, 2)).max() * of_token)
    assert not token_masks(analysis, tokens, replace(COARSE, remove_specks=2 * largest)).any()
    np.testing.assert_array_equal(token_masks(analysis, tokens, COARSE), tokens.masks)


def test_an_image_that_is_locked_has_the_mask_of_its_lock_and_follows_its_edges(analysis):
    settings = Settings()
    lock = Lock((1,), (ON_CHECKED,), COARSE)
    found = predict(analysis, [ON_STRIPED], settings, locks=[lock])
    np.testing.assert_array_equal(
        found.masks[1], predict(analysis, lock.clicks, lock.settings).masks[1]
    )
    np.testing.assert_array_equal(
        found.masks[0], predict(analysis, [ON_STRIPED], settings).masks[0]
    )


def test_strokes_lie_over_the_mask_of_their_image_alone(analysis):
    plain = predict(analysis, [ON_STRIPED])
    dot = Stroke(0, adds=True, radius=0.1, points=((0.75, 0.5),))
    hole = Stroke(0, adds=False, radius=0.05, points=((0.25, 0.5),))
    edited = predict(analysis, [ON_STRIPED], strokes=[dot, hole])
    height, width = edited.masks[0].shape
    assert edited.masks[0][height // 2, int(0.75 * width)]
    assert not edited.masks[0][height // 2, int(0.25 * width)]
    np.testing.assert_array_equal(edited.masks[1], plain.masks[1])
    np.testing.assert_array_equal(edited.heatmaps, plain.heatmaps)


def test_a_stroke_on_an_image_that_is_not_there_is_an_error(analysis):
    stroke = Stroke(9, adds=True, radius=0.1, points=((0.5, 0.5),))
    with pytest.raises(ValueError, match="image 9"):
        predict(analysis, [ON_STRIPED], strokes=[stroke])


def test_without_an_image_the_masks_of_the_others_stay_as_they_are(analysis):
    clicks = [Click(1, *CORNERS_STRIPED)]
    whole = predict(analysis, clicks)
    left = without(analysis, {0})
    assert [photo.name for photo in left.photos] == [photo.name for photo in analysis.photos[1:]]
    found = predict(left, [replace(clicks[0], image=0)])
    for mask, before in zip(found.masks, whole.masks[1:], strict=True):
        np.testing.assert_array_equal(mask, before)
    np.testing.assert_array_equal(left.colors, analysis.colors[1:])


def test_at_least_one_image_stays_and_only_those_that_are_there_can_go(analysis):
    with pytest.raises(ValueError, match="at least one image"):
        without(analysis, set(range(len(analysis.photos))))
    with pytest.raises(ValueError, match="image 99"):
        without(analysis, {99})


def test_crisp_masks_are_drawn_by_the_decoder_of_the_backbone(analysis, monkeypatch):
    asked = []

    def load_decoder(name):
        asked.append(name)
        return DrawsTheBox()

    monkeypatch.setattr(backbones, "load_decoder", load_decoder)
    embeddings = np.zeros((len(SCENES), 64, 64, 256), np.float16)
    able = replace(analysis, image_embeddings=embeddings)
    coarse = predict(able, [ON_STRIPED], COARSE)
    crisp = predict(able, [ON_STRIPED], replace(COARSE, outline="sam"))
    assert asked == [BACKBONE]
    for its, mask, whole in zip(SCENES, crisp.masks, coarse.masks, strict=True):
        assert mask.shape == its.striped.shape
        # A box around a disc holds more than the disc, and all of it.
        assert share(mask, its.striped) > 0.95
        assert mask.sum() > whole.sum()
    # Asking for what is not on, or without edges, is as before.
    assert np.array_equal(predict(able, [ON_STRIPED], COARSE).masks[0], coarse.masks[0])
    assert asked == [BACKBONE]


def test_crisp_masks_without_what_they_need_are_refused_with_a_reason(analysis):
    with pytest.raises(ValueError, match="SAM's own mask decoder"):
        predict(analysis, [ON_STRIPED], Settings(outline="sam"))
