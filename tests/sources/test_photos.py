from __future__ import annotations

import io
import threading
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pointprompt.sources import photos
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import (
    PREVIEW_SIDE,
    ImageError,
    Limits,
    read,
    read_alone,
    read_pixels,
    read_set,
    safe_names,
)
from pointprompt.types import Progress
from tests.pictures import BLUE, GREEN, RED, noise, saved


def test_the_photo_of_an_array_does_not_change_with_the_array() -> None:
    pixels = noise(4, 6)
    photo, _ = read(pixels, "a.png", Framing(8))
    before = pixels.copy()
    pixels[:] = 0
    np.testing.assert_array_equal(photo.source, before)


def test_the_same_pillow_image_twice_is_read_twice(tmp_path: Path) -> None:
    path = saved(Image.fromarray(noise(300, 300)), tmp_path / "a.png")
    with Image.open(path) as image:
        result = read_set([image] * 6, Framing(8))
    assert len(result.photos) == 6
    assert (result.frames == result.frames[0]).all()


# --- The frame and the preview ------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(40, 60), (1, 1), (300, 200), (50, 2000)])
def test_the_square_is_the_tutorials_byte_for_byte(tmp_path: Path, shape: tuple[int, int]) -> None:
    path = saved(Image.fromarray(noise(*shape)), tmp_path / "a.jpg")
    _, square = read(path, "a.jpg", Framing(64))
    with Image.open(path) as image:
        expected = image.convert("RGB").resize((64, 64), Image.LANCZOS)
    np.testing.assert_array_equal(square, np.asarray(expected))


def test_a_frame_in_its_images_aspect_is_the_whole_image() -> None:
    pixels = noise(90, 160)
    _, frame = read(pixels, "a", Framing(128, 8))
    expected = Image.fromarray(pixels).resize((168, 96), Image.LANCZOS)
    np.testing.assert_array_equal(frame, np.asarray(expected))


def test_square_images_are_read_the_same_whether_or_not_others_keep_their_aspect() -> None:
    squares = [noise(60, 60), noise(200, 200, 1)]
    of_squares, of_any = read_set(squares, Framing(64)), read_set(squares, Framing(64, 8))
    np.testing.assert_array_equal(of_any.frames, of_squares.frames)


def test_an_image_of_another_aspect_is_squeezed_to_that_of_the_others() -> None:
    wide = [noise(30, 60, seed) for seed in range(3)]
    high = np.zeros((80, 20, 3), np.uint8)
    high[:40], high[40:] = RED, BLUE
    alone, together = (read_set(s, Framing(64, 8)).frames for s in (wide, [high, *wide]))
    np.testing.assert_array_equal(together[1:], alone)
    rows = together.shape[1]
    assert (together[0, : rows // 2 - 4] == RED).all()
    assert (together[0, rows // 2 + 4 :] == BLUE).all()


def test_images_that_join_a_set_are_read_as_those_of_the_set() -> None:
    high, joins = noise(400, 100), noise(90, 160)
    together = read_set([high, joins, high], Framing(128, 8)).frames
    framing = Framing(128, 8, grid=(20, 5))
    joined = read_set([joins], framing).frames
    np.testing.assert_array_equal(joined[0], together[1])
    photo, frame = read_alone(joins, "a.png", framing)
    np.testing.assert_array_equal(frame, together[1])
    assert (photo.height, photo.width) == (90, 160)


@pytest.mark.parametrize(
    ("shape", "preview_size"),
    [
        ((1, 1), (1, 1)),
        ((500, 900), (900, 500)),
        ((50, 20000), (1024, 3)),
        ((1, 20000), (1024, 1)),
        ((2048, 1024), (512, 1024)),
    ],
)
def test_the_preview_is_shrunk_but_never_enlarged(
    shape: tuple[int, int], preview_size: tuple[int, int]
) -> None:
    photo, _ = read(np.zeros((*shape, 3), np.uint8), "a.png", Framing(4))
    with Image.open(io.BytesIO(photo.preview)) as preview:
        assert preview.format == "JPEG"
        assert preview.size == preview_size
        assert max(preview.size) <= PREVIEW_SIDE


def test_full_pixels_can_be_read_again_from_a_photo(tmp_path: Path) -> None:
    path = saved(Image.fromarray(noise(5, 7)), tmp_path / "a.png")
    photo, _ = read(str(path), "a.png", Framing(4))
    assert photo.source == path
    assert (photo.height, photo.width) == (5, 7)
    np.testing.assert_array_equal(read_pixels(photo.source), noise(5, 7))


# --- Sets ----------------------------------------------------------------------------------------


def test_order_is_kept_and_each_failure_has_its_reason(tmp_path: Path) -> None:
    colours = [RED, GREEN, BLUE]
    sources: list[Path] = [
        saved(Image.new("RGB", (9, 9), c), tmp_path / f"{i}.png") for i, c in enumerate(colours)
    ]
    (tmp_path / "note.txt").write_text("not an image at all")
    sources.insert(1, tmp_path / "note.txt")
    sources.append(tmp_path / "gone.png")
    result = read_set(sources, Framing(4))
    assert [p.name for p in result.photos] == ["0.png", "1.png", "2.png"]
    assert [tuple(s[0, 0]) for s in result.frames] == colours
    assert result.frames.shape == (3, 4, 4, 3)
    assert [r.name for r in result.rejected] == ["note.txt", "gone.png"]
    assert all(r.reason.endswith(".") for r in result.rejected)
    assert all(str(tmp_path) not in r.reason for r in result.rejected)


def test_images_beyond_the_limit_are_not_looked_at() -> None:
    sources = [noise(4, 4, i) for i in range(3)] + [np.zeros(1)] * 2
    result = read_set(sources, Framing(4), limits=Limits(max_images=3))
    assert len(result.photos) == 3
    assert [r.reason for r in result.rejected] == ["The set had room for only 3 of the images."] * 2


def test_names_are_made_safe_and_rejections_keep_the_owners_name() -> None:
    pixels = noise(4, 4)
    names = ["../a.jpg", "A.png", "my <bad>.png"]
    result = read_set([pixels, pixels, np.zeros(2)], Framing(4), names=names)
    assert [p.name for p in result.photos] == ["a.jpg", "A-2.png"]
    assert result.rejected[0].name == "my <bad>.png"


def test_images_without_a_file_are_numbered() -> None:
    names = [p.name for p in read_set([noise(4, 4), noise(4, 4)], Framing(4)).photos]
    assert names == ["image-001.png", "image-002.png"]


def test_names_must_be_as_many_as_images() -> None:
    with pytest.raises(ValueError, match="2 images and 1 names"):
        read_set([noise(2, 2)] * 2, Framing(4), names=["a"])


def test_no_image_and_no_readable_image_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no images"):
        read_set([], Framing(4))
    for i in range(5):
        (tmp_path / f"{i}.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"0\.png: The file is empty\. .* And 2 more\."):
        read_set(sorted(tmp_path.iterdir()), Framing(4))


def test_progress_counts_failures_too() -> None:
    seen: list[Progress] = []
    read_set([noise(2, 2), np.zeros(1), noise(2, 2)], Framing(4), progress=seen.append)
    assert seen == [Progress("read", i, 3) for i in (1, 2, 3)]


def test_cancelling_leaves_the_remaining_images_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cancelled(Exception):
        pass

    started: list[str] = []
    first_is_done = threading.Event()
    real_read = photos.read

    def slow_read(source: object, name: str, framing: Framing, limits: Limits) -> object:
        started.append(name)
        if len(started) > 1:
            assert first_is_done.wait(30)
        return real_read(source, name, framing, limits)  # type: ignore[arg-type]

    def cancel(_: Progress) -> None:
        threading.Timer(0.05, first_is_done.set).start()
        raise Cancelled

    monkeypatch.setattr(photos, "read", slow_read)
    with pytest.raises(Cancelled):
        read_set([noise(2, 2)] * 50, Framing(4), progress=cancel)
    assert len(started) < 10


def test_only_a_few_images_are_decoded_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = threading.Lock()
    open_now, most = 0, 0
    real = photos.decode

    def counting(source: object, limits: Limits, sized: object) -> object:
        nonlocal open_now, most
        with lock:
            open_now += 1
            most = max(most, open_now)
        try:
            return real(source, limits, sized)  # type: ignore[arg-type]
        finally:
            with lock:
                open_now -= 1

    monkeypatch.setattr(photos, "decode", counting)
    read_set([noise(200, 200)] * 40, Framing(8))
    assert 1 <= most <= 4


# --- Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("IMG_0001.JPG", "IMG_0001.JPG"),
        ("my photo (1).png", "my photo 1.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.png", "a.png"),
        ("..", "image"),
        ("", "image"),
        (".hidden.png", "hidden.png"),
        ("trailing. ", "trailing"),
        ("a\0b\n.png", "ab.png"),
        ("con.png", "_con.png"),
        ("COM1.tar.png", "_COM1.tar.png"),
        ("写真.png", "写真.png"),
        ("Ä.png", "Ä.png"),
        ("हिन्दी.jpg", "हिन्दी.jpg"),
        ("😀.png", "image.png"),
        ("a:b|c?.png", "abc.png"),
        ("Dr. Who", "Dr. Who"),
        ("no suffix", "no suffix"),
        ("x" * 300 + ".jpeg", "x" * 95 + ".jpeg"),
    ],
)
def test_names_become_safe_and_stay_recognisable(name: str, safe: str) -> None:
    assert safe_names([name]) == (safe,)


def test_names_differ_by_stem_whatever_the_case() -> None:
    names = ["a.png", "a.png", "A.jpg", "a-2.png", "b.png"]
    assert safe_names(names) == ("a.png", "a-2.png", "A-3.jpg", "a-2-2.png", "b.png")


def test_what_looks_like_a_suffix_and_is_none_does_not_make_two_stems_one() -> None:
    assert safe_names(["0", "0.0000000000", "Dr. Who", "Dr. No"]) == (
        "0",
        "0_0000000000-2",
        "Dr. Who",
        "Dr_ No-2",
    )


@given(st.lists(st.one_of(st.text(max_size=300), st.sampled_from(["a.png", "A", "NUL", "é.é"]))))
def test_any_names_give_safe_and_unique_ones(names: list[str]) -> None:
    result = safe_names(names)
    assert len(result) == len(names)
    stems = [Path(name).stem.casefold() for name in result]
    assert len(set(stems)) == len(names)
    for name in result:
        assert 1 <= len(name) <= 100
        assert len(name.encode()) <= 200
        assert name == unicodedata.normalize("NFC", name)
        assert name == name.strip(" .")
        assert all(c in " .-_" or unicodedata.category(c)[0] in "LMN" for c in name)
        assert name.partition(".")[0].rstrip().upper() not in {"CON", "NUL", "AUX", "PRN", "COM1"}
