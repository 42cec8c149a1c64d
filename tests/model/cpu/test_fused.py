"""The block in tiles against its definition, one torch operation after the other."""

import copy

import pytest
import torch
from torch import nn

from raysed.config.trial import Model
from raysed.model.cpu import bfloat16, maps
from raysed.model.crnn import CRNN, ConvBlock

CONFIG = Model(filters=(3, 5), pooling=((2, 2), (1, 4)), gru_units=4, dropout=0.0)


def blocks(in_channels, pooling, config=CONFIG, channels=5):
    """A block and its copy that goes the plain way, in float64."""
    torch.manual_seed(3)
    ours = ConvBlock(in_channels, channels, pooling, config).double().train()
    nn.init.uniform_(ours.norm.weight, 0.5, 1.5)
    nn.init.uniform_(ours.norm.bias, -1, 1)
    plain = copy.deepcopy(ours)
    plain.forward = plain.plain
    return ours, plain


def gradients(block, x, weights):
    out = block(x)
    out.backward(weights[..., : out.shape[2], : out.shape[3]])
    return out.detach(), [p.grad for p in block.parameters()], x.grad


@pytest.fixture(params=[1 << 17, 64])
def tile(request, monkeypatch):
    """Whole clips in a tile and some per convolution; or two frames, and one clip."""
    monkeypatch.setattr(maps, "TILE_ELEMENTS", request.param)
    monkeypatch.setattr(maps, "CHUNK", 8 * request.param)


@pytest.mark.parametrize("in_channels", [1, 2])
@pytest.mark.parametrize(
    ("pooling", "shape"), [((2, 2), (13, 9)), ((1, 2), (7, 4)), ((3, 1), (8, 2))]
)
def test_values_gradients_and_statistics_are_the_definitions(tile, in_channels, pooling, shape):
    ours, plain = blocks(in_channels, pooling)
    x = 3 + 2 * torch.randn(4, in_channels, *shape, dtype=torch.float64)
    # A first layer's input wants no gradient.
    inputs = [x.clone().requires_grad_(in_channels > 1) for _ in range(2)]
    weights = torch.randn(4, 5, *shape, dtype=torch.float64)
    found, expected = (gradients(b, i, weights) for b, i in zip((ours, plain), inputs, strict=True))
    assert torch.allclose(found[0], expected[0], rtol=0, atol=1e-12)
    for ours_, theirs in zip(found[1], expected[1], strict=True):
        assert torch.allclose(ours_, theirs, rtol=1e-9, atol=1e-10)
    if in_channels > 1:
        assert torch.allclose(found[2], expected[2], rtol=0, atol=1e-11)
    for ours_, theirs in zip(ours.buffers(), plain.buffers(), strict=True):
        assert torch.allclose(ours_, theirs, rtol=1e-12)
    for block in (ours, plain):
        block.eval()
    with torch.no_grad():
        assert torch.allclose(ours(x), plain(x), rtol=0, atol=1e-12)


def test_gradient_of_an_input_of_one_channel():
    ours, plain = blocks(1, (2, 2))
    x = torch.randn(2, 1, 6, 4, dtype=torch.float64)
    weights = torch.randn(2, 5, 6, 4, dtype=torch.float64)
    found, expected = (gradients(b, x.clone().requires_grad_(), weights)[2] for b in (ours, plain))
    assert torch.allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("in_channels", [1, 2])
def test_gradients_are_those_of_differences(in_channels):
    """Dropout included: one key, one mask, forward and backward."""
    block, _ = blocks(in_channels, (2, 2), CONFIG.model_copy(update={"dropout": 0.5}), channels=3)
    x = torch.randn(2, in_channels, 5, 4, dtype=torch.float64, requires_grad=in_channels > 1)

    def pooled(*_):
        torch.manual_seed(0)
        return block(x)

    learnt = list(block.parameters()) + [x] * (in_channels > 1)
    assert torch.autograd.gradcheck(pooled, learnt)


def test_dropout_drops_its_share_and_keeps_the_mean():
    block = ConvBlock(1, 16, (1, 1), CONFIG.model_copy(update={"dropout": 0.25})).train()
    x = torch.randn(4, 1, 64, 32)
    torch.manual_seed(1)
    once, again = block(x), block(x)
    torch.manual_seed(1)
    assert torch.equal(block(x), once)
    assert not torch.equal(once, again)
    dropped = once == 0
    assert dropped.float().mean().item() == pytest.approx(0.25, abs=0.005)
    block.dropout.p = 0.0
    whole = block(x)
    assert torch.allclose(once[~dropped], whole[~dropped] * 4 / 3, rtol=1e-5)
    # Neighbours fall independently: both of two with probability 1/16.
    both = (dropped[..., 1:] & dropped[..., :-1]).float().mean().item()
    assert both == pytest.approx(1 / 16, abs=0.005)


def test_far_from_zero_statistics_keep_their_digits():
    ours, plain = blocks(2, (2, 2))
    x = 1e3 + torch.randn(4, 2, 12, 8)
    with torch.no_grad():
        exact = plain(x.double())
        assert torch.allclose(ours.float()(x).double(), exact, atol=2e-2)


def drawn(dropout):
    model = CRNN(Model(dropout=dropout), 10)
    model.initialise(torch.Generator().manual_seed(1))
    return model.train()


def test_float32_gradients_are_nearer_the_true_ones_than_the_plain_steps():
    """The published size, one clip: relative error of all gradients together, against float64."""
    ours = drawn(0.0)
    plain = copy.deepcopy(ours)
    for block in plain.blocks:
        block.forward = block.plain  # type: ignore[assignment]
    plain.gru.__class__ = nn.GRU
    exact = copy.deepcopy(plain).double()
    for block in exact.blocks:
        block.forward = block.plain  # type: ignore[assignment]
    mel = torch.randn(1, 628, 128, generator=torch.Generator().manual_seed(2))
    found = {}
    for name, model in (("ours", ours), ("plain", plain), ("exact", exact)):
        strong_BUK, weak_BK = model(mel.to(next(model.parameters()).dtype))
        (strong_BUK.square().sum() + weak_BK.sum()).backward()
        found[name] = torch.cat([p.grad.double().flatten() for p in model.parameters()])
    error = {k: ((found[k] - found["exact"]).norm() / found["exact"].norm()) for k in found}
    assert error["ours"] < 6e-5
    assert error["ours"] < 2 * error["plain"]


@pytest.fixture(params=[False, True], ids=["stored", "multiplied"])
def units(request, monkeypatch):
    """A processor without units for bfloat16 matrices, and one that has them (or computes as if it had)."""
    monkeypatch.setattr(bfloat16, "has_fast_products", lambda: request.param)


@pytest.mark.parametrize("in_channels", [1, 2])
def test_bfloat16_stores_half_and_stays_near(units, in_channels):
    ours, _ = blocks(in_channels, (2, 2))
    ours.float()
    x = torch.randn(2, in_channels, 12, 8, requires_grad=in_channels > 1)
    exact = gradients(ours, x, torch.ones(2, 5, 12, 8))
    exact = (exact[0], [g.clone() for g in exact[1]], None if x.grad is None else x.grad.clone())
    ours.zero_grad()
    x.grad = None
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = ours(x)
    saved = {t.dtype for t in out.grad_fn.saved_tensors[7:]} or {
        out.grad_fn.saved_tensors[-1].dtype
    }
    assert out.dtype == torch.bfloat16
    assert saved == {torch.bfloat16 if in_channels > 1 else torch.float32}
    out.backward(torch.ones_like(out))
    assert torch.allclose(out.float(), exact[0], atol=0.02)
    if in_channels > 1:
        assert torch.allclose(x.grad, exact[2], atol=0.03)
    for found, expected in zip((p.grad for p in ours.parameters()), exact[1], strict=True):
        assert found.dtype == torch.float32
        assert torch.allclose(found, expected, atol=0.02 * expected.abs().max().item() + 1e-2)


def test_bfloat16_gradients_are_as_near_the_true_ones_as_autocasts(monkeypatch):
    """The published size, a clip of 3 s: relative error of all gradients together, against float32."""
    monkeypatch.setattr(bfloat16, "has_fast_products", lambda: True)
    mel = torch.randn(1, 188, 128, generator=torch.Generator().manual_seed(2))
    found = {}
    for name in ("exact", "ours", "plain"):
        model = drawn(0.0)
        if name == "plain":
            for block in model.blocks:
                block.forward = block.plain  # type: ignore[assignment]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=name != "exact"):
            strong_BUK, weak_BK = model(mel)
        (strong_BUK.square().sum() + weak_BK.sum()).backward()
        found[name] = torch.cat([p.grad.flatten() for p in model.parameters()])
    error = {k: ((found[k] - found["exact"]).norm() / found["exact"].norm()) for k in found}
    assert 1e-4 < error["ours"] < 0.02
    assert error["ours"] < 1.5 * error["plain"]


def test_bfloat16_gives_the_same_bits_again(units):
    block = ConvBlock(2, 16, (2, 2), CONFIG.model_copy(update={"dropout": 0.5})).train()
    x = torch.randn(3, 2, 40, 16)
    again = copy.deepcopy(block)
    outputs = []
    for each in (block, again):
        torch.manual_seed(4)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = each(x)
        out.float().square().sum().backward()
        outputs.append([out, *(p.grad for p in each.parameters()), *each.buffers()])
    assert all(torch.equal(*pair) for pair in zip(*outputs, strict=True))
