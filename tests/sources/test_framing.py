from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointprompt.sources.framing import LONGEST, Framing

ANY = Framing(512, 32)
extents = st.integers(1, 250_000)


@pytest.mark.parametrize(
    ("height", "width", "shape"),
    [
        (300, 300, (512, 512)),
        (1080, 1920, (384, 672)),
        (1920, 1080, (672, 384)),
        (100, 300, (288, 896)),
        (1000, 4000, (256, 1024)),
        (10, 4000, (256, 1024)),
        (4000, 10, (1024, 256)),
    ],
)
def test_a_frame_has_its_images_aspect_within_limits(
    height: int, width: int, shape: tuple[int, int]
) -> None:
    assert ANY.shape(height, width) == shape


@given(extents, extents)
def test_whatever_the_image_its_frame_has_about_as_many_pixels_in_whole_steps(
    height: int, width: int
) -> None:
    rows, columns = ANY.shape(height, width)
    assert rows % 32 == columns % 32 == 0
    assert rows * columns == pytest.approx(512 * 512, rel=0.04)
    assert 1 / LONGEST <= columns / rows <= LONGEST


@given(extents, extents, st.sampled_from([(512, 8), (384, 8), (768, 8), (1024, 16), (672, 16)]))
def test_the_shape_of_a_frame_and_of_its_token_grid_is_the_frames_own(
    height: int, width: int, size: tuple[int, int]
) -> None:
    side, token = size
    framing = Framing(side, 32)
    rows, columns = framing.shape(height, width)
    assert framing.shape(rows, columns) == (rows, columns)
    joining = Framing(side, 32, grid=(rows // token, columns // token))
    assert joining.shape(width, height) == (rows, columns)
    assert joining.common_shape([(1, 1), (1, 9)]) == (rows, columns)


@given(extents, extents)
def test_a_backbone_of_squares_sees_squares(height: int, width: int) -> None:
    assert Framing(1024).shape(height, width) == (1024, 1024)
    assert Framing(1024, grid=(64, 64)).common_shape([(height, width)]) == (1024, 1024)


def test_one_image_of_another_aspect_does_not_change_the_shape_of_nine() -> None:
    nine = [(480, 640)] * 9
    assert ANY.common_shape([*nine, (1000, 10)]) == ANY.common_shape(nine) == ANY.shape(480, 640)


def test_a_set_of_as_many_high_as_wide_images_is_seen_in_squares() -> None:
    assert ANY.common_shape([(300, 100), (100, 300)]) == (512, 512)
