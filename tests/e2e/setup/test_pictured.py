"""Small pictures of what was chosen, as far as the browser can show it."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.e2e.modules import Run
from tests.videos import color_of, frame, write_video

PICTURED = """
    const { pictured, isVideo } = await import('/setup/pictured.js');
    const bytes = Uint8Array.from(atob(input.data), (letter) => letter.charCodeAt(0));
    const file = new File([bytes], 'name', { type: input.type });
    const canvas = await pictured(file);
    const at = canvas?.getContext('2d').getImageData(canvas.width - 9, canvas.height - 9, 1, 1);
    return {
      isVideo: isVideo(file), size: canvas && [canvas.width, canvas.height],
      color: at && [...at.data.slice(0, 3)],
    };
"""


def pictured(run: Run, data: bytes, kind: str) -> dict[str, object]:
    found: dict[str, object] = run(
        PICTURED, {"data": base64.b64encode(data).decode(), "type": kind}
    )
    return found


def test_a_video_shows_its_first_frame(run: Run, tmp_path: Path) -> None:
    # One that every browser can read.
    clip = write_video(
        tmp_path / "clip.webm", [frame(n, (192, 128)) for n in (57, 3, 4)], codec="libvpx"
    )
    found = pictured(run, clip.read_bytes(), "video/webm")
    assert found["isVideo"] is True
    assert found["size"] == [216, 144]
    assert np.abs(np.array(found["color"]) - color_of(57)).max() <= 12


def test_an_image_is_shown_as_high(run: Run) -> None:
    file = io.BytesIO()
    Image.new("RGB", (400, 300), (10, 200, 30)).save(file, "PNG")
    found = pictured(run, file.getvalue(), "image/png")
    assert found == {"isVideo": False, "size": [192, 144], "color": [10, 200, 30]}


@pytest.mark.parametrize("kind", ["video/mp4", "image/png", ""])
def test_what_the_browser_cannot_show_has_no_picture(run: Run, kind: str) -> None:
    assert pictured(run, b"no picture", kind)["size"] is None
