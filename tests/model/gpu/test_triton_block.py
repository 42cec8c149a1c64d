"""The fused block of a GPU against its definition, one torch operation after the other."""

import pytest
import torch
import torch.distributed as dist

from raysed.model.gpu import launches
from tests.model.gpu.small import DEVICE, block_of, fused_way, pair_of

ABSOLUTE, RELATIVE = 1e-10, 1e-9


def gradients(block, x):
    out = block(x)
    weights = torch.randn(
        out.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64
    )
    out.backward(weights.to(out))
    return [out.detach(), *(p.grad for p in block.parameters()), *([x.grad] * x.requires_grad)]


@pytest.mark.parametrize(
    ("in_channels", "channels", "pooling", "shape"),
    [
        (1, 5, (2, 2), (5, 7)),  # taps; a frame and a band are left out
        (2, 5, (2, 2), (5, 7)),
        (2, 20, (1, 3), (3, 6)),
        (2, 17, (5, 1), (10, 3)),
        (2, 70, (1, 2), (2, 5)),  # forward with all channels, backward by given products
        (2, 130, (2, 1), (5, 2)),  # given products both ways
        (1, 1, (1, 1), (1, 3)),  # a channel, a frame, and no pooling
        (3, 33, (7, 5), (9, 11)),
    ],
)
def test_values_gradients_and_statistics_are_the_definitions(in_channels, channels, pooling, shape):
    ours, plain = pair_of(in_channels, channels, pooling)
    x = 3 + 2 * torch.randn(2, in_channels, *shape, dtype=torch.float64).to(DEVICE)
    # A first layer's input wants no gradient.
    inputs = [x.clone().requires_grad_(in_channels > 1) for _ in range(2)]
    found, expected = (gradients(b, i) for b, i in zip((ours, plain), inputs, strict=True))
    for ours_, theirs in zip(found, expected, strict=True):
        assert torch.allclose(ours_, theirs, rtol=RELATIVE, atol=ABSOLUTE)
    for ours_, theirs in zip(ours.buffers(), plain.buffers(), strict=True):
        assert torch.allclose(ours_, theirs, rtol=1e-12)


def test_in_evaluation_the_running_statistics_count():
    ours, plain = pair_of(1, dropout=0.5)
    ours.norm.running_mean.fill_(0.5), plain.norm.running_mean.fill_(0.5)
    x = torch.randn(2, 1, 4, 4, dtype=torch.float64).to(DEVICE)
    with torch.no_grad():
        assert torch.allclose(ours.eval()(x), plain.eval()(x), rtol=0, atol=1e-12)
    assert ours.norm.num_batches_tracked == 0


def test_gradient_of_an_input_of_one_channel():
    inputs = [torch.ones(1, 1, 4, 4, dtype=torch.float64).to(DEVICE) for _ in range(2)]
    for x in inputs:
        x[0, 0, 1, 2] = 3
        x.requires_grad_()
    found, expected = (gradients(b, i)[-1] for b, i in zip(pair_of(1), inputs, strict=True))
    assert torch.allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("in_channels", [1, 2])
@pytest.mark.parametrize("given", [(), ("BACKWARD",), ("FORWARD",), ("FORWARD", "BACKWARD")])
def test_with_dropout_gradients_are_those_of_differences(monkeypatch, in_channels, given):
    """One key, one mask, forward and backward, whichever kernels draw it."""
    for name in given:
        monkeypatch.setattr(launches, name, {})
    block = block_of(in_channels, channels=3, pooling=(2, 3), dropout=0.4)
    way = fused_way(block)
    x = torch.randn(2, in_channels, 4, 7, dtype=torch.float64).to(DEVICE)
    x.requires_grad_(in_channels > 1)
    learnt = [*block.parameters(), *([x] * x.requires_grad)]
    directions = [torch.randn_like(p) for p in learnt]

    def value():
        torch.manual_seed(0)
        return way(x).square().sum()

    value().backward()
    slope = sum((p.grad * d).sum() for p, d in zip(learnt, directions, strict=True))
    step, sides = 1e-6, []
    for sign in (1, -2):
        with torch.no_grad():
            for p, d in zip(learnt, directions, strict=True):
                p += sign * step * d
            sides.append(value().item())
    assert slope.item() == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=1e-5)


def test_dropout_drops_its_share_independently_and_keeps_the_mean():
    block = block_of(1, 8, (1, 1), dropout=0.25, dtype=torch.float32)
    x = torch.randn(1, 1, 16, 24).to(DEVICE)
    way = fused_way(block)
    with torch.no_grad():
        torch.manual_seed(1)
        once, again = way(x), way(x)
        torch.manual_seed(1)
        assert torch.equal(way(x), once)
        assert not torch.equal(once, again)
        block.dropout.p = 0.0
        whole = fused_way(block)(x)
    dropped = once == 0
    assert dropped.float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert torch.allclose(once[~dropped], whole[~dropped] * 4 / 3, rtol=1e-5)
    for near in ((dropped[..., 1:], dropped[..., :-1]), (dropped[:, 1:], dropped[:, :-1])):
        assert (near[0] & near[1]).float().mean().item() == pytest.approx(1 / 16, abs=0.03)


def test_what_drops_nothing_draws_nothing():
    """A trial that scores leaves alone what another one of its process draws."""
    block = block_of(1, 8, (1, 1), dropout=0.25, dtype=torch.float32)
    way, x = fused_way(block), torch.randn(1, 1, 4, 4).to(DEVICE)
    torch.manual_seed(1)
    expected = torch.rand(1, device=DEVICE)
    block.eval()
    torch.manual_seed(1)
    with torch.no_grad():
        way(x)
    assert torch.equal(torch.rand(1, device=DEVICE), expected)


def test_pixels_of_a_window_are_dropped_independently():
    block = block_of(1, 16, (2, 2), dropout=0.5, dtype=torch.float32)
    with torch.no_grad():
        block.norm.weight.zero_(), block.norm.bias.zero_()
        block.glu.linear.weight.zero_(), block.glu.linear.bias.fill_(2.0)
        # Every element is 2 * sigmoid(0) = 1: a window's mean is 2 * kept / 4.
        kept = fused_way(block)(torch.randn(2, 1, 32, 16).to(DEVICE)) * 2
    shares = [(kept == n).float().mean().item() for n in range(5)]
    assert shares == pytest.approx([1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16], abs=0.02)


@pytest.mark.parametrize("storage", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("in_channels", [1, 2])
def test_half_precision_stores_half_and_stays_near(storage, in_channels):
    ours, plain = pair_of(in_channels, dtype=torch.float32)
    x = torch.randn(2, in_channels, 6, 4).to(DEVICE)
    half = x.to(storage) if in_channels > 1 else x.clone()
    inputs = [half.requires_grad_(in_channels > 1), x.clone().requires_grad_(in_channels > 1)]
    found = gradients(fused := _as_module(ours, storage), inputs[0])
    expected = gradients(plain, inputs[1])
    assert found[0].dtype == storage
    assert all(p.grad.dtype == torch.float32 for p in fused.parameters())
    for ours_, theirs in zip(found, expected, strict=True):
        room = 0.03 * theirs.abs().max().item() + 1e-3
        assert torch.allclose(ours_.float(), theirs, atol=room)


def _as_module(block, storage):
    block.forward = fused_way(block, storage)
    return block


def test_far_from_zero_statistics_keep_their_digits():
    ours, plain = pair_of(2, dtype=torch.float32)
    x = 1e3 + torch.randn(2, 2, 6, 4).to(DEVICE)
    with torch.no_grad():
        assert torch.allclose(ours(x).double(), plain.double()(x.double()), atol=2e-2)


def test_a_group_of_one_rank_is_none(tmp_path):
    x = torch.randn(2, 2, 4, 6, dtype=torch.float64).to(DEVICE)
    alone, grouped = block_of(2), block_of(2)
    alone.forward, grouped.forward = fused_way(alone), fused_way(grouped, all_ranks=True)
    backend = "nccl" if DEVICE.type == "cuda" else "gloo"
    dist.init_process_group(backend, init_method=f"file://{tmp_path}/group", rank=0, world_size=1)
    try:
        found, expected = (gradients(b, x.clone().requires_grad_()) for b in (grouped, alone))
    finally:
        dist.destroy_process_group()
    for ours_, theirs in zip(found, expected, strict=True):
        assert torch.allclose(ours_, theirs, rtol=1e-12, atol=1e-13)
