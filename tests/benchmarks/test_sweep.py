from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.sweep import outcomes


def test_each_file_has_its_outcome(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "good.png")
    Image.fromarray(np.arange(64, dtype=np.int32).reshape(8, 8)).save(tmp_path / "range.tif")
    (tmp_path / "bad.jpg").write_bytes(b"not a picture")
    files = [tmp_path / name for name in ("good.png", "range.tif", "bad.jpg")]
    found = {file.name: (outcome, words) for file, outcome, words in outcomes(files, 120, 6)}
    assert found["good.png"] == ("read", "")
    assert found["range.tif"] == ("remark", "Shown from 0 to 63, the range of its values.")
    assert found["bad.jpg"][0] == "refused"


def test_a_file_that_never_ends_is_told_and_the_next_is_read(tmp_path: Path) -> None:
    # Nothing ends in no time.
    for name in ("a.png", "b.png"):
        Image.effect_noise((2000, 2000), 50).save(tmp_path / name)
    found = [outcome for _, outcome, _ in outcomes(sorted(tmp_path.iterdir()), 0, 6)]
    assert found == ["hang", "hang"]
