from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.sweep import outcomes
from pointprompt.server import readers


def test_each_file_has_its_outcome(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "good.png")
    Image.fromarray(np.arange(64, dtype=np.int32).reshape(8, 8)).save(tmp_path / "range.tif")
    (tmp_path / "bad.jpg").write_bytes(b"not a picture")
    files = [tmp_path / name for name in ("good.png", "range.tif", "bad.jpg")]
    found = {file.name: (outcome, words) for file, outcome, words in outcomes(files, 3)}
    assert found["good.png"] == ("read", "")
    assert found["range.tif"] == ("remark", "Shown from 0 to 63, the range of its values.")
    assert found["bad.jpg"][0] == "refused"


def test_a_file_that_never_ends_is_told_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.png", "b.png", "c.png"):
        Image.effect_noise((2000, 2000), 50).save(tmp_path / name)
    found = outcomes(sorted(tmp_path.iterdir()), 3)
    # Nothing ends in no time.
    monkeypatch.setattr(readers, "SECONDS", 0.0)
    assert [next(found)[1] for _ in range(2)] == ["hang", "hang"]
    monkeypatch.undo()
    assert next(found)[1] == "read"
