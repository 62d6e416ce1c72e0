"""The whole job in a real browser, judged by what is painted."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from pointprompt import backbones
from tests.e2e.browser import CLICKS, Page

# Where the red ball is in the first images of the example set "still-life".
BALL = {0: (0.31, 0.42), 1: (0.68, 0.36), 2: (0.61, 0.30), 3: (0.44, 0.50)}
CYLINDER = {0: (0.635, 0.34)}
# The cat's forehead in the first image of the example set "cat-or-not".
CAT = (0.5, 0.35)
# Places on the table, far from everything.
TABLE = {0: (0.08, 0.9), 1: (0.1, 0.92), 2: (0.1, 0.9)}


def is_masked(page: Page, index: int, place: tuple[float, float]) -> bool:
    mask = page.mask(index)
    height, width = mask.shape
    return bool(mask[int(place[1] * height), int(place[0] * width)])


def as_large(mask: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The mask at the other's size."""
    image = Image.fromarray(mask).resize(other.shape[::-1], Image.Resampling.NEAREST)
    return np.array(image)


def borders(mask: np.ndarray) -> int:
    """In how many columns of the mask there is a border between two columns that differ."""
    return int((mask[:, 1:] != mask[:, :-1]).any(axis=0).sum())


def test_an_example_set_is_clicked_corrected_tuned_and_undone(page: Page):
    page.analyze_example("still-life")
    assert page.tile_count == 6
    assert not any(page.mask(i).any() for i in range(6))

    page.click(0, *BALL[0])
    page.wait_for_masks()
    found = [is_masked(page, i, BALL[i]) for i in (1, 2, 3)]
    assert found == [True, True, True]
    assert not is_masked(page, 1, TABLE[1])
    after_one_click = page.mask(1)

    page.set_slider("threshold", 0.35)
    page.wait_for_masks()
    after_slider = page.mask(1)
    assert after_slider.sum() > 1.2 * after_one_click.sum()
    assert (after_slider | ~after_one_click).mean() > 0.99

    page.click(0, *CYLINDER[0], positive=False)
    page.wait_for_masks()
    after_negative = page.mask(1)
    assert after_negative.sum() < after_slider.sum()
    assert [is_masked(page, i, BALL[i]) for i in (1, 2, 3)] == [True, True, True]

    page.action("undo").click()
    page.wait_for_masks()
    np.testing.assert_array_equal(page.mask(1), after_slider)
    page.action("undo").click()
    page.wait_for_masks()
    assert page.slider("threshold") == 0.5
    np.testing.assert_array_equal(page.mask(1), after_one_click)

    for _ in range(2):
        page.action("redo").click()
    page.wait_for_masks()
    assert page.slider("threshold") == 0.35
    np.testing.assert_array_equal(page.mask(1), after_negative)

    page.action("clear").click()
    page.wait_for_masks()
    assert not any(page.mask(i).any() for i in range(6))
    assert page.problems == []


def test_masks_follow_the_edges_in_the_photos_unless_they_shall_not(page: Page, photos: list[Path]):
    page.analyze_files(photos)
    page.tab.locator("[data-tile-size]").fill("400")
    page.click(0, *BALL[0])
    page.wait_for_masks()
    with_edges = page.mask(1)
    page.tab.locator("[data-setting=outline]").select_option("tokens")
    page.wait_for_masks()
    whole_tokens = page.mask(1)
    # The border of whole tokens steps from token to token, that of a ball from pixel to pixel.
    assert borders(with_edges) > 3 * borders(whole_tokens)
    page.action("undo").click()
    page.wait_for_masks()
    np.testing.assert_array_equal(page.mask(1), with_edges)
    assert page.problems == []


def test_best_first_puts_the_images_with_the_thing_before_those_without(page: Page):
    page.analyze_example("cat-or-not")
    names = page.tab.locator(".pp-name")
    given = names.all_inner_texts()
    page.click(0, *CAT)
    page.wait_for_masks()
    assert names.all_inner_texts() == given
    assert page.status == "Found in 2 of 5"
    page.tab.get_by_role("radio", name="Best first").click()
    best = names.all_inner_texts()
    assert {name.split(".")[0] for name in best[:2]} == {"cat", "cat-closer"}
    assert sorted(best) == sorted(given)
    shares = page.tab.locator(".pp-share").all_inner_texts()
    presence = [float(share.split(" · ")[1]) for share in shares]
    assert presence == sorted(presence, reverse=True)
    assert presence[1] > presence[2] + 0.3
    # The masks have moved with their tiles.
    assert [page.mask(i).any() for i in range(5)] == [True, True, False, False, False]
    page.tab.get_by_role("radio", name="As given").click()
    assert names.all_inner_texts() == given
    assert page.problems == []


def test_by_the_tutorials_rule_the_set_is_clicked_corrected_tuned_and_undone(page: Page):
    page.analyze_example("still-life")
    page.use_tutorial()

    page.click(0, *BALL[0])
    page.wait_for_masks()
    found = [is_masked(page, i, BALL[i]) for i in (1, 2, 3)]
    assert found == [True, True, True]
    assert not is_masked(page, 1, TABLE[1])
    after_one_click = page.mask(1)

    page.set_slider("threshold", 0.1)
    page.wait_for_masks()
    after_slider = page.mask(1)
    assert after_slider.sum() > after_one_click.sum()

    page.set_slider("negative_threshold", 0.3)
    page.click(3, *BALL[3], positive=False)
    page.wait_for_masks()
    after_negative = page.mask(1)
    assert after_negative.sum() < after_slider.sum()
    assert not is_masked(page, 1, BALL[1])

    for _ in range(3):
        page.action("undo").click()
    page.wait_for_masks()
    assert page.slider("threshold") == 0.5
    np.testing.assert_array_equal(page.mask(1), after_one_click)

    page.action("redo").click()
    page.wait_for_masks()
    np.testing.assert_array_equal(page.mask(1), after_slider)

    page.action("clear").click()
    page.wait_for_masks()
    assert not any(page.mask(i).any() for i in range(6))
    assert page.problems == []


def test_uploaded_files_are_masked_and_what_is_no_image_is_named(
    page: Page, photos: list[Path], tmp_path: Path
):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 this is not a photo")
    text = tmp_path / "notes.txt"
    text.write_text("no image either")
    page.analyze_files([*photos, broken, text])
    assert page.tile_count == len(photos)
    rejected = page.tab.locator(".pp-rejected li").all_inner_texts()
    assert [line.split(":")[0] for line in rejected] == ["broken.jpg", "notes.txt"]
    assert all(len(line) > 30 for line in rejected)

    page.click(0, *BALL[0])
    page.wait_for_masks()
    assert is_masked(page, 1, BALL[1])
    assert page.status == "Found in 3 of 3"
    assert page.problems == []


def test_a_click_on_a_point_removes_it(page: Page, photos: list[Path]):
    page.analyze_files(photos)
    page.click(0, *BALL[0])
    page.click(0, *TABLE[0], positive=False)
    page.wait_for_masks()
    page.click(0, *TABLE[0])
    page.click(0, *BALL[0])
    page.wait_for_masks()
    assert not page.mask(0).any()


def test_the_keyboard_clicks_undoes_and_removes(page: Page, photos: list[Path]):
    page.analyze_files(photos)
    page.overlay(0).focus()
    for key in ["ArrowLeft"] * 12 + ["ArrowUp"] * 5 + ["Enter"]:
        page.tab.keyboard.press(key)
    page.wait_for_masks()
    assert is_masked(page, 1, BALL[1])
    page.tab.keyboard.press("Control+z")
    page.wait_for_masks()
    assert not page.mask(1).any()
    page.tab.keyboard.press("Control+Shift+z")
    page.wait_for_masks()
    assert page.mask(1).any()
    page.tab.keyboard.press("Delete")
    page.wait_for_masks()
    assert not page.mask(1).any()


def test_touch_taps_are_positive_and_a_long_press_is_negative(new_page, photos: list[Path]):
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.analyze_files(photos)
    overlay = page.overlay(0)
    overlay.scroll_into_view_if_needed()
    box = overlay.bounding_box()
    overlay.tap(position={"x": BALL[0][0] * box["width"], "y": BALL[0][1] * box["height"]})
    page.wait_for_masks()
    assert is_masked(page, 1, BALL[1])
    overlay.scroll_into_view_if_needed()
    box = overlay.bounding_box()
    place = {
        "clientX": box["x"] + 0.08 * box["width"],
        "clientY": box["y"] + 0.9 * box["height"],
        "pointerType": "touch",
        "pointerId": 7,
        "isPrimary": True,
        "button": 0,
    }
    asked = page.tab.locator(".pp-workspace").get_attribute("data-asked")
    overlay.dispatch_event("pointerdown", place)
    page.tab.wait_for_function(
        f"document.querySelector('.pp-workspace').dataset.asked !== '{asked}'"
    )
    overlay.dispatch_event("pointerup", place)
    page.wait_for_masks()
    page.tab.wait_for_function(f"{CLICKS}.map((c) => c.positive).join() === 'true,false'")


def test_the_view_switch_shows_photo_colours_or_both_and_clicks_go_on_any(
    page: Page, photos: list[Path]
):
    page.analyze_files(photos)
    colors = page.tab.locator(".pp-colors").first
    assert not colors.is_visible()
    page.tab.get_by_role("radio", name="Colours").click()
    assert colors.is_visible()
    page.tab.wait_for_function("document.querySelector('.pp-colors').width > 0")
    values = colors.evaluate(
        "(c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
    )
    drawn = np.array(values).reshape(-1, 4)
    assert (drawn[:, 3] == 255).all()
    assert len(np.unique(drawn, axis=0)) > 100
    page.click(0, *BALL[0])
    page.wait_for_masks()
    assert is_masked(page, 1, BALL[1])
    page.tab.get_by_role("radio", name="Both").click()
    assert colors.is_visible()


def test_several_things_are_masked_and_downloaded_in_the_formats_that_are_chosen(page: Page):
    page.analyze_example("still-life")
    page.click(0, *BALL[0])
    page.action("undo").click()
    page.action("redo").click()
    page.tab.keyboard.press("a")
    page.click(0, 0.06, 0.06)
    page.wait_for_edges()
    page.tab.get_by_role("button", name="What to download").click()
    page.tab.get_by_label("COCO instances").check()
    page.tab.get_by_label("Photos with the things tinted").uncheck()
    page.tab.keyboard.press("Escape")
    with page.tab.expect_download() as download:
        page.action("export").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        names = archive.namelist()
        coco = json.loads(archive.read("coco.json"))
    assert [category["name"] for category in coco["categories"]] == ["Thing 1", "Thing 2"]
    assert {one["category_id"] for one in coco["annotations"]} == {1, 2}
    folders = {name.split("/")[1] for name in names if name.startswith("masks/")}
    assert folders == {"Thing 1", "Thing 2"}
    assert not any(name.startswith("overlays") for name in names)
    assert page.problems == []


def test_a_prompt_file_is_opened_onto_the_same_images_and_not_onto_others(
    page: Page, tmp_path: Path
):
    page.analyze_example("still-life")
    page.click(0, *BALL[0])
    page.tab.keyboard.press("a")
    page.click(1, 0.06, 0.06)
    page.wait_for_edges()
    page.tab.locator("[data-setting=threshold]").fill("0.6")
    page.wait_for_edges()
    masks = [page.mask(index) for index in range(2)]
    with page.tab.expect_download() as download:
        page.action("export").click()
    file = tmp_path / "prompt.json"
    with zipfile.ZipFile(download.value.path()) as archive:
        file.write_bytes(archive.read("prompt.json"))

    page.action("clear").click()
    page.tab.set_input_files(".pp-formats input[type=file]", str(file))
    chips = page.tab.locator(".pp-chips button")
    page.tab.wait_for_function("document.querySelector('.pp-chips button').ariaChecked === 'true'")
    assert chips.all_inner_texts() == ["Thing 1", "Thing 2"]
    page.tab.keyboard.press("2")
    page.wait_for_edges()
    assert page.slider("threshold") == 0.6
    for before, now in zip(masks, [page.mask(index) for index in range(2)], strict=True):
        np.testing.assert_array_equal(now, before)

    page.analyze_example("motorcycle")
    page.click(0, 0.5, 0.5)
    page.tab.set_input_files(".pp-formats input[type=file]", str(file))
    expect(page.tab.locator(".pp-notice")).to_contain_text("belongs to other images: table-1.png")
    assert chips.count() == 1
    file.write_text("{")
    page.tab.set_input_files(".pp-formats input[type=file]", str(file))
    expect(page.tab.locator(".pp-notice")).to_contain_text("The prompt file is not JSON.")
    assert page.problems == []


def test_a_recipe_is_opened_on_other_images_and_clicks_go_on_from_it(
    page: Page, photos: list[Path], tmp_path: Path
):
    page.analyze_example("still-life")
    page.click(0, *BALL[0])
    page.wait_for_edges()
    page.tab.get_by_role("button", name="What to download").click()
    page.tab.get_by_label("Recipe: run the same on any folder of images").check()
    page.tab.keyboard.press("Escape")
    with page.tab.expect_download() as download:
        page.action("export").click()
    file = tmp_path / "ball.safetensors"
    with zipfile.ZipFile(download.value.path()) as archive:
        file.write_bytes(archive.read("recipe.safetensors"))

    others = []
    for photo in photos:
        # Other files, which show the same.
        others.append(tmp_path / photo.name)
        Image.open(photo).save(others[-1], compress_level=1)
    page.analyze_files(others)
    page.click(1, 0.06, 0.06)
    page.wait_for_edges()
    before = page.mask(1)
    page.tab.set_input_files(".pp-formats input[type=file]", str(file))
    said = "The recipe is open on 3 images: click to go on from it."
    expect(page.tab.locator("#pp-status")).to_contain_text(said)
    expect(page.tab.locator("[data-recipe]")).to_be_visible()
    page.wait_for_edges()
    assert page.tab.locator(".pp-chips button").all_inner_texts() == ["Thing 1"]
    expect(page.tab.locator(".pp-status")).to_have_text("Found in 3 of 3")
    for index in range(len(photos)):
        assert is_masked(page, index, BALL[index])
        assert page.mask(index).mean() < 0.2
    found = page.mask(0)
    page.click(0, 0.06, 0.06)
    page.wait_for_edges()
    assert page.mask(0).sum() > found.sum()
    page.tab.reload()
    page.wait_for_tiles()
    page.wait_for_edges()
    assert page.mask(0).sum() > found.sum()
    page.action("undo").click()
    page.wait_for_edges()
    np.testing.assert_array_equal(page.mask(0), found)
    # What there was before the recipe is undone to as well.
    page.action("undo").click()
    page.wait_for_edges()
    assert (page.mask(1) & before).sum() > before.sum() / 2
    assert page.problems == []


def test_the_download_holds_the_masks_that_are_on_the_screen(page: Page, photos: list[Path]):
    page.analyze_files(photos)
    assert page.action("export").is_disabled()
    page.click(0, *BALL[0])
    page.wait_for_masks()
    with page.tab.expect_download() as waiting:
        page.action("export").click()
    assert waiting.value.suggested_filename == "pointprompt-masks.zip"
    archive = zipfile.ZipFile(io.BytesIO(Path(waiting.value.path()).read_bytes()))
    document = json.loads(archive.read("prompt.json"))
    (thing,) = document["things"]
    assert len(thing["clicks"]) == 1
    assert document["backbone"]
    assert thing["settings"]["rule"]["name"] == "joint"
    assert thing["settings"]["outline"] == "photo"
    page.tab.locator("[data-display=outline]").uncheck()
    page.tab.locator("[data-tile-size]").fill("400")
    shown = []
    for index, photo in enumerate(photos):
        mask = np.array(Image.open(io.BytesIO(archive.read(f"masks/{photo.stem}.png"))))
        assert mask.shape == np.array(Image.open(photo)).shape[:2]
        assert set(np.unique(mask)) <= {0, 255}
        with_edges = as_large(page.mask(index), mask)
        # The click's marker is on the screen only.
        assert (with_edges == (mask > 0)).mean() > 0.99
        shown.append(with_edges)
    page.tab.locator("[data-setting=outline]").select_option("tokens")
    page.wait_for_masks()
    assert all((as_large(page.mask(i), shown[i]) != shown[i]).mean() > 0.01 for i in range(3))
    page.action("undo").click()

    # A second download is another file.
    page.click(1, *TABLE[1], positive=False)
    page.wait_for_masks()
    with page.tab.expect_download() as waiting:
        page.action("export").click()
    archive = zipfile.ZipFile(waiting.value.path())
    assert len(json.loads(archive.read("prompt.json"))["things"][0]["clicks"]) == 2


def test_a_backbone_tells_its_licence_and_cost_before_it_is_chosen(page: Page):
    page.tab.get_by_role("button", name="Features: EfficientNet-Lite0, 0.05 s").click()
    note = page.tab.locator("#pp-backbone-note")
    expect(note).to_contain_text(backbones.describe("efficientnet_lite0").size_note)
    page.tab.locator("#pp-backbone input").click()
    page.tab.get_by_role("option", name="SAM ViT-B").click()
    expect(note).to_contain_text("Licence: Apache-2.0")
    seconds = round(backbones.describe("sam_vit_b").cpu_seconds[0])
    expect(note).to_contain_text(f"{seconds} s an image on a CPU")
    expect(page.tab.get_by_role("button", name=f"Features: SAM ViT-B, {seconds} s")).to_be_visible()
    page.tab.get_by_role("button", name="Details").click()
    debias = page.tab.get_by_label("Positional debiasing")
    expect(debias).to_be_hidden()
    page.tab.get_by_label("Input size").click()
    expect(page.tab.get_by_role("option", name="512 px · ")).to_contain_text("on a CPU")
    page.tab.locator("#pp-backbone input").click()
    page.tab.get_by_role("option", name="DINOv3 large").click()
    expect(note).to_contain_text("DINOv3 License")
    expect(debias).not_to_be_checked()
    expect(debias).to_be_visible()
