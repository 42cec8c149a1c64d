"""The choice between a fused block and the plain one, with its reason."""

import copy

import pytest
import torch

from raysed.config.trial import Model
from raysed.model import fast_block
from raysed.model.crnn import ConvBlock
from raysed.model.fast_block import fused, why_plain

SMALL = Model(filters=(3,), pooling=((1, 2),))
CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"dropout": 0.0}, None),
        ({"dropout": 0.001}, "a dropout of 0.001 is none or all in 256 parts"),
        ({"pool": "max"}, "pool is max, fused blocks average"),
    ],
)
def test_reasons_on_a_cpu(change, reason):
    config = SMALL.model_copy(update=change)
    assert why_plain(config, CPU) == reason
    block = ConvBlock(1, 3, (1, 2), config)
    assert (fused(block, torch.zeros(1, 1, 4, 4)) is None) == (reason is not None)


def test_other_devices_have_none():
    assert why_plain(SMALL, torch.device("meta")) == "none are written for meta"


def test_a_gpu_is_asked(monkeypatch):
    asked = []
    monkeypatch.setattr("raysed.model.gpu.usable.unusable", lambda d: asked.append(d) or "too old")
    assert why_plain(SMALL, torch.device("cuda", 1)) == "too old"
    assert asked == [torch.device("cuda", 1)]


def test_gradients_in_evaluation_take_the_plain_way():
    block = ConvBlock(1, 3, (1, 2), SMALL).eval()
    x = torch.zeros(1, 1, 4, 4)
    assert fused(block, x) is None
    with torch.no_grad():
        assert fused(block, x) is not None


def test_one_pixel_has_no_statistics():
    block = ConvBlock(1, 3, (1, 1), SMALL)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        block(torch.zeros(1, 1, 1, 1))
    assert torch.equal(block.norm.running_var, torch.ones(3))
    block(torch.zeros(1, 1, 1, 2)), block.eval()(torch.zeros(1, 1, 1, 1))


def test_what_is_given_to_either_block_is_the_blocks_own(monkeypatch):
    block = copy.deepcopy(ConvBlock(1, 3, (1, 2), SMALL)).eval()
    seen = []
    monkeypatch.setattr(fast_block.Block, "apply", lambda *given: seen.append(given))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        fused(block, torch.zeros(1, 1, 4, 4))
    settings, _, *parameters = seen[0]
    assert (settings.storage, settings.dropped, settings.pooling) == (torch.bfloat16, 0, (1, 2))
    assert [tuple(p.shape) for p in parameters] == [(3, 1, 3, 3), (3,), (3,), (3,), (3, 3), (3,)]


def test_what_a_gpus_block_is_given(monkeypatch):
    triton_block = pytest.importorskip("raysed.model.gpu.triton_block")
    block = ConvBlock(1, 3, (1, 2), SMALL)
    seen = []
    monkeypatch.setattr(triton_block.TritonBlock, "apply", lambda *given: seen.append(given))
    fast_block._on_gpu(block, torch.float16, torch.zeros(1, 1, 4, 4), list(block.parameters()))
    settings, x, *parameters = seen[0]
    assert (settings.storage, settings.dropout, settings.pooling) == (torch.float16, 0.5, (1, 2))
    assert settings.norm is block.norm and not settings.all_ranks
    assert x.shape == (1, 1, 4, 4) and len(parameters) == 6
