import io
import json
import platform
import zipfile

import numpy as np
import pytest
from PIL import Image

import pointprompt
from pointprompt.formats.archive import FolderWriter, write_zip
from pointprompt.formats.prompt_json import PACKAGES
from pointprompt.formats.registry import DEFAULT_FORMATS, FORMATS
from pointprompt.grid import upscale
from pointprompt.masks.lazy import TokenMasks
from pointprompt.settings import Settings, TutorialRule
from pointprompt.sources import photos
from pointprompt.things import Color, Thing
from pointprompt.types import Click, Progress
from tests.formats import made
from tests.formats.made import GREY, labelled, photo, some_masks, things

PHOTOS = [photo("cat.jpeg", 60, 90), photo("schöner Hund.png", 33, 7), photo("one", 1, 1)]
STEMS = ["cat", "schöner Hund", "one"]
MASKS = np.random.default_rng(0).random((3, 4, 6)) > 0.5
SETTINGS = Settings(TutorialRule(threshold=0.7, min_area=8, n_eigvecs=12), True, "tokens")
FUR = Thing(
    "fur",
    (Click(0, 0.5, 0.25), Click(1, 0.999, 0.0, positive=False), Click(0, 0.0, 0.999)),
    SETTINGS,
    Color(0, 225, 255),
)


def _image_masks(masks, photos):
    return TokenMasks(masks, [(photo.height, photo.width) for photo in photos])


def _labelled(photos=PHOTOS, masks=MASKS, thing=FUR):
    return labelled([_image_masks(masks, photos)], [thing], photos)


def _written(photos=PHOTOS, masks=MASKS, thing=FUR, progress=None):
    file = io.BytesIO()
    write_zip(file, _labelled(photos, masks, thing), progress=progress)
    return file.getvalue()


def _read(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def _document(data):
    return json.loads(_read(data)["prompt.json"])


def test_an_archive_holds_a_mask_and_an_overlay_for_each_image_and_the_prompt():
    assert list(_read(_written())) == [
        "masks/cat.png",
        "overlays/cat.jpg",
        "masks/schöner Hund.png",
        "overlays/schöner Hund.jpg",
        "masks/one.png",
        "overlays/one.jpg",
        "prompt.json",
    ]


def test_masks_are_one_channel_of_0_and_255_at_the_images_own_sizes():
    members = _read(_written())
    for image_photo, tokens, stem in zip(PHOTOS, MASKS, STEMS, strict=True):
        image = Image.open(io.BytesIO(members[f"masks/{stem}.png"]))
        assert image.format == "PNG"
        assert image.mode == "L"
        height, width = image_photo.height, image_photo.width
        assert np.array_equal(np.asarray(image), 255 * upscale(tokens, height, width))


def test_masks_may_have_any_shape_and_are_written_as_they_are():
    masks = [
        np.random.default_rng(i).random((p.height, p.width)) > 0.5 for i, p in enumerate(PHOTOS)
    ]
    members = made.members(labelled([masks], [FUR], PHOTOS), ["png"])
    for mask, stem in zip(masks, STEMS, strict=True):
        written = np.asarray(Image.open(io.BytesIO(members[f"masks/{stem}.png"])))
        assert np.array_equal(written, 255 * mask)


def test_overlays_show_the_photo_where_the_mask_is_not():
    masks = np.repeat([[[True, False]] * 2], 3, axis=0)
    members = _read(_written(masks=masks, thing=Thing()))
    shown = np.asarray(Image.open(io.BytesIO(members["overlays/cat.jpg"])).convert("RGB"))
    assert shown.shape == (60, 90, 3)
    assert np.abs(shown[:, 60:].astype(int) - GREY).max() <= 3
    assert (shown[:, 20, 0] > GREY + 30).all()
    assert (shown[:, 20, 1] < GREY - 30).all()


def test_prompt_json_says_what_made_the_masks():
    document = _document(_written())
    assert document["format"] == "pointprompt"
    assert document["version"] == 3
    assert document["backbone"] == {
        "name": "efficientnet_lite0",
        "node": "block",
        "layer": 4,
        "input_size": 512,
        "debias": False,
    }
    (thing,) = document["things"]
    assert thing["name"] == "fur"
    assert thing["color"] == [0, 225, 255]
    assert thing["settings"] == {
        "rule": {
            "name": "tutorial",
            "threshold": 0.7,
            "gamma": 1.0,
            "denoise": True,
            "min_area": 8,
            "negative_threshold": 0.99,
            "n_eigvecs": 12,
        },
        "one_only": True,
        "outline": "tokens",
        "fill_holes": 0,
        "remove_specks": 0,
    }
    assert thing["clicks"][1] == {
        "image": 1,
        "image_name": "schöner Hund.png",
        "x": 0.999,
        "y": 0.0,
        "pixel_x": 6,
        "pixel_y": 0,
        "positive": False,
    }
    assert document["images"][0] == {
        "name": "cat.jpeg",
        "width": 90,
        "height": 60,
        "exif_orientation": 1,
        "mask_pixels": {"fur": int(upscale(MASKS[0], 60, 90).sum())},
        "files": ["masks/cat.png", "overlays/cat.jpg"],
    }
    assert document["orientation"] == "upright"
    assert document["keeps_overlaps"] is False
    assert document["problems"] == []
    versions = document["versions"]
    assert versions["python"] == platform.python_version()
    assert set(versions) == {"python", "pointprompt", *PACKAGES}
    assert {"torch", "ncut-pytorch", "timm", "fpsample"} <= set(versions)
    assert all(versions.values())
    assert versions["pointprompt"] == pointprompt.__version__


def test_a_file_is_written_as_well_as_a_stream(tmp_path):
    path = tmp_path / "masks.zip"
    write_zip(path, _labelled())
    assert path.read_bytes() == _written()


def test_the_same_content_gives_the_same_bytes():
    members = _written()
    with zipfile.ZipFile(io.BytesIO(members)) as file:
        assert {member.date_time for member in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert _written() == members


def test_a_photo_that_cannot_be_read_again_keeps_its_mask(tmp_path):
    here, gone = tmp_path / "here.png", tmp_path / "gone.png"
    damaged, changed = tmp_path / "damaged.png", tmp_path / "changed.png"
    for path in (here, damaged, changed):
        Image.new("RGB", (8, 6)).save(path)
    damaged.write_bytes(damaged.read_bytes()[:40])
    Image.new("RGB", (6, 8)).save(changed)
    paths = [gone, here, damaged, changed]
    photos = [photo(path.name, 6, 8, path) for path in paths]
    data = _written(photos, np.ones((4, 2, 2), bool), Thing())
    members, document = _read(data), _document(data)
    assert [name for name in members if name.startswith("overlays/")] == ["overlays/here.jpg"]
    assert sum(name.startswith("masks/") for name in members) == 4
    problems = document["problems"]
    assert [entry["image"] for entry in problems] == ["gone.png", "damaged.png", "changed.png"]
    assert problems[2]["problem"] == "No overlay: The image was 8 x 6 and is now 6 x 8."
    assert [len(entry["files"]) for entry in document["images"]] == [1, 2, 1, 1]


def test_a_photo_beyond_the_default_limit_still_has_its_overlay(monkeypatch):
    seen = []

    def read_pixels(source, limits):
        seen.append(limits.max_megapixels)
        return source

    monkeypatch.setattr(photos, "read_pixels", read_pixels)
    _written()
    assert [round(limit * 1e6) for limit in seen] == [60 * 90, 33 * 7, 1]


def test_a_photo_too_long_for_jpeg_gets_a_png_overlay():
    data = _written([photo("long.jpg", 2, 70_000)], np.ones((1, 2, 2), bool), Thing())
    image = Image.open(io.BytesIO(_read(data)["overlays/long.png"]))
    assert image.size == (70_000, 2)


@pytest.mark.parametrize(
    "name", ["../cat.png", "a/b.png", "a\\b.png", "c:b.png", "", ".", "..", "...png", "a\0.png"]
)
def test_a_name_that_could_leave_the_folder_is_refused(name):
    with pytest.raises(ValueError, match="plain file name"):
        _written([photo(name, 4, 4)], MASKS[:1], Thing())


def test_two_names_that_would_be_one_file_are_refused():
    photos = [photo("cat.png", 4, 4), photo("CAT.jpg", 4, 4)]
    with pytest.raises(ValueError, match="same name"):
        _written(photos, MASKS[:2], Thing())


def test_every_photo_needs_a_mask():
    with pytest.raises(ValueError, match="2 masks for 3 images"):
        labelled([_image_masks(MASKS[:2], PHOTOS[:2])], [FUR], PHOTOS)


def test_a_click_on_an_image_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="image 3 of 3"):
        _written(thing=Thing("x", (Click(3, 0.5, 0.5),)))


def test_progress_is_told_of_every_file_and_image_and_may_cancel():
    told = []
    _written(progress=told.append)
    assert told == [Progress("export", done, 3) for done in (0, 0, 1, 1, 1, 2, 2, 2, 3)]

    def cancel(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _written(progress=cancel)


def test_no_images_make_an_archive_with_a_prompt_only():
    assert list(_read(_written([], np.zeros((0, 4, 4), bool), Thing()))) == ["prompt.json"]


def test_several_things_have_a_folder_each():
    given = labelled(some_masks(2, [(8, 8)]), things("cat", "wild dog"))
    assert list(made.members(given, ["png"])) == [
        "masks/cat/image 0.png",
        "masks/wild dog/image 0.png",
        "prompt.json",
    ]


def test_a_table_says_which_folder_is_not_called_as_its_thing():
    given = labelled(some_masks(3, [(8, 8)]), things("cat", "=a/b", "c:d"))
    table = made.members(given, ["png"])["names.csv"].decode()
    assert table.splitlines() == ["thing,folder", "'=a/b,a-b", "c:d,cd"]


def test_a_format_that_is_not_there_is_an_error_that_names_those_that_are():
    with pytest.raises(ValueError, match="no format 'gif', only png, "):
        made.members(_labelled(), ["png", "gif"])


def test_every_format_has_a_line_for_people():
    assert set(DEFAULT_FORMATS) <= set(FORMATS)
    assert all(10 < len(choice.line) <= 70 for choice in FORMATS.values())


def test_the_order_in_which_formats_are_chosen_does_not_matter():
    given = _labelled()
    assert made.members(given, list(FORMATS)) == made.members(given, list(reversed(FORMATS)))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_write_what_is_empty_what_is_full_and_a_pixel(name):
    one = np.zeros((5, 7), bool)
    one[2, 3] = True
    masks = [[np.zeros((5, 7), bool), one, np.ones((5, 7), bool), np.ones((1, 1), bool)]] * 2
    made.members(labelled(masks), [name])
    made.members(labelled(masks, keeps_overlaps=True), [name])


@pytest.mark.parametrize("name", FORMATS)
def test_no_file_of_any_format_leaves_its_folder(name):
    given = labelled(some_masks(4, [(8, 8)]), things("../x", "C:\\x", "..", "=cmd|' /C'!A0"))
    for path in made.members(given, [name]):
        assert not set(path) & set('\\:*?"<>|')
        assert not path.startswith("/")
        assert ".." not in path.split("/")


def test_of_a_skipped_image_nothing_is_written_and_it_keeps_its_place():
    given = labelled([_image_masks(MASKS, PHOTOS)], [FUR], PHOTOS, skipped=[1])
    members = made.members(given, list(FORMATS))
    assert not [name for name in members if "Hund" in name]
    assert [name for name in members if name.startswith("masks/")] == [
        "masks/cat.png",
        "masks/one.png",
    ]
    assert "Hund" not in members["coco.json"].decode()
    assert "Hund" not in members["summary.csv"].decode()
    entries = json.loads(members["prompt.json"])["images"]
    assert [entry.get("skipped", False) for entry in entries] == [False, True, False]
    assert (entries[1]["name"], entries[1]["files"]) == ("schöner Hund.png", [])


def test_progress_counts_the_images_that_are_written():
    told = []
    given = labelled([_image_masks(MASKS, PHOTOS)], [FUR], PHOTOS, skipped=[0])
    write_zip(io.BytesIO(), given, ["png"], progress=told.append)
    assert told[-1] == Progress("export", 2, 2)
    assert {step.total for step in told} == {2}


def test_where_all_images_are_skipped_there_is_nothing_to_write():
    with pytest.raises(ValueError, match="All images are skipped"):
        labelled([_image_masks(MASKS, PHOTOS)], [FUR], PHOTOS, skipped=[0, 1, 2])


STREAMING = [name for name, choice in FORMATS.items() if choice.kind.streams]


def streamed(folder, given, times=1):
    """The files of a folder that images were written into one by one, so many times."""
    (folder / "state").mkdir(parents=True)
    for _ in range(times):
        with FolderWriter(
            folder / "out",
            folder / "state",
            things=given.things,
            backbone=given.backbone,
            formats=STREAMING,
            recipe=given.recipe,
        ) as writer:
            for index, photo in enumerate(given.photos):
                masks = [of[index] for of in given.masks]
                heatmaps, presence = given.heatmaps[:, index], given.presence[:, index]
                image = (photo, masks, heatmaps, [float(p) for p in presence])
                written = writer.write(*image)
                assert len(written.counts) == len(given.things)
                writer.add(*image, written)
            writer.finish()
    assert not list((folder / "state").iterdir())
    return contents(folder / "out")


def test_as_images_come_every_format_writes_what_it_writes_of_all_at_once(tmp_path):
    given = labelled(some_masks(2, [(8, 9), (5, 4), (12, 3)]), things("cat", "d:og"))
    assert streamed(tmp_path, given) == made.members(given, STREAMING)


def test_to_write_images_once_more_changes_nothing(tmp_path):
    given = labelled(some_masks(1, [(8, 9), (5, 4)]))
    assert streamed(tmp_path / "a", given, 2) == streamed(tmp_path / "b", given)


def test_what_is_of_each_image_alone_can_be_written_by_others_in_any_order(tmp_path):
    given = labelled(some_masks(1, [(8, 9), (5, 4)]))
    (tmp_path / "state").mkdir()

    def writer(formats=STREAMING):
        return FolderWriter(
            tmp_path / "out",
            tmp_path / "state",
            things=given.things,
            backbone=given.backbone,
            formats=formats,
            recipe=given.recipe,
        )

    def image(index):
        return (
            given.photos[index],
            [of[index] for of in given.masks],
            given.heatmaps[:, index],
            [float(p) for p in given.presence[:, index]],
        )

    with writer() as one, writer() as other:
        written = {1: other.write(*image(1)), 0: one.write(*image(0))}
    with writer() as gathering:
        for index in (0, 1):
            gathering.add(*image(index), written[index])
        gathering.finish()
    assert contents(tmp_path / "out") == made.members(given, STREAMING)
    assert writer().gathers
    assert not writer(["png", "yolo", "overlays"]).gathers


def contents(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_what_needs_all_images_at_once_cannot_be_had_as_they_come(tmp_path):
    with pytest.raises(ValueError, match="'sheet' needs all images at once"):
        FolderWriter(
            tmp_path, tmp_path, things=things("cat"), backbone=made.BACKBONE, formats=["sheet"]
        )
    with pytest.raises(ValueError, match="no format 'gif'"):
        FolderWriter(
            tmp_path, tmp_path, things=things("cat"), backbone=made.BACKBONE, formats=["gif"]
        )
