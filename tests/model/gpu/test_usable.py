from contextlib import nullcontext

import pytest
import torch

from raysed.model.gpu import usable
from raysed.model.gpu.usable import unusable

GPU = torch.device("cuda", 0)


@pytest.fixture(autouse=True)
def card(monkeypatch):
    """A GPU of a capability that a test may lower."""
    found = {"capability": (9, 0)}
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: found["capability"])
    monkeypatch.setattr(torch.random, "fork_rng", lambda devices: nullcontext())
    monkeypatch.setattr(torch.cuda, "device", lambda device: nullcontext())
    unusable.cache_clear()
    yield found
    unusable.cache_clear()


def test_an_old_gpu_is_told(card):
    card["capability"] = (6, 1)
    assert unusable(GPU) == "Triton needs compute capability 7.0, this GPU has 6.1"


def test_whatever_keeps_a_block_from_running_is_told_in_a_line(monkeypatch):
    def fails(device):
        raise RuntimeError("gcc said\nFailed to find C compiler")

    monkeypatch.setattr(usable, "_run_a_block", fails)
    assert unusable(GPU) == "Triton cannot run here: RuntimeError: Failed to find C compiler"


def test_it_is_asked_once(monkeypatch):
    asked = []
    monkeypatch.setattr(usable, "_run_a_block", asked.append)
    assert unusable(GPU) is None and unusable(GPU) is None
    assert asked == [GPU]


@pytest.mark.skipif(torch.cuda.is_available(), reason="the interpreter stands in for a GPU")
def test_the_block_that_is_tried_runs():
    usable._run_a_block(torch.device("cpu"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="the interpreter stands in for a GPU")
def test_scoring_may_be_what_asks_first():
    with torch.inference_mode():
        usable._run_a_block(torch.device("cpu"))
