from __future__ import annotations

import base64
import errno
import io
import json
import os
import re
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pointprompt import backbones
from pointprompt.analysis.analysis import Computed
from pointprompt.analysis.compute import compute
from pointprompt.analysis.terms import Terms
from pointprompt.applying import apply
from pointprompt.backbones.backbone import Encoded
from pointprompt.edits import Stroke
from pointprompt.masks.edits import painted
from pointprompt.recipes.file import decode
from pointprompt.server import addresses, parsing, wire
from pointprompt.server.fetching import as_fetching, link_files, make_files
from pointprompt.server.jobs import Cancelled, Job
from pointprompt.server.readers import Readers
from pointprompt.server.service import GONE, Opened, Service
from pointprompt.server.session import Session, SessionGone
from pointprompt.server.sessions import Lifetimes, SessionStore
from pointprompt.server.turns import Turns
from pointprompt.settings import RULES, Settings
from pointprompt.sources.examples import ExampleImage, ExampleSet
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import ImageError, Limits, read_pixels
from pointprompt.types import BackboneChoice, BackboneRequest, Progress, ProgressFn
from tests.hostile import MESSAGES
from tests.videos import write_video

# Seconds, far more than anything here takes; reached only by a test that fails.
PATIENCE = 60
GREY, RED, BLUE = (128, 128, 128), (220, 30, 30), (30, 30, 220)
SIDE = 64
GRID = 16
CHOICE = BackboneChoice("color", "block", 0, SIDE)
REQUEST = CHOICE.request
# What is masked is known exactly by the tutorial's rule. The images have three colours, so three
# eigenvectors tell all that there is to tell.
EXACT = {
    "rule": {"name": "tutorial", "n_eigvecs": 3, "threshold": 0.3},
    "outline": "tokens",
}


@dataclass(frozen=True)
class ColorBackbone:
    """Features that are the mean colour of a token, and nothing else."""

    choice: BackboneChoice = CHOICE
    input_size: int = SIDE
    device: str = "cpu"
    crisp: bool = False

    def encode(self, squares: np.ndarray, progress: ProgressFn | None = None) -> Encoded:
        n = len(squares)
        step = SIDE // GRID
        means = squares.reshape(n, GRID, step, GRID, step, 3).mean(axis=(2, 4))
        # Tokens that are exactly alike would make the cut a matter of rounding.
        noise = np.random.default_rng(0).normal(0, 2, means.shape)
        for done in range(n):
            if progress:
                progress(Progress("features", done + 1, n))
        features = means + noise - 100
        unit = (features / np.linalg.norm(features, axis=-1, keepdims=True)).astype(np.float32)
        return Encoded(unit, np.zeros((n, 64, 64, 256), np.float16) if self.crisp else None)


@dataclass
class ColorEngine:
    """Computes here, with that backbone whatever is chosen."""

    crisp: bool = False

    def prepare(self, request: BackboneRequest, progress: ProgressFn | None = None) -> Framing:
        return Framing(SIDE)

    def identity(self, request: BackboneRequest) -> str:
        return "colors"

    def compute(
        self,
        squares: np.ndarray,
        request: BackboneRequest,
        terms: Terms | None = None,
        **options: Any,
    ) -> Computed:
        return compute(squares, ColorBackbone(crisp=self.crisp), terms, **options)


@pytest.fixture(scope="module", autouse=True)
def no_tsne() -> Iterator[None]:
    """A colour view that takes no time."""

    def grey(eigvecs: np.ndarray, *, seed: int = 0) -> np.ndarray:
        return np.full((*eigvecs.shape[:3], 3), 128, np.uint8)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pointprompt.analysis.compute.tsne_colors", grey)
        yield


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(SessionStore(tmp_path / "sessions"), Limits(max_images=4), ColorEngine())


def silent(progress: Progress) -> None:
    pass


def photo(path: Path, red: tuple[int, int], blue: tuple[int, int], size: int = 128) -> Path:
    """A grey picture with a red and a blue square, each of a quarter of its side, at (x, y)."""
    pixels = np.full((size, size, 3), GREY, np.uint8)
    for (x, y), color in ((red, RED), (blue, BLUE)):
        quarter = size // 4
        pixels[y * quarter : (y + 1) * quarter, x * quarter : (x + 1) * quarter] = color
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def is_color(path: Path, color: tuple[int, int, int]) -> np.ndarray:
    return (read_pixels(path) == color).all(axis=-1)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    return [
        photo(tmp_path / "in" / "a.png", (0, 0), (3, 2)),
        photo(tmp_path / "in" / "b.png", (2, 3), (1, 0), size=192),
    ]


def analyzed(
    service: Service, files: Sequence[Path], page: str = "page", choice: BackboneRequest = REQUEST
) -> Session:
    return service.analyze(link_files(files), choice, page, silent).session


def extended(service: Service, files: Sequence[Path], page: str = "page") -> Opened:
    return service.extend(link_files(files), page, silent)


def message(
    session: Session,
    *clicks: tuple[int, float, float, bool],
    seq: int = 3,
    choice: dict[str, Any] = EXACT,
) -> dict[str, Any]:
    """Of every kind at once: each takes of it what it is made of."""
    names = ("image", "x", "y", "positive")
    prompt = {
        "clicks": [dict(zip(names, click, strict=True)) for click in clicks],
        "settings": choice,
    }
    return {
        "session": session.token,
        "seq": seq,
        **prompt,
        "side": 192,
        "things": [{"name": "mask", "color": [255, 0, 255], **prompt}],
        "exclusive": True,
        "overlaps": False,
        "formats": ["png", "overlays"],
        "coco_polygons": False,
        "coco_regions": False,
    }


def token_masks(answer: dict[str, Any], n: int) -> np.ndarray:
    packed = np.frombuffer(zlib.decompress(base64.b64decode(answer["masks"])), np.uint8)
    return np.unpackbits(packed).reshape(n, GRID, GRID).astype(bool)


def outlined_masks(answer: dict[str, Any]) -> dict[int, np.ndarray]:
    """The masks (H, W) bool with edges, by their image."""
    masks = {}
    for one in answer["masks"]:
        size = one["height"], one["width"]
        packed = np.frombuffer(zlib.decompress(base64.b64decode(one["mask"])), np.uint8)
        bits = np.unpackbits(packed, count=size[0] * size[1])
        masks[one["image"]] = bits.reshape(size).astype(bool)
    return masks


def overlap(mask: np.ndarray, other: np.ndarray) -> float:
    """The share of what either covers that both cover."""
    return float((mask & other).sum() / (mask | other).sum())


def folders(service: Service) -> list[Path]:
    return sorted(service.store.root.iterdir()) if service.store.root.exists() else []


ON_RED, ON_BLUE = (0, 0.12, 0.12, True), (0, 0.88, 0.62, True)


def expected(files: Sequence[Path], color: tuple[int, int, int]) -> np.ndarray:
    """The tokens of this colour; the squares fill whole tokens."""
    return np.stack(
        [
            np.array(
                Image.fromarray(is_color(file, color)).resize(
                    (GRID, GRID), Image.Resampling.NEAREST
                )
            )
            for file in files
        ]
    )


def test_a_click_on_one_blob_masks_that_blob_in_every_image(service, photos):
    session = analyzed(service, photos)
    red = service.predict(message(session, ON_RED))
    np.testing.assert_array_equal(token_masks(red, 2), expected(photos, RED))
    blue = service.predict(message(session, ON_BLUE, seq=4))
    np.testing.assert_array_equal(token_masks(blue, 2), expected(photos, BLUE))
    assert (red["seq"], blue["seq"]) == (3, 4)


def test_clicks_on_both_blobs_mask_both_and_no_click_masks_nothing(service, photos):
    session = analyzed(service, photos)
    both = token_masks(service.predict(message(session, ON_RED, ON_BLUE)), 2)
    np.testing.assert_array_equal(both, expected(photos, RED) | expected(photos, BLUE))
    assert not token_masks(service.predict(message(session)), 2).any()
    negative = (*ON_RED[:3], False)
    assert not token_masks(service.predict(message(session, negative)), 2).any()


def test_by_the_default_settings_a_click_finds_the_blob_and_where_it_is_not(service, tmp_path):
    without_red = photo(tmp_path / "in" / "c.png", (3, 3), (3, 3))
    files = [
        photo(tmp_path / "in" / "a.png", (0, 0), (3, 2)),
        photo(tmp_path / "in" / "b.png", (2, 3), (1, 0)),
        without_red,
    ]
    session = analyzed(service, files)
    answer = service.predict(message(session, ON_RED, choice={}))
    masks, red = token_masks(answer, 3), expected(files, RED)
    for index in (0, 1):
        assert overlap(masks[index], red[index]) > 0.6
    assert not masks[2].any()
    assert len(answer["presence"]) == 3
    assert answer["presence"][2] < min(answer["presence"][:2]) <= 1


def test_a_lower_threshold_takes_more_in(service, photos):
    session = analyzed(service, photos)
    areas = [
        token_masks(
            service.predict(message(session, ON_RED, choice={"rule": {"threshold": threshold}})), 2
        ).sum()
        for threshold in (0.75, 0.5, 0.25)
    ]
    assert areas == sorted(areas)
    assert areas[0] < areas[2]


def test_edges_come_at_the_size_of_the_tile_and_only_for_the_images_asked_for(service, photos):
    session = analyzed(service, photos)
    asked = {**message(session, ON_RED, seq=8, choice={**EXACT, "outline": "photo"}), "images": [1]}
    answer = service.edges(asked)
    assert answer["seq"] == 8
    ((image, mask),) = outlined_masks(answer).items()
    assert image == 1
    red = is_color(photos[1], RED)
    assert mask.shape == red.shape
    # The border of tokens is that of the blob here; what is a token less, edges must not lose.
    assert overlap(mask, red) > 0.9
    both = outlined_masks(service.edges({**asked, "images": [1, 0]}))
    assert list(both) == [1, 0]
    np.testing.assert_array_equal(both[1], mask)


def test_edges_of_a_large_photo_have_the_size_that_is_asked_for(service, tmp_path):
    large = photo(tmp_path / "in" / "large.png", (0, 0), (3, 2), size=2048)
    session = analyzed(service, [large])
    asked = {**message(session, ON_RED, choice={**EXACT, "outline": "photo"}), "images": [0]}
    mask = outlined_masks(service.edges({**asked, "side": 1024}))[0]
    assert mask.shape == (1024, 1024)
    assert overlap(mask, is_color(large, RED)[::2, ::2]) > 0.9
    assert outlined_masks(service.edges({**asked, "side": 2048}))[0].shape == (2048, 2048)


def test_a_photo_larger_than_its_tile_can_be_seen_at_its_own_size_by_its_visitor(
    service, tmp_path, photos
):
    large = photo(tmp_path / "large.png", (200, 100), (800, 600), size=1500)
    opened = service.analyze(link_files([large, photos[0]]), CHOICE, "page", silent, "visitor")
    session = opened.session
    first, second = service.manifest(session)["images"]
    assert first["whole"] == addresses.whole(session.picture_key, 0)
    assert second["whole"] == second["tile"]
    path = service.whole(session.picture_key, 0, "visitor")
    shown = np.asarray(Image.open(path), int)
    exact = np.asarray(Image.open(large).convert("RGB"), int)
    assert shown.shape == exact.shape == (1500, 1500, 3)
    assert np.abs(shown - exact).mean() < 2
    assert service.whole(session.picture_key, 0, "visitor") == path
    for index in (1, 2, 99):
        with pytest.raises(ValueError, match="larger"):
            service.whole(session.picture_key, index, "visitor")
    with pytest.raises(SessionGone):
        service.whole(session.picture_key, 0, "stranger")


def test_a_photo_that_is_gone_from_the_disk_leaves_no_half_a_picture(service, tmp_path):
    large = photo(tmp_path / "large.png", (200, 100), (800, 600), size=1500)
    session = service.analyze(link_files([large]), CHOICE, "page", silent, "visitor").session
    for file in (session.folder / "images").rglob("*.png"):
        file.unlink()
    large.unlink()
    with pytest.raises(ValueError, match="no such file"):
        service.whole(session.picture_key, 0, "visitor")
    assert not list((session.folder / "whole").iterdir())


def test_edges_without_a_click_are_empty(service, photos):
    session = analyzed(service, photos)
    answer = service.edges({**message(session, choice={}), "images": [0, 1]})
    assert [mask.any() for mask in outlined_masks(answer).values()] == [False, False]


@pytest.mark.parametrize("images", [None, [], [2], [-1], [0.0], ["0"], [True], list(range(17))])
def test_edges_of_images_that_are_not_there_are_answered_with_a_sentence(service, photos, images):
    session = analyzed(service, photos)
    answer = service.edges({**message(session, ON_RED, seq=5), "images": images})
    assert (answer["seq"], answer["error"]) == (5, "invalid")
    assert "image" in answer["message"]


def test_edges_of_a_session_that_is_gone_say_so(service, photos):
    session = analyzed(service, photos)
    service.store.drop(session.token)
    answer = service.edges({**message(session, ON_RED, seq=9), "images": [0]})
    assert answer == {"seq": 9, "error": "gone", "message": GONE}


def test_the_manifest_leads_to_the_tiles_and_the_colour_view(service, photos):
    session = analyzed(service, photos)
    manifest = service.manifest(session)
    assert manifest["session"] == session.token
    assert manifest["grid"] == (GRID, GRID)
    assert [image["name"] for image in manifest["images"]] == ["a.png", "b.png"]
    key = session.picture_key
    for index, (image, file) in enumerate(zip(manifest["images"], photos, strict=True)):
        assert image["tile"] == f"/pointprompt/pictures/{key}/{index}.jpg"
        tile = read_pixels(service.tile(key, index, ""))
        assert tile.shape == (image["height"], image["width"], 3) == read_pixels(file).shape
        assert np.abs(tile.astype(int) - read_pixels(file)).mean() < 4
    assert manifest["colors"] == f"/pointprompt/pictures/{key}/colors.png"
    assert read_pixels(service.colors(key, "")).shape == (2 * GRID, GRID, 3)
    told = json.dumps(manifest)
    assert str(session.folder) not in told
    assert session.token not in told.replace(f'"session": "{session.token}"', "")


def test_only_the_visitor_who_made_a_session_can_use_it_in_any_way(service, photos, tmp_path):
    fetch = link_files(photos)
    session = service.analyze(fetch, REQUEST, "page", silent, "me").session
    asked = message(session, ON_RED)
    path = service.export(asked, silent, "me")
    name = path.parent.name
    assert service.predict(asked, "me")["masks"]
    assert service.download(session.picture_key, name, "me") == path
    assert service.download_address(asked, path, "me") == (
        f"/pointprompt/downloads/{session.picture_key}/{name}/pointprompt-masks.zip"
    )
    more = link_files([photo(tmp_path / "c.png", (1, 1), (3, 3))])

    def attempts(other: str) -> list[Callable[[], object]]:
        key = session.picture_key
        return [
            lambda: service.export(asked, silent, other),
            lambda: service.download_address(asked, path, other),
            lambda: service.tile(key, 0, other),
            lambda: service.colors(key, other),
            lambda: service.download(key, name, other),
            lambda: service.extend(more, "page", silent, other),
            lambda: service.store.of_ticket(session.ticket, other),
        ]

    for other in ("", "you", "m", "me "):
        assert service.predict(asked, other)["error"] == "gone"
        assert service.edges({**asked, "images": [0], "side": 9}, other)["error"] == "gone"
        for attempt in attempts(other):
            with pytest.raises(SessionGone):
                attempt()
    assert path.exists()
    again = service.extend(more, "page", silent, "me")
    assert again.session.visitor == "me"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../../images", "a/b", "x" * 10, "x" * 12, "é" * 11]
)
def test_a_download_is_found_by_a_name_that_is_no_path(service, photos, name):
    session = analyzed(service, photos)
    with pytest.raises(ValueError, match="name"):
        service.download(session.picture_key, name, "")


def test_looking_for_a_download_leaves_nothing_on_the_disk(service, photos):
    session = analyzed(service, photos)
    assert not service.download(session.picture_key, "x" * 11, "").exists()
    assert not (session.folder / "exports").exists()


def test_images_that_cannot_be_used_are_named_and_the_others_go_on(service, photos, tmp_path):
    broken = tmp_path / "in" / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff this is no photo")
    text = tmp_path / "in" / "notes.txt"
    text.write_text("no image")
    files = [broken, photos[0], text, photos[1], photos[0]]
    session, rejected, added = service.analyze(link_files(files), REQUEST, "page", silent)
    assert added == 2
    assert [one.name for one in session.analysis.photos] == ["a.png", "b.png"]
    assert [one.name for one in rejected] == ["broken.jpg", "notes.txt", "a.png"]
    assert "room for only 4 of the images" in rejected[-1].reason
    np.testing.assert_array_equal(
        token_masks(service.predict(message(session, ON_RED)), 2), expected(photos, RED)
    )


def test_two_files_of_one_name_are_two_images(service, tmp_path):
    files = [
        photo(tmp_path / "one" / "same.png", (0, 0), (3, 3)),
        photo(tmp_path / "two" / "same.png", (2, 1), (0, 3)),
    ]
    session = analyzed(service, files)
    assert len({one.name for one in session.analysis.photos}) == 2
    np.testing.assert_array_equal(
        token_masks(service.predict(message(session, ON_RED)), 2), expected(files, RED)
    )


def test_freeing_a_session_leaves_the_uploaded_files_alone(service, photos):
    before = [file.read_bytes() for file in photos]
    session = analyzed(service, photos)
    service.store.drop(session.token)
    assert not session.folder.exists()
    assert [file.read_bytes() for file in photos] == before


def failing_fetch(folder: Path, progress: ProgressFn) -> list[Path]:
    (folder / "half.jpg").write_bytes(b"half a file")
    raise ValueError("The dataset cannot be reached.")


def not_an_image(folder: Path, progress: ProgressFn) -> list[Path]:
    path = folder / "notes.txt"
    path.write_text("no image")
    return [path]


def nothing(folder: Path, progress: ProgressFn) -> list[Path]:
    return []


@pytest.mark.parametrize(
    ("fetch", "error"),
    [
        (failing_fetch, "cannot be reached"),
        (not_an_image, "notes.txt"),
        (nothing, "no images"),
    ],
)
def test_an_analysis_that_fails_leaves_nothing_behind_and_loses_nothing(
    service, photos, fetch: Callable[..., list[Path]], error
):
    session = analyzed(service, photos)
    with pytest.raises(ValueError, match=error):
        service.analyze(fetch, REQUEST, "page", silent)
    assert folders(service) == [session.folder]
    assert service.predict(message(session, ON_RED))["masks"]
    assert session.closed_at is None


@pytest.fixture
def more(tmp_path: Path) -> list[Path]:
    return [photo(tmp_path / "in" / "c.png", (1, 1), (3, 3))]


def test_images_join_a_set_behind_the_others_whose_masks_stay(service, photos, more):
    before = analyzed(service, photos)
    opened = extended(service, more)
    assert [one.name for one in opened.session.analysis.photos] == ["a.png", "b.png", "c.png"]
    assert (opened.added, opened.rejected) == (1, ())
    clicks = (ON_RED, ON_BLUE)
    # All of the old ones first: the old session goes when the page uses the new one.
    old = [token_masks(service.predict(message(before, one, choice={})), 2) for one in clicks]
    for click, masks in zip(clicks, old, strict=True):
        new = token_masks(service.predict(message(opened.session, click, choice={})), 3)
        np.testing.assert_array_equal(new[:2], masks)
    masks = token_masks(service.predict(message(opened.session, ON_RED)), 3)
    np.testing.assert_array_equal(masks, expected([*photos, *more], RED))


def without(service: Service, session: Session, image: int) -> Session:
    return service.remove({"session": session.token, "image": image}, "page", silent)


def test_an_image_is_removed_and_the_masks_of_the_others_stay(service, photos, more):
    before = analyzed(service, [*photos, *more])
    old = token_masks(service.predict(message(before, ON_RED, choice={})), 3)
    session = without(service, before, 1)
    assert [one.name for one in session.analysis.photos] == ["a.png", "c.png"]
    new = token_masks(service.predict(message(session, ON_RED, choice={})), 2)
    np.testing.assert_array_equal(new, old[[0, 2]])
    manifest = service.manifest(session)
    assert manifest["joins"] == before.token
    assert manifest["kept"] == (0, 2)
    assert len(manifest["images"]) == 2
    # The others' pictures are their own.
    for image, whole in enumerate([photos[0], more[0]]):
        np.testing.assert_array_equal(
            read_pixels(session.analysis.photos[image].source), read_pixels(whole)
        )


@pytest.mark.parametrize("image", [-1, 2, 0.5, None, True, 10**9])
def test_an_image_that_is_not_there_is_not_removed(service, photos, image):
    session = analyzed(service, photos)
    with pytest.raises(ValueError, match="image"):
        service.remove({"session": session.token, "image": image}, "page", silent)
    assert folders(service) == [session.folder]
    assert service.predict(message(session, ON_RED))["masks"]


def test_the_last_image_stays(service, photos):
    session = without(service, analyzed(service, photos), 0)
    with pytest.raises(ValueError, match="A set keeps at least one image"):
        without(service, session, 0)


def test_images_that_are_in_the_set_already_are_left_out(service, photos, more, tmp_path):
    analyzed(service, photos)
    with pytest.raises(ImageError, match="in the set already"):
        extended(service, photos)
    # The same picture under another name is the same; another picture under the same name is not.
    again = tmp_path / "again" / "other.png"
    other = photo(tmp_path / "again" / "a.png", (3, 3), (1, 1))
    again.write_bytes(photos[0].read_bytes())
    session, rejected, added = extended(service, [*photos, *more, again, other])
    assert [one.name for one in session.analysis.photos[:3]] == ["a.png", "b.png", "c.png"]
    assert len({one.name for one in session.analysis.photos}) == 4
    assert (added, rejected) == (2, ())


def test_nothing_is_fetched_for_a_set_that_is_full(service, photos, more, tmp_path):
    four = [*photos, *more, photo(tmp_path / "in" / "d.png", (0, 3), (3, 3))]
    analyzed(service, four)

    def fetch(folder: Path, progress: ProgressFn) -> list[Path]:
        raise AssertionError("fetched")

    with pytest.raises(ImageError, match="The set is full"):
        service.extend(fetch, "page", silent)


def test_a_set_takes_no_more_images_than_the_limits_allow(service, photos, more, tmp_path):
    analyzed(service, photos)
    others = [photo(tmp_path / "in" / f"{i}.png", (i, 0), (3, 3)) for i in range(2)]
    session, rejected, added = extended(service, [*more, *others])
    assert (len(session.analysis.photos), added) == (4, 2)
    assert [one.name for one in rejected] == ["1.png"]
    with pytest.raises(ImageError, match="The set is full: it holds 4 images"):
        extended(service, others[1:])


def test_an_extended_session_needs_nothing_of_the_one_before(service, photos, more):
    before = analyzed(service, photos)
    session = extended(service, more).session
    service.store.drop(before.token)
    again = extended(service, [photo(more[0].parent / "d.png", (0, 3), (3, 0))]).session
    service.store.drop(session.token)
    with zipfile.ZipFile(service.export(message(again, ON_RED), silent)) as archive:
        document = json.loads(archive.read("prompt.json"))
    assert document["problems"] == []
    assert len(document["images"]) == 4


def test_only_a_page_that_shows_an_analysis_can_add_to_it(service, photos, more):
    analyzed(service, photos, page="mine")
    with pytest.raises(SessionGone):
        extended(service, more, page="another")


@pytest.mark.parametrize(("fetch", "error"), [(failing_fetch, "reached"), (nothing, "no images")])
def test_an_addition_that_fails_leaves_nothing_behind_and_loses_nothing(
    service, photos, fetch: Callable[..., list[Path]], error
):
    session = analyzed(service, photos)
    with pytest.raises(ValueError, match=error):
        service.extend(fetch, "page", silent)
    assert folders(service) == [session.folder]
    assert service.store.of_page("page") is session


@pytest.mark.parametrize("stage", ["read", "features", "cut", "colors", "open"])
def test_a_cancelled_analysis_leaves_nothing_behind(service, photos, stage):
    def cancel(progress: Progress) -> None:
        if progress.stage == stage:
            raise Cancelled

    with pytest.raises(Cancelled):
        service.analyze(link_files(photos), REQUEST, "page", cancel)
    assert folders(service) == []
    assert len(service.store) == 0


def test_the_steps_of_an_analysis_are_told_in_order(service, photos):
    steps: list[Progress] = []
    service.analyze(link_files(photos), REQUEST, "page", steps.append)
    assert list(dict.fromkeys(step.stage for step in steps)) == [
        "read",
        "features",
        "cut",
        "colors",
        "open",
    ]
    assert Progress("read", 2, 2) in steps
    assert Progress("features", 2, 2) in steps


def test_the_backbone_is_the_one_that_was_chosen(photos, tmp_path, monkeypatch):
    asked = []

    def note(name: str, options: dict[str, object]) -> None:
        asked.append((name, options.pop("input_size"), options.pop("node"), options.pop("layer")))
        assert options.pop("device", None) is None
        assert options == {"progress": silent, "debias": False}

    def get(name: str, **options: object) -> Framing:
        note(name, options)
        return Framing(SIDE)

    def load(name: str, **options: object) -> ColorBackbone:
        note(name, options)
        return ColorBackbone()

    monkeypatch.setattr(backbones, "get", get)
    monkeypatch.setattr(backbones, "load", load)
    service = Service(SessionStore(tmp_path / "sessions"), Limits())
    choice = BackboneRequest("sam_vit_b", input_size=512, node="attn", layer=7)
    session = analyzed(service, photos, choice=choice)
    assert set(asked) == {("sam_vit_b", 512, "attn", 7)}
    # What it really was, not what was asked for, is what more images are described by.
    assert session.analysis.backbone == CHOICE
    asked.clear()
    service.extend(link_files([photo(tmp_path / "c.png", (1, 1), (3, 3))]), "page", silent)
    assert set(asked) == {("color", SIDE, "block", 0)}


def test_a_session_that_is_gone_says_so_and_what_to_do(service, photos):
    session = analyzed(service, photos)
    service.store.drop(session.token)
    gone = service.predict(message(session, ON_RED, seq=9))
    assert gone == {"seq": 9, "error": "gone", "message": GONE}
    with pytest.raises(SessionGone):
        service.export(message(session, ON_RED), silent)


def test_a_click_on_an_image_that_is_not_there_is_answered_with_a_sentence(service, photos):
    session = analyzed(service, photos)
    answer = service.predict(message(session, (2, 0.5, 0.5, True), seq=5))
    assert (answer["seq"], answer["error"]) == (5, "invalid")
    assert "image 2" in answer["message"]


def test_a_token_never_reads_the_session_of_another(service, photos):
    mine = analyzed(service, photos, "mine")
    theirs = analyzed(service, photos[:1], "theirs")
    assert mine.token != theirs.token
    assert not theirs.folder.is_relative_to(mine.folder)
    np.testing.assert_array_equal(
        token_masks(service.predict(message(mine, ON_RED)), 2), expected(photos, RED)
    )
    np.testing.assert_array_equal(
        token_masks(service.predict(message(theirs, ON_BLUE)), 1), expected(photos[:1], BLUE)
    )
    # The second image is only mine.
    assert service.predict(message(theirs, (1, 0.5, 0.5, True)))["error"] == "invalid"
    service.store.drop(theirs.token)
    assert service.predict(message(theirs, ON_RED))["error"] == "gone"
    assert "masks" in service.predict(message(mine, ON_RED))
    for made_up in (
        "",
        "x",
        mine.token[:-1],
        theirs.folder.name,
        mine.folder.name,
        "../" + mine.token,
    ):
        assert "masks" not in service.predict({**message(mine, ON_RED), "session": made_up})


def test_a_download_holds_the_masks_that_are_on_the_screen(service, photos):
    session = analyzed(service, photos)
    asked = message(session, ON_RED, (1, 0.9, 0.9, False))
    on_screen = token_masks(service.predict(asked), 2)
    steps: list[Progress] = []
    path = service.export(asked, steps.append)
    assert path.is_relative_to(session.folder)
    assert path.name == "pointprompt-masks.zip"
    assert steps[-1] == Progress("export", 2, 2)
    with zipfile.ZipFile(path) as archive:
        for index, file in enumerate(photos):
            mask = np.array(Image.open(io.BytesIO(archive.read(f"masks/{file.stem}.png")))) > 0
            assert mask.shape == read_pixels(file).shape[:2]
            np.testing.assert_array_equal(mask, is_color(file, RED))
            small = Image.fromarray(mask).resize((GRID, GRID), Image.Resampling.NEAREST)
            np.testing.assert_array_equal(np.array(small), on_screen[index])
        document = json.loads(archive.read("prompt.json"))
    (thing,) = document["things"]
    assert [click["positive"] for click in thing["clicks"]] == [True, False]
    assert Settings.from_dict(thing["settings"]) == Settings.from_dict(EXACT)


def test_a_download_of_several_things_holds_what_each_is_alone(service, photos):
    session = analyzed(service, photos)
    both = message(session, ON_RED)
    (red,), (blue,) = both["things"], message(session, ON_BLUE)["things"]
    nothing = {**red, "name": "nothing", "clicks": []}
    both["things"] = [{**red, "name": "red"}, {**blue, "name": "blue"}, nothing]
    both["formats"] = ["png", "csv"]
    with zipfile.ZipFile(service.export(both, silent)) as archive:
        for name, color in (("red", RED), ("blue", BLUE)):
            for file in photos:
                member = archive.read(f"masks/{name}/{file.stem}.png")
                mask = np.array(Image.open(io.BytesIO(member))) > 0
                np.testing.assert_array_equal(mask, is_color(file, color))
        assert not any(one.startswith("overlays") for one in archive.namelist())
        document = json.loads(archive.read("prompt.json"))
    # What was not clicked is not there.
    assert [thing["name"] for thing in document["things"]] == ["red", "blue"]
    assert [len(thing["clicks"]) for thing in document["things"]] == [1, 1]
    assert document["exclusive"]


LOCK = {"images": [1], "clicks": [], "settings": EXACT}


def stroke_on(image: int, x: float, y: float, *, adds: bool) -> dict[str, Any]:
    return {"image": image, "adds": adds, "radius": 0.1, "points": [[x, y]]}


def test_a_download_holds_what_was_locked_and_painted_and_nothing_of_what_was_skipped(
    service, photos
):
    session = analyzed(service, photos)
    asked = message(session, ON_RED)
    blue = message(session, ON_BLUE)
    (thing,) = asked["things"]
    thing["locks"] = [{**LOCK, "clicks": blue["clicks"]}]
    thing["strokes"] = [stroke_on(1, 0.5, 0.5, adds=False)]
    asked["skipped"] = [0]
    with zipfile.ZipFile(service.export(asked, silent)) as archive:
        names = archive.namelist()
        member = archive.read(f"masks/{photos[1].stem}.png")
        document = json.loads(archive.read("prompt.json"))
    assert not [name for name in names if photos[0].stem in name.split("/")[-1].split(".")]
    mask = np.array(Image.open(io.BytesIO(member))) > 0
    stroke = Stroke(1, adds=False, radius=0.1, points=((0.5, 0.5),))
    expected = painted(is_color(photos[1], BLUE), [stroke], mask.shape)
    np.testing.assert_array_equal(mask, expected)
    assert [image.get("skipped", False) for image in document["images"]] == [True, False]
    # And what it says is opened as it was.
    opened = service.open_prompt({"session": session.token, "text": json.dumps(document)})
    assert opened["skipped"] == (0,)
    assert opened["things"][0]["locks"][0]["images"] == (1,)
    assert opened["things"][0]["locks"][0]["settings"] == Settings.from_dict(EXACT).as_dict()
    assert opened["things"][0]["strokes"][0]["points"] == ((0.5, 0.5),)


def test_masks_and_edges_of_a_locked_image_are_those_of_its_lock(service, photos):
    session = analyzed(service, photos)
    blue = message(session, ON_BLUE)
    asked = {**message(session, ON_RED), "locks": [{**LOCK, "clicks": blue["clicks"]}]}
    found, red, locked = (
        token_masks(service.predict(one), len(photos))
        for one in (asked, message(session, ON_RED), blue)
    )
    np.testing.assert_array_equal(found[0], red[0])
    np.testing.assert_array_equal(found[1], locked[1])
    edges = {"images": [0, 1]}
    edged = outlined_masks(service.edges({**asked, **edges}))
    for image, made in enumerate((message(session, ON_RED), blue)):
        alone = outlined_masks(service.edges({**made, **edges}))
        np.testing.assert_array_equal(edged[image], alone[image])


def test_what_is_painted_alone_is_downloaded_too(service, photos):
    session = analyzed(service, photos)
    asked = message(session)
    asked["things"][0]["strokes"] = [stroke_on(0, 0.5, 0.5, adds=True)]
    with zipfile.ZipFile(service.export(asked, silent)) as archive:
        masks = [
            np.array(Image.open(io.BytesIO(archive.read(f"masks/{file.stem}.png"))))
            for file in photos
        ]
    assert [bool(mask.any()) for mask in masks] == [True, *[False] * (len(photos) - 1)]


def test_nothing_is_downloaded_without_a_click(service, photos):
    session = analyzed(service, photos)
    with pytest.raises(ValueError, match="click a thing first"):
        service.export(message(session), silent)


@pytest.mark.parametrize("rule", RULES)
def test_a_download_with_edges_holds_the_masks_with_edges_that_are_on_the_screen(
    service, photos, rule
):
    session = analyzed(service, photos)
    asked = message(session, ON_RED, (1, 0.9, 0.9, False), choice={"rule": {"name": rule}})
    with zipfile.ZipFile(service.export(asked, silent)) as archive:
        for index, file in enumerate(photos):
            mask = np.array(Image.open(io.BytesIO(archive.read(f"masks/{file.stem}.png")))) > 0
            shown = service.edges({**asked, "images": [index], "side": max(mask.shape)})
            np.testing.assert_array_equal(mask, outlined_masks(shown)[index])


def test_a_download_has_an_address_of_its_own_and_the_one_before_may_still_be_on_its_way(
    service, photos
):
    session = analyzed(service, photos)
    paths = [service.export(message(session, ON_RED), silent) for _ in range(4)]
    assert len(set(paths)) == 4
    assert [path.exists() for path in paths] == [False, False, True, True]


def exported_files(session: Session) -> list[Path]:
    return [path for path in (session.folder / "exports").rglob("*") if path.is_file()]


def test_two_downloads_of_one_session_at_once_are_both_whole(service, photos):
    session = analyzed(service, photos)
    started, goes_on = threading.Event(), threading.Event()

    def slow(progress: Progress) -> None:
        started.set()
        assert goes_on.wait(PATIENCE)

    first: list[Path] = []
    writing = threading.Thread(
        target=lambda: first.append(service.export(message(session, ON_RED), slow))
    )
    writing.start()
    assert started.wait(PATIENCE)
    second = service.export(message(session, ON_BLUE), silent)
    goes_on.set()
    writing.join(PATIENCE)
    for path, color in ((first[0], RED), (second, BLUE)):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            mask = np.array(Image.open(io.BytesIO(archive.read("masks/a.png")))) > 0
        np.testing.assert_array_equal(mask, is_color(photos[0], color))


def test_a_download_that_is_being_written_has_no_name_yet_and_a_cancelled_one_leaves_nothing(
    service, photos
):
    session = analyzed(service, photos)

    def cancel(progress: Progress) -> None:
        names = [path.name for path in exported_files(session)]
        assert len(names) == 1
        assert names[0] != addresses.DOWNLOAD_NAME
        raise Cancelled

    with pytest.raises(Cancelled):
        service.export(message(session, ON_RED), cancel)
    assert exported_files(session) == []


def test_a_download_goes_on_though_its_page_is_closed_and_others_need_the_memory(photos, tmp_path):
    store = SessionStore(tmp_path / "sessions", Lifetimes(closed_seconds=0, max_bytes=1))
    service = Service(store, Limits(max_images=4), ColorEngine())
    session = analyzed(service, photos, page="closed")

    def meanwhile(progress: Progress) -> None:
        store.close_page("closed")
        analyzed(service, photos, page="other")

    path = service.export(message(session, ON_RED), meanwhile)
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("prompt.json"))["problems"] == []
    store.sweep()
    assert not session.folder.exists()


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/a/path/of/the/server")


def test_a_disk_that_is_full_leaves_no_half_download_and_the_one_before(
    service, photos, monkeypatch
):
    session = analyzed(service, photos)
    before = service.export(message(session, ON_RED), silent)
    content = before.read_bytes()

    def fill_after_one(progress: Progress) -> None:
        monkeypatch.setattr(zipfile.ZipFile, "writestr", full_disk)

    with pytest.raises(OSError, match="No space") as raised:
        service.export(message(session, ON_RED), fill_after_one)
    assert raised.value.errno == errno.ENOSPC
    monkeypatch.undo()
    assert exported_files(session) == [before]
    assert before.read_bytes() == content
    assert service.predict(message(session, ON_RED))["masks"]


def test_a_disk_that_is_full_leaves_nothing_of_an_analysis_and_the_one_before(
    service, photos, monkeypatch
):
    session = analyzed(service, photos)
    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space"):
        analyzed(service, photos)
    with pytest.raises(OSError, match="No space"):
        extended(service, [photo(photos[0].parent / "c.png", (1, 1), (3, 3))])
    monkeypatch.undo()
    assert folders(service) == [session.folder]
    assert service.store.of_page("page") is session
    assert service.predict(message(session, ON_RED))["masks"]


@pytest.mark.parametrize("wrong", [None, {}, {"session": "x"}, {"session": 1, "clicks": []}])
def test_a_malformed_download_is_an_error_with_a_sentence(service, wrong):
    with pytest.raises(wire.WireError):
        service.export(wrong, silent)


@pytest.fixture(scope="module")
def open_session(
    no_tsne: None, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Service, Session]:
    folder = tmp_path_factory.mktemp("open")
    service = Service(SessionStore(folder / "sessions"), Limits(), ColorEngine())
    return service, analyzed(service, [photo(folder / "a.png", (0, 0), (3, 2))])


@given(hostile=MESSAGES, knows_token=st.booleans())
def test_whatever_the_page_sends_is_answered_under_its_number(open_session, hostile, knows_token):
    service, session = open_session
    if knows_token and isinstance(hostile, dict):
        hostile = {**hostile, "session": session.token}
    for answer in (service.predict(hostile), service.edges(hostile)):
        assert answer["seq"] == parsing.seq_of(hostile)
        assert ("masks" in answer) != ("error" in answer)
        # It can be sent: as JSON without NaN, and as UTF-8.
        json.dumps(answer, allow_nan=False, ensure_ascii=False).encode()


def test_linked_files_keep_their_order_and_their_names(photos, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    paths = link_files([photos[1], str(photos[0])])(folder, silent)
    assert [path.name for path in paths] == ["b.png", "a.png"]
    assert all(path.is_relative_to(folder) for path in paths)
    assert [path.read_bytes() for path in paths] == [photos[1].read_bytes(), photos[0].read_bytes()]


def test_where_files_cannot_be_linked_they_are_copied(photos, tmp_path, monkeypatch):
    def refuse(source: Path, target: Path) -> None:
        raise OSError("Another file system.")

    monkeypatch.setattr("os.link", refuse)
    folder = tmp_path / "images"
    folder.mkdir()
    (path,) = link_files(photos[:1])(folder, silent)
    assert path.read_bytes() == photos[0].read_bytes()


def test_frames_of_a_video_are_a_set_and_join_one_as_far_as_there_is_room(
    service: Service, photos: list[Path], tmp_path: Path
) -> None:
    clip = write_video(tmp_path / "clip.mp4", 40)
    notes: list[str] = []
    fetch = service.fetch_files([photos[0], clip], 30.0, notes.append)
    session = service.analyze(fetch, REQUEST, "page", silent).session
    names = [photo.name for photo in session.analysis.photos]
    assert names == ["a.png", "clip-0000.jpg", "clip-0030.jpg"]
    assert notes == []
    # The set may have four images.
    fetch = service.fetch_files([clip], 10.0, notes.append, "page")
    opened = service.extend(fetch, "page", silent)
    # Of frames 0, 10, 20 and 30, two are there already.
    assert [photo.name for photo in opened.session.analysis.photos] == [*names, "clip-0010.jpg"]
    assert notes == ["clip.mp4: the set had room for only 1 of 2 frames."]
    assert opened.rejected == ()


def test_the_pictures_of_an_example_are_made_when_they_are_fetched(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (9, 12, 3), np.uint8)
    made: list[str] = []

    def load() -> np.ndarray:
        made.append("now")
        return pixels

    example = ExampleSet("key", "Title", "About", "Credits", (ExampleImage("one.png", load),))
    fetch = make_files(example)
    assert made == []
    (path,) = fetch(tmp_path, silent)
    assert path == tmp_path / "one.png"
    np.testing.assert_array_equal(read_pixels(path), pixels)


def test_progress_of_fetching_is_told_as_such():
    told: list[Progress] = []
    as_fetching(told.append)(Progress("read", 3, 9))
    assert told == [Progress("fetch", 3, 9)]


def test_no_image_at_all_is_an_error_of_images(service):
    with pytest.raises(ImageError):
        service.analyze(nothing, REQUEST, "page", silent)


def test_images_that_join_bring_what_crisp_masks_need_or_nobody_has_it(photos, more, tmp_path):
    engine = ColorEngine(crisp=True)
    service = Service(SessionStore(tmp_path / "crisp"), Limits(max_images=4), engine)
    assert analyzed(service, photos).analysis.image_embeddings.shape == (2, 64, 64, 256)
    joined = extended(service, more).session.analysis
    assert joined.image_embeddings.shape == (3, 64, 64, 256)
    engine.crisp = False
    other = photo(tmp_path / "in" / "d.png", (2, 2), (0, 0))
    assert extended(service, [other]).session.analysis.image_embeddings is None


def test_crisp_masks_that_cannot_be_drawn_are_an_answer_with_a_sentence(service, photos):
    session = analyzed(service, photos)
    asked = message(session, ON_RED, choice={"outline": "sam"}) | {"images": [0], "side": 64}
    answer = service.edges(asked)
    assert answer["error"] == "invalid"
    assert "SAM's own mask decoder" in answer["message"]


class Gate:
    """Holds up whoever comes by, until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def pass_by(self) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE)


@dataclass
class GatedEngine(ColorEngine):
    """The first analysis that gets there is held up in the middle of its computing."""

    gate: Gate = field(default_factory=Gate)
    threads: list[int] = field(default_factory=list)

    def compute(self, *args: Any, **kwargs: Any) -> Computed:
        self.threads.append(threading.get_ident())
        if len(self.threads) == 1:
            self.gate.pass_by()
        return super().compute(*args, **kwargs)


@pytest.fixture
def gated(tmp_path: Path) -> Iterator[tuple[Service, GatedEngine]]:
    engine = GatedEngine()
    yield Service(SessionStore(tmp_path / "sessions"), Limits(max_images=4), engine), engine
    engine.gate.opened.set()


def job_of(service: Service, fetch: Any, page: str) -> Job[Opened]:
    return Job(lambda progress: service.analyze(fetch, REQUEST, page, progress))


def stages_until(job: Job[Opened], wanted: Progress) -> None:
    for progress in job.progress():
        if progress == wanted:
            return
    raise AssertionError("It ended before.")


def test_who_waits_for_the_analyses_of_others_is_told_how_many(gated, photos):
    service, engine = gated
    first = job_of(service, link_files(photos), "a")
    assert engine.gate.reached.wait(PATIENCE)
    second = job_of(service, link_files(photos), "b")
    stages_until(second, Progress("wait", 0, 1))
    third = job_of(service, link_files(photos), "c")
    stages_until(third, Progress("wait", 0, 2))
    second.cancel()
    stages_until(third, Progress("wait", 0, 1))
    engine.gate.opened.set()
    assert len(first.result().session.analysis.photos) == 2
    assert len(third.result().session.analysis.photos) == 2
    with pytest.raises(Cancelled):
        second.result()
    # All computing is one thread's, whoever it is for.
    assert len(engine.threads) == 2
    assert len(set(engine.threads)) == 1


def test_nobody_waits_for_the_fetching_of_others(service, photos):
    gate = Gate()

    def dripping(folder: Path, progress: ProgressFn) -> Sequence[Path]:
        gate.pass_by()
        return link_files(photos)(folder, progress)

    slow = job_of(service, dripping, "a")
    assert gate.reached.wait(PATIENCE)
    assert len(job_of(service, link_files(photos), "b").result().session.analysis.photos) == 2
    gate.opened.set()
    slow.result()


def test_nobody_waits_for_the_download_of_weights_of_others(photos, tmp_path):
    gate = Gate()

    class DownloadingEngine(ColorEngine):
        def prepare(self, choice: BackboneRequest, progress: ProgressFn) -> Framing:
            if choice.name == "large":
                gate.pass_by()
            return Framing(SIDE)

    service = Service(SessionStore(tmp_path / "sessions"), Limits(), DownloadingEngine())
    large = BackboneRequest("large")
    slow = Job(lambda progress: service.analyze(link_files(photos), large, "a", progress))
    assert gate.reached.wait(PATIENCE)
    assert job_of(service, link_files(photos), "b").result().added == 2
    gate.opened.set()
    slow.result()


def test_a_download_of_masks_does_not_wait_for_an_analysis(gated, photos):
    service, engine = gated
    engine.threads.append(0)  # This one is not held up.
    session = job_of(service, link_files(photos), "a").result().session
    engine.threads.clear()
    slow = job_of(service, link_files(photos), "b")
    assert engine.gate.reached.wait(PATIENCE)
    assert service.export(message(session, ON_RED), silent).exists()
    engine.gate.opened.set()
    slow.result()


@pytest.mark.parametrize("where", ["fetch", "compute"])
def test_a_job_cancelled_in_the_middle_of_a_step_ends_at_once_and_opens_no_session(
    gated, photos, where
):
    service, engine = gated
    gate = engine.gate
    if where == "fetch":
        gate = Gate()
        engine.gate.opened.set()

    def fetch(folder: Path, progress: ProgressFn) -> Sequence[Path]:
        if where == "fetch":
            gate.pass_by()
        return link_files(photos)(folder, progress)

    job = job_of(service, fetch, "page")
    assert gate.reached.wait(PATIENCE)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result()
    gate.opened.set()
    # Behind it in the line: when this one is done, so is that one.
    other = job_of(service, link_files(photos), "other").result().session
    for _ in range(PATIENCE * 100):
        if folders(service) == [other.folder]:
            break
        threading.Event().wait(0.01)
    assert folders(service) == [other.folder]
    assert len(service.store) == 1
    with pytest.raises(SessionGone):
        service.store.of_page("page")


def test_sets_that_do_not_fit_into_memory_together_come_one_after_the_other(
    gated, photos, monkeypatch
):
    service, engine = gated
    monkeypatch.setattr(service, "_sets", Turns(1000))
    read: list[str] = []

    def fetch_for(page: str) -> Any:
        def fetch(folder: Path, progress: ProgressFn) -> Sequence[Path]:
            return link_files(photos)(folder, progress)

        return fetch

    def analyze(page: str) -> Job[Opened]:
        def note(progress: Progress, tell: ProgressFn) -> None:
            if progress.stage == "read":
                read.append(page)
            tell(progress)

        return Job(
            lambda tell: service.analyze(
                fetch_for(page), REQUEST, page, lambda progress: note(progress, tell)
            )
        )

    first = analyze("a")
    assert engine.gate.reached.wait(PATIENCE)
    second = analyze("b")
    stages_until(second, Progress("wait", 0, 1))
    assert set(read) == {"a"}
    engine.gate.opened.set()
    assert first.result().added == second.result().added == 2
    assert set(read) == {"a", "b"}


def test_images_are_read_in_other_processes_where_there_are_any(photos, tmp_path):
    readers = Readers()
    service = Service(SessionStore(tmp_path / "s"), Limits(), ColorEngine(), readers)
    broken = tmp_path / "in" / "broken.png"
    broken.write_bytes(photos[0].read_bytes()[:60])
    try:
        opened = service.analyze(link_files([*photos, broken]), REQUEST, "page", silent)
    finally:
        readers.close()
    assert [one.name for one in opened.session.analysis.photos] == ["a.png", "b.png"]
    assert [one.name for one in opened.rejected] == ["broken.png"]
    np.testing.assert_array_equal(
        token_masks(service.predict(message(opened.session, ON_RED)), 2), expected(photos, RED)
    )


@pytest.mark.parametrize(("first", "last"), [("tab", "copy"), ("copy", "tab")])
def test_a_duplicated_tab_and_its_original_both_work_whichever_closes_first(
    photos, tmp_path, first, last
):
    """Defect 5: the original lost its session to the copy, and with it."""
    store = SessionStore(tmp_path / "sessions", Lifetimes(closed_seconds=0))
    service = Service(store, Limits(max_images=4), ColorEngine())
    session = analyzed(service, photos, page="tab")
    store.attach(session.token, "copy")
    store.close_page(first)
    store.sweep()
    np.testing.assert_array_equal(
        token_masks(service.predict(message(session, ON_RED)), 2), expected(photos, RED)
    )
    assert service.tile(session.picture_key, 0, "").exists()
    assert service.export(message(session, ON_RED), silent).exists()
    more = photo(tmp_path / "in" / "c.png", (1, 1), (3, 3))
    assert len(extended(service, [more], page=last).session.analysis.photos) == 3


def test_both_tabs_can_add_images_and_neither_sees_those_of_the_other(service, photos, more):
    session = analyzed(service, photos, page="tab")
    service.store.attach(session.token, "copy")
    mine = extended(service, more, page="tab").session
    other = photo(more[0].parent / "d.png", (0, 3), (3, 0))
    theirs = extended(service, [other], page="copy").session
    assert [one.name for one in mine.analysis.photos] == ["a.png", "b.png", "c.png"]
    assert [one.name for one in theirs.analysis.photos] == ["a.png", "b.png", "d.png"]
    for one in (mine, theirs):
        assert "masks" in service.predict(message(one, ON_RED))


@pytest.mark.parametrize("size", [50_000, -1, 513])
def test_an_input_size_that_the_backbone_does_not_have_is_refused_before_anything_is_read(
    photos, tmp_path, size
):
    service = Service(SessionStore(tmp_path / "sessions"), Limits())
    choice = BackboneRequest(backbones.BUILTIN, input_size=size)
    with pytest.raises(backbones.BackboneError, match="input_size"):
        service.analyze(link_files(photos), choice, "page", silent)


def opened(service: Service, session: Session, text: str, visitor: str = "") -> dict[str, Any]:
    return service.open_prompt({"session": session.token, "text": text}, visitor)


def test_the_prompt_file_of_a_download_is_read_again(service, photos):
    session = analyzed(service, photos)
    asked = message(session, ON_RED, (1, 0.9, 0.9, False))
    with zipfile.ZipFile(service.export(asked, silent)) as archive:
        answer = opened(service, session, archive.read("prompt.json").decode())
    (thing,) = answer["things"]
    assert [click["positive"] for click in thing["clicks"]] == [True, False]
    # As the page sends it, so that the same is asked again.
    assert Settings.from_dict(thing["settings"]) == Settings.from_dict(EXACT)
    assert thing["settings"]["rule"]["name"] == "tutorial"
    assert answer["exclusive"]
    assert [image["name"] for image in answer["images"]] == [file.name for file in photos]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not JSON"),
        ("{}", "not a prompt file"),
        ('{"format": "pointprompt", "version": 99, "things": []}', "version 99"),
        (
            '{"format": "pointprompt", "version": 3, "things": [{"name": "cat", "color": [1, 2], '
            '"clicks": [], "settings": {}}]}',
            r"things\[0\].color",
        ),
        (
            '{"format": "pointprompt", "version": 3, "things": [{"name": "cat", '
            '"color": [1, 2, 3], "clicks": [{"image": 9, "x": 0, "y": 0, "positive": true}], '
            '"settings": {}}]}',
            "image that is not there",
        ),
    ],
)
def test_what_is_no_prompt_file_is_said_by_its_place(service, photos, text, sentence):
    answer = opened(service, analyzed(service, photos), text)
    assert answer["error"] == "invalid"
    assert re.search(sentence, answer["message"])


def test_a_prompt_file_is_read_for_who_has_a_set(service, photos):
    session = analyzed(service, photos)
    assert opened(service, session, "{}")["error"] == "invalid"
    assert service.open_prompt({"session": "made up", "text": "{}"})["error"] == "gone"
    assert service.open_prompt({"session": session.token, "text": 3})["error"] == "invalid"


def recipe_of_red(service: Service, photos: Sequence[Path]) -> bytes:
    """The recipe of the red squares, as a download has it."""
    session = analyzed(service, photos, "other page")
    asked = {**message(session, ON_RED, choice={}), "formats": ["recipe"]}
    with zipfile.ZipFile(service.export(asked, silent)) as archive:
        return archive.read("recipe.safetensors")


def opened_on(service: Service, session: Session, recipe: bytes) -> Opened:
    data = base64.b64encode(recipe).decode()
    return service.open_recipe({"session": session.token, "data": data}, "page", silent)


def opened_things(service: Service, session: Session) -> list[dict[str, Any]]:
    """What the page is told that a recipe wants."""
    manifest = json.loads(json.dumps(service.manifest(session, is_opened=True)))
    things: list[dict[str, Any]] = manifest["opened"]["things"]
    return things


def asked_of(session: Session, thing: dict[str, Any], *clicks: dict[str, Any]) -> dict[str, Any]:
    settings = {**thing["settings"], "outline": "tokens"}
    return {**message(session), "clicks": [*thing["clicks"], *clicks], "settings": settings}


def test_a_recipe_is_opened_on_the_images_of_a_page_and_clicks_go_on_from_it(
    service, photos, more, tmp_path
):
    recipe = recipe_of_red(service, photos)
    before = analyzed(service, more)
    session = opened_on(service, before, recipe).session
    manifest = json.loads(json.dumps(service.manifest(session, is_opened=True)))
    (thing,) = manifest["opened"]["things"]
    assert (manifest["joins"], manifest["kept"]) == (before.token, list(range(len(more))))
    assert thing["settings"]["rule"]["concept"]
    assert service.manifest(session)["opened"] is None
    n = len(more)
    masks = token_masks(service.predict(asked_of(session, thing)), n)
    applied = apply(decode(recipe), more, engine=ColorEngine())
    for mask, one in zip(masks, applied, strict=True):
        np.testing.assert_array_equal(mask, one.predictions["mask"].token_masks[0])
    assert masks.any(axis=(1, 2)).all()
    # Its first tile lies on no red square; it joins them, and stays where images come and go.
    click = {"image": 0, "x": 0.99, "y": 0.01, "positive": True}
    further = token_masks(service.predict(asked_of(session, thing, click)), n)
    assert not masks[0, 0, -1]
    assert further[0, 0, -1]
    longer = extended(service, photos).session
    again = token_masks(service.predict(asked_of(longer, thing, click)), n + len(photos))
    np.testing.assert_array_equal(again[:n], further)
    shorter = service.remove({"session": longer.token, "image": n - 1}, "page", silent)
    again = token_masks(service.predict(asked_of(shorter, thing, click)), n - 1 + len(photos))
    np.testing.assert_array_equal(again[: n - 1], further[: n - 1])


def test_a_download_after_a_recipe_holds_its_masks_and_a_recipe_of_its_own(service, photos, more):
    recipe = recipe_of_red(service, photos)
    session = opened_on(service, analyzed(service, more), recipe).session
    (thing,) = opened_things(service, session)
    asked = {**message(session), "things": [thing], "formats": ["recipe", "indexed"]}
    with zipfile.ZipFile(service.export(asked, silent)) as archive:
        again = decode(archive.read("recipe.safetensors"))
        text = archive.read("prompt.json").decode()
    assert again.things[0].concept.tokens.codes.tolist() == (
        decode(recipe).things[0].concept.tokens.codes.tolist()
    )
    # The prompt file goes on from the recipe, where that is open, and nowhere else.
    opened = service.open_prompt({"session": session.token, "text": text})
    assert json.loads(json.dumps(opened["things"])) == [thing]
    elsewhere = analyzed(service, more, "third page")
    refused = service.open_prompt({"session": elsewhere.token, "text": text})
    assert "Open its file again" in refused["message"]
    refused = service.predict(asked_of(elsewhere, thing))
    assert "Open its file again" in refused["message"]


def test_on_the_images_it_was_made_on_a_recipe_is_its_clicks(service, photos):
    recipe = recipe_of_red(service, photos)
    session = opened_on(service, analyzed(service, photos), recipe).session
    (thing,) = opened_things(service, session)
    assert [click["image"] for click in thing["clicks"]] == [0]
    assert thing["settings"]["rule"]["concept"] == ""


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "must show its data"),
        ("%%%", "must hold the content of a recipe"),
        (base64.b64encode(b"{}").decode(), "This is not a recipe"),
        (None, "must show its data"),
    ],
)
def test_what_is_no_recipe_is_refused_and_the_set_stays(service, photos, data, said):
    session = analyzed(service, photos)
    with pytest.raises(ValueError, match=said):
        service.open_recipe({"session": session.token, "data": data}, "page", silent)
    assert service.store.of_page("page", "") is session


def test_a_recipe_of_other_weights_is_refused(service, photos, more, monkeypatch):
    recipe = recipe_of_red(service, photos)
    session = analyzed(service, more)
    monkeypatch.setattr(ColorEngine, "identity", lambda *_: "f" * 64)
    with pytest.raises(ValueError, match="are not those that the recipe was made with"):
        opened_on(service, session, recipe)
    assert len(folders(service)) == 2
