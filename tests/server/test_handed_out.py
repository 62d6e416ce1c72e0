from __future__ import annotations

import re
from pathlib import Path

import pytest

from pointprompt.server.handed_out import KEY, NAME, HandedOutFiles


def test_a_file_is_found_by_its_key_and_by_nothing_else(tmp_path: Path):
    files = HandedOutFiles()
    paths = [tmp_path / name for name in ("cat.png", "masks.zip")]
    for path in paths:
        path.write_bytes(b"content")
    one, other = files.add(paths)
    assert (files.find(one.key), files.find(other.key)) == tuple(paths)
    assert one.key != other.key
    assert one.size == 7
    for wrong in ("", "cat.png", str(paths[0]), one.key[:-1]):
        with pytest.raises(LookupError):
            files.find(wrong)


@pytest.mark.parametrize(
    ("stem", "name"),
    [("cat 1", "cat_1"), ("Катя", "_"), ("a/../b"[2:], "_b"), ("x" * 90, "x" * 60), ("a.b", "a_b")],
)
def test_its_name_is_one_that_an_address_takes(tmp_path: Path, stem: str, name: str):
    path = tmp_path / f"{stem.replace('/', '-')}.png"
    path.write_bytes(b"")
    (out,) = HandedOutFiles().add([path])
    assert re.fullmatch(NAME, out.name)
    assert re.fullmatch(KEY, out.key)
    assert out.name in (f"{name}.png", f"{name.replace('_b', '_-b')}.png")


def test_what_is_gone_is_forgotten(tmp_path: Path):
    files = HandedOutFiles()
    path = tmp_path / "a.png"
    path.write_bytes(b"")
    files.add([path])
    path.unlink()
    path.with_name("b.png").write_bytes(b"")
    files.add([path.with_name("b.png")])
    assert len(files) == 1
