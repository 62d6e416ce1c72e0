"""What programs ask for, with images in which the right masks are known."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pointprompt.formats.registry import FORMATS
from pointprompt.server.handed_in import HandedInError
from pointprompt.server.jobs import Cancelled
from pointprompt.server.programs import Programs
from pointprompt.server.readers import Readers
from pointprompt.server.service import Service
from pointprompt.server.session import SessionGone
from pointprompt.server.sessions import SessionStore
from pointprompt.server.wire import WireError
from pointprompt.sources.photos import ImageError, Limits
from pointprompt.types import Progress
from tests.server.test_service import RED, ColorEngine, is_color, no_tsne, photo, silent

__all__ = ["no_tsne"]

ME, OTHER = "program me", "program other"
# On the red square of the first image, and on the grey.
ON_RED = {"image": 0, "x": 0.1, "y": 0.1}
ON_GREY = {"image": 0, "x": 0.9, "y": 0.1}
WHOLE = {"outline": "tokens"}


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    readers = Readers()
    yield readers
    readers.close()


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uploads")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    return folder


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory, readers: Readers, uploads: Path) -> Programs:
    store = SessionStore(tmp_path_factory.mktemp("sessions"))
    service = Service(store, Limits(max_images=4), ColorEngine(), readers)
    return Programs(service, uploads)


@pytest.fixture(scope="module")
def uploaded(uploads: Path) -> list[str]:
    places = [((0, 0), (2, 2)), ((1, 1), (3, 3)), ((2, 0), (0, 2))]
    return [str(photo(uploads / f"{index}.png", *place)) for index, place in enumerate(places)]


@pytest.fixture(scope="module")
def session(programs: Programs, uploaded: list[str]) -> str:
    return str(programs.analyze(uploaded, "", 1, ME, silent)["session"])


@pytest.fixture(scope="module")
def recipe(programs: Programs, session: str, uploads: Path) -> str:
    out = programs.export(session, things(), ["recipe"], ME, silent)
    path = uploads / "recipe.safetensors"
    with zipfile.ZipFile(programs.files.find(out.key)) as archive:
        path.write_bytes(archive.read("recipe.safetensors"))
    return str(path)


def left(programs: Programs) -> list[Path]:
    """Folders of the server that are no session's."""
    store = programs._service.store
    return sorted(set(store.root.iterdir()) - {one.folder for one in store._sessions.values()})


def things(**more: Any) -> list[dict[str, Any]]:
    return [{"name": "red", "clicks": [ON_RED], "settings": WHOLE, **more}]


def test_a_set_is_analysed_and_what_is_no_image_of_it_is_told(programs, uploaded, uploads):
    files = [*uploaded, {"path": str(uploads / "broken.jpg"), "orig_name": "mine.jpg"}]
    before = left(programs)
    told = programs.analyze(files, "", 1, ME, silent)
    json.dumps(told)
    assert [(one["name"], one["width"]) for one in told["images"]] == [
        ("0.png", 128),
        ("1.png", 128),
        ("2.png", 128),
    ]
    assert [one["name"] for one in told["rejected"]] == ["mine.jpg"]
    assert told["backbone"] == "color"
    assert left(programs) == before


def test_the_masks_are_those_of_the_things_and_white_where_these_are(programs, session, uploaded):
    found = programs.predict(session, things(), None, ME, silent)
    assert [(one.said["index"], one.said["image"]) for one in found] == [
        (0, "0.png"),
        (1, "1.png"),
        (2, "2.png"),
    ]
    for one, file in zip(found, uploaded, strict=True):
        mask = np.array(Image.open(programs.files.find(one.mask.key)))
        red = is_color(Path(file), RED)
        assert set(np.unique(mask)) == {0, 255}
        assert (mask > 0)[red].mean() > 0.9
        assert one.said["pixels"] == (mask > 0).sum()
        assert 0 <= one.said["presence"] <= 1
        assert one.said["thing"] == "red"


def test_masks_of_some_images_are_those_of_all(programs, session, uploaded):
    (alone,) = programs.predict(session, things(), [2], ME, silent)
    everywhere = programs.predict(session, things(), None, ME, silent)
    assert alone.said == everywhere[2].said
    one, other = (programs.files.find(found.mask.key) for found in (alone, everywhere[2]))
    assert one.read_bytes() == other.read_bytes()
    for wrong in ([3], [-1], [], "0", [True], [0.5], {"0": 0}):
        with pytest.raises(WireError):
            programs.predict(session, things(), wrong, ME, silent)


def test_files_of_the_newest_predictions_stay(programs, session, uploaded):
    first = programs.predict(session, things(), [0], ME, silent)[0]
    for _ in range(8):
        newest = programs.predict(session, things(), [0], ME, silent)[0]
    assert programs.files.find(newest.mask.key).exists()
    with pytest.raises(LookupError):
        programs.files.find(first.mask.key)


def test_another_program_finds_the_session_gone(programs, session, uploaded):
    for who in (OTHER, "", "program"):
        with pytest.raises(SessionGone):
            programs.predict(session, things(), None, who, silent)
        with pytest.raises(SessionGone):
            programs.export(session, things(), ["png"], who, silent)


WRONG_PROMPTS: list[Any] = [
    None,
    "red",
    [],
    [7],
    [{}],
    [{"clicks": "x"}],
    [{"clicks": [7]}],
    [{"clicks": [{"image": 0}]}],
    [{"clicks": [{**ON_RED, "z": 1}]}],
    [{"clicks": [{**ON_RED, "x": 1.0}]}],
    [{"clicks": [{**ON_RED, "image": 10**400}]}],
    [{"clicks": [{**ON_RED, "image": 7}]}],
    [{"clicks": [{**ON_RED, "positive": "no"}]}],
    [{"clicks": [{**ON_RED, "positive": False}]}],
    [{"clicks": [ON_RED], "settings": {"rule": {"name": "x"}}}],
    [{"clicks": [ON_RED], "name": "\n"}],
    [{"clicks": [ON_RED], "name": "a"}, {"clicks": [ON_GREY], "name": "A"}],
    [{"clicks": [ON_RED]}] * 21,
    [{"clicks": [ON_RED] * 1001}],
    {},
    {"format": "pointprompt-prompt", "version": 99},
]


@pytest.mark.parametrize("wrong", WRONG_PROMPTS, ids=lambda wrong: repr(wrong)[:40])
def test_a_prompt_that_cannot_be_is_refused_in_a_sentence(programs, session, wrong):
    with pytest.raises(ValueError, match=r"[.]$"):
        programs.predict(session, wrong, None, ME, silent)
    with pytest.raises(ValueError, match=r"[.]$"):
        programs.export(session, wrong, ["png"], ME, silent)


def test_a_download_is_what_the_page_gives_and_its_prompt_gives_it_again(
    programs, session, uploaded
):
    two = [*things(), {"clicks": [ON_GREY], "settings": WHOLE}]
    first = programs.export(session, two, ["csv", "png"], ME, silent)
    with zipfile.ZipFile(programs.files.find(first.key)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert "masks/red/0.png" in members
    assert "masks/thing 2/2.png" in members
    prompt = json.loads(members["prompt.json"])
    again = programs.export(session, prompt, ["png", "csv"], ME, silent)
    with zipfile.ZipFile(programs.files.find(again.key)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == members
    for wrong in (["exe"], "png", [["png"]], [None], 7):
        with pytest.raises(WireError):
            programs.export(session, two, wrong, ME, silent)


def test_a_recipe_finds_the_same_in_its_own_images_and_says_how_it_went(
    programs, session, uploaded, uploads, recipe
):
    before = left(programs)
    theirs = {
        one.said["image"]: programs.files.find(one.mask.key).read_bytes()
        for one in programs.predict(session, things(), None, ME, silent)
    }
    files = [*uploaded, str(uploads / "broken.jpg")]
    out, report = programs.apply(recipe, files, ["png", "csv"], silent)
    assert (report["images"], report["found"], report["unlike"]) == (4, {"red": 3}, [])
    assert [one["name"] for one in report["failed"]] == ["broken.jpg"]
    with zipfile.ZipFile(programs.files.find(out.key)) as archive:
        for name, mask in theirs.items():
            assert archive.read(f"masks/{name}") == mask
        assert "prompt.json" in archive.namelist()
    # But for what may be fetched.
    assert set(left(programs)) - set(before) == {programs.files.find(out.key).parent}


def test_of_a_recipe_nothing_stays_where_it_came_to_nothing(programs, uploaded, uploads, recipe):
    broken, before = str(uploads / "broken.jpg"), left(programs)
    for arguments, kind in [
        ((uploaded[0], uploaded, ["png"]), ValueError),
        (([recipe, recipe], uploaded, ["png"]), HandedInError),
        ((recipe, [], ["png"]), ImageError),
        ((recipe, [uploaded[0]] * 5, ["png"]), ImageError),
        ((recipe, [broken], ["png"]), ImageError),
        ((recipe, uploaded, ["sheet"]), ValueError),
        ((recipe, uploaded, []), WireError),
        ((recipe, uploaded, ["../x"]), WireError),
        ((recipe, ["/etc/passwd"], ["png"]), HandedInError),
    ]:
        with pytest.raises(kind, match=r"[.]$"):
            programs.apply(*arguments, silent)
        assert left(programs) == before

    def cancel(step: Progress) -> None:
        if step.stage == "export":
            raise Cancelled

    with pytest.raises(Cancelled):
        programs.apply(recipe, uploaded, ["png"], cancel)
    assert left(programs) == before


def test_every_format_that_streams_can_be_had_of_a_recipe(programs, uploaded, recipe):
    streaming = [name for name, choice in FORMATS.items() if choice.kind.streams]
    out, _ = programs.apply(recipe, uploaded[0], streaming, silent)
    content = programs.files.find(out.key).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.read("recipe.safetensors") == Path(recipe).read_bytes()
