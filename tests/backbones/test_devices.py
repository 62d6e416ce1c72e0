"""Devices are found, checked and used in the precision that pays there; no GPU is needed."""

import subprocess
import sys

import pytest
import torch

from pointprompt.backbones import BackboneError, devices, pick_device


@pytest.fixture
def computer(monkeypatch):
    """Make torch see the GPUs given, and nothing in the environment."""

    def has(cuda=0, mps=False, capability=(8, 0)):
        monkeypatch.delenv("POINTPROMPT_DEVICE", raising=False)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return has


def test_cuda_comes_before_mps_and_mps_before_the_cpu(computer):
    computer(cuda=1, mps=True)
    assert pick_device() == "cuda"
    computer(mps=True)
    assert pick_device() == "mps"
    computer()
    assert pick_device() == "cpu"


def test_an_argument_beats_the_environment_which_beats_the_best(computer, monkeypatch):
    computer(cuda=2, mps=True)
    monkeypatch.setenv("POINTPROMPT_DEVICE", "MPS")
    assert pick_device() == "mps"
    assert pick_device("cuda:1") == "cuda:1"
    assert pick_device("") == "mps"


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cuda:-1", "mps:0", "cpu:0", "cuda1"])
def test_an_unknown_device_is_named_with_those_there_are(computer, device):
    computer(cuda=1, mps=True)
    with pytest.raises(BackboneError, match=r"There is no device .*cuda, cuda:<number>, mps, cpu"):
        pick_device(device)


def test_a_device_this_computer_lacks_is_refused(computer, monkeypatch):
    computer()
    with pytest.raises(BackboneError, match="no CUDA GPU"):
        pick_device("cuda")
    with pytest.raises(BackboneError, match="no Apple GPU"):
        pick_device("mps")
    monkeypatch.setenv("POINTPROMPT_DEVICE", "cuda")
    with pytest.raises(BackboneError, match="no CUDA GPU"):
        pick_device()
    computer(cuda=2)
    with pytest.raises(BackboneError, match="only 2 CUDA GPUs"):
        pick_device("cuda:2")


def test_half_precision_is_used_where_a_gpu_has_it(computer):
    computer(cuda=1, capability=(9, 0))
    assert devices.half_precision("cuda") == torch.bfloat16
    computer(cuda=1, capability=(7, 5))  # A T4 only emulates bfloat16.
    assert devices.half_precision("cuda:0") == torch.float16
    computer(cuda=1, capability=(6, 1))
    assert devices.half_precision("cuda") is None
    assert devices.half_precision("cpu") is None
    assert devices.half_precision("mps") is None


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (MemoryError(), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_a_full_memory_is_told_from_other_errors(error, full):
    assert devices.is_out_of_memory(error) is full


def test_without_a_driver_torch_is_not_imported_to_learn_that_there_is_no_gpu():
    code = (
        "import sys\n"
        "from pointprompt.backbones import devices\n"
        "devices._DRIVER_FILES = ()\n"
        "sys.platform = 'linux'\n"
        "assert devices.has_gpu() is False\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PATH": ""}, timeout=60)


def test_a_zero_gpu_space_counts_as_a_gpu_though_it_has_no_driver(computer, monkeypatch):
    computer(cuda=1)
    monkeypatch.setattr(devices, "_DRIVER_FILES", ())
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert devices.has_gpu() is True
    monkeypatch.setenv("POINTPROMPT_DEVICE", "cpu")
    assert devices.has_gpu() is False
