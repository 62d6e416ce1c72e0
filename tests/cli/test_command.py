"""The command as it is typed: results, sentences, exit codes, and every command of docs/."""

from __future__ import annotations

import json
import logging
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pointprompt.cli import batch, command
from pointprompt.cli.options import click_of
from pointprompt.sources.examples import example_set
from pointprompt.types import Click
from tests.fake_hub import FakeHub, parquet, serving
from tests.fake_hub_writing import held
from tests.recipes import made
from tests.videos import write_video

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = [
    line
    for page in PAGES
    for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith("pointprompt ")
    and not line.startswith(("pointprompt serve", "pointprompt -"))
]
Said = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def made_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos, the set of them, and masks with a recipe."""
    folder = tmp_path_factory.mktemp("work")
    names = ("cat.jpg", "coffee.jpg", "other-cat.jpg")
    (folder / "photos").mkdir()
    for name, image in zip(names, example_set("cat-or-not").images, strict=False):
        picture = Image.fromarray(image.load())
        picture.thumbnail((320, 320))
        picture.save(folder / "photos" / name, quality=95)
    shutil.copytree(folder / "photos", folder / "more")
    write_video(folder / "clip.mp4", 11)
    return folder


@pytest.fixture
def said(
    made_set: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Said:
    """The exit code, standard output and standard error of the command, in that folder."""
    monkeypatch.chdir(made_set)
    monkeypatch.setenv("POINTPROMPT_DEVICE", "cpu")

    def run(*words: str) -> tuple[int, str, str]:
        status = 0
        try:
            command.main(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def hub(made_set: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A Hub with the photos as a data set, and the token of who may write there."""
    import datasets

    with serving(monkeypatch) as fake:
        monkeypatch.setattr(datasets.config, "HF_ENDPOINT", fake.endpoint)
        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
        fake.writing.add_user("hf_the_servers_own_token", "me")
        files = sorted((made_set / "photos").iterdir())
        cells = [{"bytes": file.read_bytes(), "path": file.name} for file in files]
        rows = parquet({"image": cells}, {"image": "Image"})
        fake.add("me/photos", {"data/train-00000-of-00001.parquet": rows}, private=True)
        yield fake


def test_every_command_of_the_docs_works_in_its_order(
    said: Said,
    made_set: Path,
    hub: FakeHub,
    ray_here: None,
    monkeypatch: pytest.MonkeyPatch,
):
    # Libraries' handlers keep the stream that a command before had, and that is closed by now.
    monkeypatch.setattr(logging, "raiseExceptions", False)
    assert len(COMMANDS) >= 6
    assert {shlex.split(line)[1] for line in COMMANDS} == set(command._WORK)
    ran = set()
    for line in COMMANDS:
        if line in ran:
            continue
        ran.add(line)
        words = shlex.split(line, comments=True)[1:]
        if "--out" in words:
            shutil.rmtree(words[words.index("--out") + 1], ignore_errors=True)
        status, out, err = said(*words)
        assert (status, err) == (0, ""), line
        assert out
    cat = np.asarray(Image.open("more-masks/masks/cat.png")) > 0
    assert 0.2 < cat.mean() < 0.9
    assert not (np.asarray(Image.open("more-masks/masks/coffee.png")) > 0).any()
    for name in ("cat", "coffee", "other-cat"):
        paths = [f"{folder}/masks/{name}.png" for folder in ("masks", "more-masks")]
        first, again = (np.asarray(Image.open(path)) for path in paths)
        np.testing.assert_array_equal(first, again)
    for name, same in (("ray-masks", "more-masks"), ("again-masks", "masks")):
        assert_alike(Path(name), Path(same))
    assert sorted(path.name for path in Path("hub-masks/masks").iterdir()) == [
        "row-000000-cat.png",
        "row-000001-coffee.png",
    ]
    assert "data/train-00000-of-00001.parquet" in held(hub, "me/masks")
    assert hub.datasets["me/masks"]["private"] is True
    assert sorted(path.name for path in Path("clip-masks/masks").iterdir()) == [
        "clip-0000.png",
        "clip-0005.png",
        "clip-0010.png",
    ]


def assert_alike(folder: Path, other: Path) -> None:
    """The same masks, whatever the images are called."""
    masks, others = (sorted((one / "masks").iterdir()) for one in (folder, other))
    for one, same in zip(masks, others, strict=True):
        assert one.read_bytes() == same.read_bytes()


def test_results_are_json_where_that_is_wanted(said: Said):
    status, out, _ = said("backbones", "--json")
    listed = json.loads(out)["backbones"]
    (builtin,) = [one for one in listed if one["name"] == "efficientnet_lite0"]
    assert status == 0
    assert builtin["here"]
    assert {"licence", "weights_mb", "good_for", "reason"} <= set(builtin)
    status, out, err = said("predict", "nowhere", "--click", "1,0.5,0.5", "--out", "x", "--json")
    assert status == 2
    assert "is no set" in json.loads(out)["error"]
    assert err.startswith("pointprompt: nowhere is no set: `pointprompt analyze FOLDER")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("analyze", "nowhere", "--out", "s"), "There is no folder nowhere."),
        (("analyze", "photos", "--out", "photos"), "is there already"),
        (("analyze", "photos", "--out", "s", "--max-images", "2"), "a set holds 2"),
        (("analyze", "photos", "--out", "s", "--max-images", "0"), "must be above 0"),
        (("analyze", "clip.mp4", "--out", "s"), "A set is made of image files"),
        (("analyze", "photos", "--out", "s", "--backbone", "resnet_9000"), "no backbone"),
        (("analyze", "photos"), "--out"),
        (("apply", "nowhere.safetensors", "photos", "--out", "o"), "No such file"),
        (("apply", "clip.mp4", "photos", "--out", "o"), "not a recipe"),
        (("apply", "r", "photos", "--out", "o", "--format", "gif"), "There is no format 'gif'"),
        (("apply", "r", "photos", "--out", "o", "--format", ","), "--format names none"),
        (("apply", "r", "photos", "--out", "o", "--every", "x"), "invalid int"),
        (("export", "photos", "nowhere.json", "--out", "o"), "No such file"),
        (("predict", "photos", "--click", "1,1,1", "--out", "o", "--gamma", "0"), "gamma must be"),
        (("predict", "photos", "--click", "1,1,1", "--out", "o", "--public"), "--public is of"),
        (("analyze", "photos", "--out", "s", "--split", "test"), "photos is no data set"),
        (("analyze", "rows.parquet", "--out", "s"), "There is no file rows.parquet"),
        (("apply", "r", "photos", "--out", "o", "--workers", "2"), "are of --engine ray"),
        (("apply", "r", "photos", "--out", "o", "--engine", "spark"), "invalid choice"),
        (("dance",), "invalid choice"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_a_status(said: Said, words, sentence):
    status, out, err = said(*words)
    assert (status, out) == (2, "")
    assert err.startswith("pointprompt: ")
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_images_that_fail_are_named_and_the_status_tells_of_them(
    said: Said, monkeypatch: pytest.MonkeyPatch
):
    report = batch.Report(40, 40, {"cat": 30}, unlike=["z.jpg"])
    report.failed += [batch.Failed(f"{i}.jpg", "It is damaged.") for i in range(25)]
    monkeypatch.setattr(batch, "run", lambda *_: report)
    status, out, _ = said("apply", "r", "photos", "--out", "o")
    assert status == 1
    assert "cat is in 30 of 15 images." in out
    assert "  0.jpg: It is damaged." in out
    assert "and 5 more" in out
    assert "1 look unlike" in out
    status, out, _ = said("apply", "r", "photos", "--out", "o", "--json")
    assert status == 1
    assert json.loads(out)["failed"][24] == {"name": "24.jpg", "reason": "It is damaged."}


def test_stopped_it_says_how_to_go_on(said: Said, monkeypatch: pytest.MonkeyPatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "run", stop)
    status, _, err = said("apply", "r", "photos", "--out", "o")
    assert status == 130
    assert "The same command again goes on from here." in err


@pytest.mark.parametrize("words", [[], ["serve", "--port", "7"], ["--port", "7"]])
def test_without_a_command_the_page_is_served(words, monkeypatch: pytest.MonkeyPatch):
    from pointprompt.ui import command as serving

    given = []
    monkeypatch.setattr(serving, "main", given.append)
    command.main(words)
    assert given == [[word for word in words if word != "serve"]]


@pytest.mark.parametrize(
    ("text", "click"),
    [
        ("photo-1.png,0.25,0.5", Click(1, 0.25, 0.5)),
        ("2,0.25,0.5,-", Click(1, 0.25, 0.5, positive=False)),
        (" 2 , 0.25 , .5 , + ", Click(1, 0.25, 0.5)),
    ],
)
def test_a_click_is_an_image_and_a_place(text: str, click: Click):
    assert click_of(text, made.analysis().photos) == click


@pytest.mark.parametrize(
    "text",
    ["", "1", "1,0.5", "1,x,0.5", "0,0.5,0.5", "5,0.5,0.5", "no.jpg,0.5,0.5", "1,1,0.5", "1,nan,0"],
)
def test_what_is_no_click_is_refused(text: str):
    with pytest.raises(ValueError, match=r"\."):
        click_of(text, made.analysis().photos)


@pytest.mark.parametrize("name", ["--help", *(f"{name} --help" for name in command._WORK)])
def test_help_teaches(said: Said, name: str):
    status, out, _ = said(*name.split())
    assert status == 0
    assert "usage: pointprompt" in out
    assert len(out) > 200


def test_help_imports_nothing_that_computes():
    code = (
        "import sys\nfrom pointprompt.cli.command import main\n"
        "try: main(['apply', '--help'])\nexcept SystemExit: pass\n"
        "print({'torch', 'gradio', 'timm'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.endswith("set()\n")
