from __future__ import annotations

import base64
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pointprompt import backbones, pipeline
from pointprompt.backbones.base import Encoded
from pointprompt.examples import ExampleImage, ExampleSet
from pointprompt.images import ImageError, Limits, read_pixels
from pointprompt.sessions import Session, SessionGone, SessionStore
from pointprompt.types import RULES, BackboneChoice, Progress, ProgressFn, Settings
from pointprompt.ui import wire
from pointprompt.ui.jobs import Cancelled
from pointprompt.ui.service import (
    GONE,
    Opened,
    Service,
    as_fetching,
    link_files,
    make_files,
)
from tests.hostile import MESSAGES

GREY, RED, BLUE = (128, 128, 128), (220, 30, 30), (30, 30, 220)
SIDE = 64
GRID = 16
CHOICE = BackboneChoice("color", "block", 0, SIDE)
# What is masked is known exactly by the tutorial's rule. The images have three colours, so three
# eigenvectors tell all that there is to tell.
EXACT = {"rule": "tutorial", "edges": False, "n_eigvecs": 3, "threshold": 0.3}


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

    def prepare(self, choice: BackboneChoice, progress: ProgressFn) -> int:
        return SIDE

    def compute(
        self,
        squares: np.ndarray,
        choice: BackboneChoice,
        fitted: pipeline.Fitted | None,
        progress: ProgressFn,
    ) -> pipeline.Computed:
        return pipeline.compute(
            squares, ColorBackbone(crisp=self.crisp), fitted=fitted, progress=progress
        )


@pytest.fixture(scope="module", autouse=True)
def no_tsne() -> Iterator[None]:
    """A colour view that takes no time."""

    def grey(eigvecs: np.ndarray, *, seed: int = 0) -> np.ndarray:
        return np.full((*eigvecs.shape[:3], 3), 128, np.uint8)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "tsne_colors", grey)
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
    service: Service, files: Sequence[Path], page: str = "page", choice: BackboneChoice = CHOICE
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
    names = ("image", "x", "y", "positive")
    return {
        "session": session.token,
        "seq": seq,
        "clicks": [dict(zip(names, click, strict=True)) for click in clicks],
        "settings": choice,
        "side": 4096,
    }


def token_masks(answer: dict[str, Any], n: int) -> np.ndarray:
    packed = np.frombuffer(zlib.decompress(base64.b64decode(answer["masks"])), np.uint8)
    return np.unpackbits(packed).reshape(n, GRID, GRID).astype(bool)


def edged_masks(answer: dict[str, Any]) -> dict[int, np.ndarray]:
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


def test_more_strength_takes_more_in(service, photos):
    session = analyzed(service, photos)
    areas = [
        token_masks(
            service.predict(message(session, ON_RED, choice={"strength": strength})), 2
        ).sum()
        for strength in (0, 0.5, 1)
    ]
    assert areas == sorted(areas)
    assert areas[0] < areas[2]


def test_edges_come_at_the_size_of_the_tile_and_only_for_the_images_asked_for(service, photos):
    session = analyzed(service, photos)
    asked = {**message(session, ON_RED, seq=8, choice={**EXACT, "edges": True}), "images": [1]}
    answer = service.edges(asked)
    assert answer["seq"] == 8
    ((image, mask),) = edged_masks(answer).items()
    assert image == 1
    red = is_color(photos[1], RED)
    assert mask.shape == red.shape
    # The border of tokens is that of the blob here; what is a token less, edges must not lose.
    assert overlap(mask, red) > 0.9
    both = edged_masks(service.edges({**asked, "images": [1, 0]}))
    assert list(both) == [1, 0]
    np.testing.assert_array_equal(both[1], mask)


def test_edges_of_a_large_photo_have_the_size_of_its_preview(service, tmp_path):
    large = photo(tmp_path / "in" / "large.png", (0, 0), (3, 2), size=2048)
    session = analyzed(service, [large])
    asked = {**message(session, ON_RED, choice={**EXACT, "edges": True}), "images": [0]}
    mask = edged_masks(service.edges(asked))[0]
    assert mask.shape == (1024, 1024)
    assert overlap(mask, is_color(large, RED)[::2, ::2]) > 0.9


def test_edges_without_a_click_are_empty(service, photos):
    session = analyzed(service, photos)
    answer = service.edges({**message(session, choice={}), "images": [0, 1]})
    assert [mask.any() for mask in edged_masks(answer).values()] == [False, False]


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
    assert manifest["grid"] == [GRID, GRID]
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
    session = service.analyze(fetch, CHOICE, "page", silent, "me").session
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


def test_images_that_cannot_be_used_are_named_and_the_others_go_on(service, photos, tmp_path):
    broken = tmp_path / "in" / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff this is no photo")
    text = tmp_path / "in" / "notes.txt"
    text.write_text("no image")
    files = [broken, photos[0], text, photos[1], photos[0]]
    session, rejected, added = service.analyze(link_files(files), CHOICE, "page", silent)
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
        service.analyze(fetch, CHOICE, "page", silent)
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
    for click in (ON_RED, ON_BLUE):
        old = token_masks(service.predict(message(before, click, choice={})), 2)
        new = token_masks(service.predict(message(opened.session, click, choice={})), 3)
        np.testing.assert_array_equal(new[:2], old)
    masks = token_masks(service.predict(message(opened.session, ON_RED)), 3)
    np.testing.assert_array_equal(masks, expected([*photos, *more], RED))


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


@pytest.mark.parametrize("stage", ["read", "features", "cut", "colors"])
def test_a_cancelled_analysis_leaves_nothing_behind(service, photos, stage):
    def cancel(progress: Progress) -> None:
        if progress.stage == stage:
            raise Cancelled

    with pytest.raises(Cancelled):
        service.analyze(link_files(photos), CHOICE, "page", cancel)
    assert folders(service) == []
    assert len(service.store) == 0


def test_the_steps_of_an_analysis_are_told_in_order(service, photos):
    steps: list[Progress] = []
    service.analyze(link_files(photos), CHOICE, "page", steps.append)
    assert list(dict.fromkeys(step.stage for step in steps)) == [
        "read",
        "features",
        "cut",
        "colors",
    ]
    assert Progress("read", 2, 2) in steps
    assert Progress("features", 2, 2) in steps


def test_the_backbone_is_the_one_that_was_chosen(photos, tmp_path, monkeypatch):
    asked = []

    def load(name: str, **options: object) -> ColorBackbone:
        asked.append((name, options.pop("input_size"), options.pop("node"), options.pop("layer")))
        assert options == {"progress": silent}
        return ColorBackbone()

    monkeypatch.setattr(backbones, "load", load)
    service = Service(SessionStore(tmp_path / "sessions"), Limits())
    choice = BackboneChoice("sam_vit_b", input_size=512, node="attn", layer=7)
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
    assert [click["positive"] for click in document["prompt"]["clicks"]] == [True, False]
    assert document["settings"] == {**asdict(Settings()), **EXACT}


@pytest.mark.parametrize("rule", RULES)
def test_a_download_with_edges_holds_the_masks_with_edges_that_are_on_the_screen(
    service, photos, rule
):
    session = analyzed(service, photos)
    asked = message(session, ON_RED, (1, 0.9, 0.9, False), choice={"rule": rule})
    on_screen = edged_masks(service.edges({**asked, "images": [0, 1]}))
    with zipfile.ZipFile(service.export(asked, silent)) as archive:
        for index, file in enumerate(photos):
            mask = np.array(Image.open(io.BytesIO(archive.read(f"masks/{file.stem}.png")))) > 0
            np.testing.assert_array_equal(mask, on_screen[index])


def test_a_second_download_has_an_address_of_its_own_and_takes_the_firsts_place(service, photos):
    session = analyzed(service, photos)
    paths = [service.export(message(session, ON_RED), silent) for _ in range(2)]
    assert paths[0] != paths[1]
    assert [path.exists() for path in paths] == [False, True]


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


@settings(deadline=None)
@given(hostile=MESSAGES, knows_token=st.booleans())
def test_whatever_the_page_sends_is_answered_under_its_number(open_session, hostile, knows_token):
    service, session = open_session
    if knows_token and isinstance(hostile, dict):
        hostile = {**hostile, "session": session.token}
    for answer in (service.predict(hostile), service.edges(hostile)):
        assert answer["seq"] == wire.seq_of(hostile)
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
        service.analyze(nothing, CHOICE, "page", silent)


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
    asked = message(session, ON_RED, choice={"crisp": True}) | {"images": [0], "side": 64}
    answer = service.edges(asked)
    assert answer["error"] == "invalid"
    assert "SAM's own mask decoder" in answer["message"]
