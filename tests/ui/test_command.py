"""The command as it is typed: what it refuses, and what is left when it ends however it ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from PIL import Image

from pointprompt.sources.examples import example_set
from pointprompt.ui import command
from pointprompt.ui.folders import MARKER, PREFIX
from pointprompt.ui.options import checked, option_parser
from tests.serving import AS_PROCESS_1, ROOT, Server, environment, serving
from tests.visitor import Visitor

Refusal = Callable[..., str]


@pytest.fixture
def refusal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refusal:
    """What the command says as it refuses to start."""
    monkeypatch.setattr(command.stop, "install", lambda: None)

    def refuse(*options: str, **variables: str) -> str:
        with monkeypatch.context() as patch:
            # The command writes into it too.
            patch.setattr(os, "environ", environment(Path(tempfile.gettempdir()), variables))
            with pytest.raises(SystemExit) as ended:
                command.main(options)
        assert ended.value.code == 2
        said = capsys.readouterr()
        assert said.out == ""
        (line,) = said.err.splitlines()
        start, _, sentence = line.partition(": ")
        assert start == "pointprompt"
        return sentence

    return refuse


def test_a_refusal_is_a_sentence_and_a_status(tmp_path):
    ended = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        env=environment(tmp_path, {"POINTPROMPT_MAX_IMAGES": "0"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e3", "2.5", "abc", "9" * 5000])
def test_a_number_of_images_that_is_none_is_refused(refusal, value):
    sentence = refusal(f"--max-images={value}")
    assert sentence == (
        "--max-images (or POINTPROMPT_MAX_IMAGES) must be a whole number from 1 to 10000, "
        f"not {value[:40]!r}."
    )


@pytest.mark.parametrize("value", ["0", "nan", "inf", "-inf", "-3", "abc", "1e400"])
@pytest.mark.parametrize(
    "option",
    ["--max-megapixels", "--max-session-gib", "--max-file-mb", "--max-upload-mb", "--store-gb"],
)
def test_a_size_that_is_none_is_refused(refusal, option, value):
    sentence = refusal(f"{option}={value}")
    assert sentence.startswith(f"{option} (or POINTPROMPT_")
    assert sentence.endswith(f", not {value!r}.")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("POINTPROMPT_MAX_IMAGES", "0"),
        ("POINTPROMPT_MAX_IMAGES", "abc"),
        ("POINTPROMPT_MAX_MEGAPIXELS", "nan"),
        ("POINTPROMPT_MAX_SESSION_GIB", "nan"),
        ("POINTPROMPT_MAX_FILE_MB", "-1"),
        ("POINTPROMPT_MAX_UPLOAD_MB", "inf"),
        ("POINTPROMPT_STORE_GB", "0"),
        ("POINTPROMPT_NO_STORE", "maybe"),
        ("POINTPROMPT_DEVICE", "gpu"),
        ("GRADIO_SERVER_PORT", "abc"),
        ("GRADIO_SERVER_PORT", "70000"),
        ("GRADIO_SERVER_NAME", "nowhere.invalid"),
    ],
)
def test_the_environment_is_checked_like_the_options(refusal, variable, value):
    sentence = refusal(**{variable: value})
    assert value in sentence
    assert variable in sentence or variable == "POINTPROMPT_DEVICE"


def test_an_option_stands_above_the_environment(refusal):
    sentence = refusal("--max-images=-7", POINTPROMPT_MAX_IMAGES="5")
    assert sentence.endswith("not '-7'.")


@pytest.mark.parametrize(
    ("options", "variables", "place"),
    [
        ([], {}, "home/.local/share/pointprompt/store"),
        ([], {"XDG_DATA_HOME": "{}/xdg"}, "xdg/pointprompt/store"),
        ([], {"POINTPROMPT_STORE": "{}/here"}, "here"),
        (["--store={}/there"], {"POINTPROMPT_STORE": "{}/here"}, "there"),
        (["--store=~/there"], {"SPACE_ID": "me/space"}, "home/there"),
        ([], {"SPACE_ID": "me/space"}, None),
        ([], {"SPACE_ID": "me/space", "DATA": "{}"}, "pointprompt/store"),
        (["--no-store", "--store={}/there"], {}, None),
        ([], {"POINTPROMPT_NO_STORE": "1"}, None),
        ([], {"POINTPROMPT_NO_STORE": "0"}, "home/.local/share/pointprompt/store"),
    ],
)
def test_analyses_are_kept_where_that_was_asked_for_or_where_data_of_the_user_lies(
    monkeypatch, tmp_path, options, variables, place
):
    given = {name: value.format(tmp_path) for name, value in variables.items()}
    data = Path(given.pop("DATA", tmp_path / "missing"))
    monkeypatch.setattr("pointprompt.ui.options._SPACE_DATA", data)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(os, "environ", {"HOME": str(tmp_path / "home"), **given})
    asked = option_parser().parse_args([option.format(tmp_path) for option in options])
    assert checked(asked).store == (tmp_path / place if place else None)


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cpu:0", "tpu", "cuda:99999999999"])
def test_a_device_that_is_not_there_is_refused(refusal, device):
    assert repr(device) in refusal(f"--device={device}")


@pytest.mark.parametrize("port", ["0", "-1", "65536", "80.0", "http", "٨٠"])
def test_a_port_that_is_none_is_refused(refusal, port):
    sentence = refusal(f"--port={port}")
    assert sentence.endswith(f"must be a whole number from 1 to 65535, not {port!r}.")


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("nowhere.invalid", "must be an address of this computer, not 'nowhere.invalid'"),
        ("a" * 300, "must be an address of this computer"),
        # Reserved for documentation: nobody's.
        ("192.0.2.1", "Cannot listen on 192.0.2.1: "),
    ],
)
def test_a_host_that_is_not_this_computer_is_refused(refusal, host, says):
    assert says in refusal(f"--host={host}")


def test_an_option_that_there_is_not_is_refused(refusal):
    assert "--max-imags" in refusal("--max-imags=3")


def test_a_port_in_use_is_refused_and_no_other_is_taken(refusal):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        sentences = {
            refusal("--port", port),
            refusal(GRADIO_SERVER_PORT=port),
            refusal("--host=0.0.0.0", "--port", port),
        }
    assert {sentence.partition(": ")[0] for sentence in sentences} == {
        f"Cannot listen on port {port} of 127.0.0.1",
        f"Cannot listen on port {port} of 0.0.0.0",
    }


def test_a_temporary_folder_that_cannot_be_is_said(tmp_path, refusal):
    (tmp_path / "file").touch()
    sentence = refusal(GRADIO_TEMP_DIR=str(tmp_path / "file" / "folder"))
    assert sentence.startswith("No folder for uploads can be made: ")


def test_the_defaults_are_those_that_the_documentation_tells(monkeypatch, capsys):
    monkeypatch.setattr(os, "environ", environment(Path(tempfile.gettempdir()), {}))
    with pytest.raises(SystemExit):
        option_parser().parse_args(["--help"])
    shown = dict(
        re.findall(r"(--[a-z-]+) [A-Z_]+\s[^(]*\(default: (\d+)\)", capsys.readouterr().out)
    )
    assert len(shown) == 5
    text = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(--max-[a-z-]+)` \| `(\w+)` \| .*; (\d+) \|$", text, re.MULTILINE)
    assert {option: default for option, _, default in told} == shown
    for option, variable, _ in told:
        assert variable == "POINTPROMPT_" + option[2:].replace("-", "_").upper()


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "photos"
    folder.mkdir()
    paths = []
    for image in example_set("still-life").images[:3]:
        paths.append(folder / image.name)
        Image.fromarray(image.load()).save(paths[-1])
    return paths


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def analyzing(server: Server, photos: list[Path]) -> None:
    """Return when the features of the photos are being computed."""
    for answer in Visitor(server.url).analyzing(photos):
        assert not answer.failed
        if answer.status.startswith("Computing features"):
            return
    raise AssertionError("The analysis never came to the features.")


def files_below(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def can_unshare() -> bool:
    return (
        shutil.which("unshare") is not None
        and subprocess.run([*AS_PROCESS_1, "true"], capture_output=True, check=False).returncode
        == 0
    )


# Where the system lets nobody make a namespace, the second is a plain process too.
@pytest.mark.parametrize(
    "starter",
    [(), AS_PROCESS_1 if can_unshare() else ()],
    ids=["a process", "process 1 of a container"],
)
def test_a_server_that_is_stopped_while_it_computes_leaves_nothing(temporary, photos, starter):
    with serving(temporary, starter=starter) as server:
        analyzing(server, photos)
        assert {photo.name for photo in photos} <= files_below(temporary)
        assert server.end(signal.SIGTERM) == 0
        assert list(temporary.iterdir()) == []


def test_an_interrupted_server_leaves_nothing(temporary):
    with serving(temporary) as server:
        upload = {"files": ("a.png", b"private")}
        httpx.post(f"{server.url}/gradio_api/upload", files=upload).raise_for_status()
        assert "a.png" in files_below(temporary)
        assert server.end(signal.SIGINT) == 130
        assert list(temporary.iterdir()) == []


def test_a_stop_does_not_wait_for_an_upload_that_goes_on(temporary):
    with serving(temporary) as server:
        with socket.create_connection(server.url.removeprefix("http://").split(":")) as visitor:
            head = (
                "POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000000\r\n\r\n"
                '--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
            )
            visitor.sendall(head.encode() + bytes(1_000_000))
            wait_until(lambda: any(path.stat().st_size for path in uploads(temporary)))
            assert server.end(signal.SIGTERM) == 0
        assert list(temporary.iterdir()) == []


def uploads(temporary: Path) -> list[Path]:
    return [path for path in temporary.glob(f"{PREFIX}*/uploads/*") if path.is_file()]


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(6000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("It never came to pass.")


def test_what_a_killed_server_left_goes_when_the_next_one_starts(temporary, photos):
    foreign = temporary / f"{PREFIX}foo"
    foreign.mkdir()
    with serving(temporary) as alive:
        (of_alive,) = temporary.glob(f"*/{MARKER}")
        with serving(temporary) as killed:
            analyzing(killed, photos)
            assert killed.end(signal.SIGKILL) == -signal.SIGKILL
        assert {photo.name for photo in photos} <= files_below(temporary)
        with serving(temporary) as other:
            assert len(list(temporary.iterdir())) == 3
            assert not {photo.name for photo in photos} & files_below(temporary)
            assert of_alive.exists()
            assert httpx.get(alive.url).status_code == 200
            other.end(signal.SIGTERM)
        alive.end(signal.SIGTERM)
        assert list(temporary.iterdir()) == [foreign]


def test_a_folder_of_the_users_choice_is_used_and_left_as_it_was(temporary, tmp_path):
    chosen = tmp_path / "chosen"
    with serving(temporary, variables={"GRADIO_TEMP_DIR": str(chosen)}) as server:
        upload = {"files": ("a.png", b"private")}
        httpx.post(f"{server.url}/gradio_api/upload", files=upload).raise_for_status()
        assert "a.png" in files_below(chosen)
        assert server.end(signal.SIGTERM) == 0
        assert list(chosen.iterdir()) == []
    assert list(temporary.iterdir()) == []


def test_a_dotfile_is_named_and_the_others_read_wherever_the_server_was_started(
    temporary, photos, tmp_path
):
    """macOS puts `._a.png` beside every `a.png` on a foreign disk."""
    side_file = tmp_path / f"._{photos[0].name}"
    side_file.write_bytes(b"\x00\x05\x16\x07" + bytes(100))
    with serving(temporary, folder=Path("/")) as server:
        answers = Visitor(server.url).analyze([side_file, *photos])
    assert not any(answer.failed for answer in answers)
    assert answers[-1].session


def test_files_named_from_where_the_server_was_started_are_found(temporary, tmp_path):
    """Also where it does not stay there."""
    weights = tmp_path / "sam.pth"
    script = (
        "import os\nfrom pointprompt.ui import command\nfolder = command._folder()\n"
        "assert os.getcwd() == str(folder.empty)\nfrom pathlib import Path\n"
        "assert Path(os.environ['POINTPROMPT_SAM_VIT_B']).read_bytes() == b'weights'\n"
        "assert os.environ['POINTPROMPT_DEVICE'] == 'cpu'\nfolder.remove()"
    )
    weights.write_bytes(b"weights")
    variables = {
        "POINTPROMPT_SAM_VIT_B": "sam.pth",
        "POINTPROMPT_DEVICE": "cpu",
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment(temporary, variables),
        check=True,
    )
    assert list(temporary.iterdir()) == []


def test_a_working_directory_that_holds_no_uploads_is_kept(temporary, tmp_path):
    (tmp_path / "here").mkdir()
    script = (
        "import os\nfrom pointprompt.ui import command\nbefore = os.getcwd()\n"
        "folder = command._folder()\nassert os.getcwd() == before\nfolder.remove()"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path / "here",
        env=environment(temporary, {"PYTHONPATH": str(ROOT)}),
        check=True,
    )


def test_everybody_who_comes_finds_an_example_analysed_once(temporary):
    with serving(temporary) as server:
        visitors = [Visitor(server.url) for _ in range(2)]
        for visitor in visitors:
            list(visitor.following("pp-canvas", "opening", []))
        tokens = {visitor.manifest["session"] for visitor in visitors}
        assert len(tokens) == 2
        for visitor in visitors:
            assert visitor.manifest["example"].startswith("Click the cat")
            answer = visitor.predict([{"image": 0, "x": 0.5, "y": 0.35, "positive": True}])
            found = visitor.masks(answer).any(axis=(1, 2))
            assert found.tolist() == [True, False, True, False, False]
        # Nothing of it takes room twice.
        tiles = list(temporary.glob(f"{PREFIX}*/sessions/*/tiles/000.jpg"))
        assert len(tiles) == 3
        assert len({tile.stat().st_ino for tile in tiles}) == 1


def test_what_is_stored_stays_when_the_server_ends_and_is_its_owners_alone(tmp_path):
    temporary, store = tmp_path / "tmp", tmp_path / "kept" / "store"
    temporary.mkdir()
    with serving(temporary, f"--store={store}", variables={"POINTPROMPT_NO_STORE": "0"}) as server:
        assert store.is_dir()
        assert server.end(signal.SIGTERM) == 0
    assert stat.S_IMODE((store / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(store.stat().st_mode) == 0o700
    assert list(temporary.iterdir()) == []


def test_a_store_that_cannot_be_is_a_warning_and_the_page_is_served(tmp_path):
    temporary, file = tmp_path / "tmp", tmp_path / "file"
    temporary.mkdir()
    file.write_text("")
    variables = {"POINTPROMPT_NO_STORE": "0", "POINTPROMPT_STORE": str(file / "store")}
    with serving(temporary, variables=variables) as server:
        assert httpx.get(server.url).status_code == 200
        assert "cannot be stored" in server.log.read_text()
        assert server.end(signal.SIGTERM) == 0
