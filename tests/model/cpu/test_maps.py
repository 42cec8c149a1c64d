"""Tiles, and the two kinds of convolution outputs: both give what plain torch gives, and the same sums."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from raysed.model.cpu import maps
from raysed.model.cpu.maps import Maps, Norm, Taps, tiles

SHAPE = (3, 7, 5, 4)
"""B, T, F and C of the outputs."""


@pytest.fixture(params=[(1 << 17, 1 << 20), (45, 150)], ids=["whole", "small"])
def sizes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All clips at once, or two frames a tile and one clip a convolution."""
    monkeypatch.setattr(maps, "TILE_ELEMENTS", request.param[0])
    monkeypatch.setattr(maps, "CHUNK", request.param[1])


@given(
    shape=st.tuples(*(st.integers(1, 40) for _ in range(4))),
    pool_t=st.integers(1, 5),
    size=st.integers(1, 3000),
)
def test_tiles_hold_every_frame_once_and_whole_pooling_windows(
    shape: tuple[int, int, int, int], pool_t: int, size: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maps, "TILE_ELEMENTS", size)
        found = list(tiles(shape, pool_t))
    clips, frames, bands, channels = shape
    assert [tile.index for tile in found] == list(range(len(found)))
    held = [(tile.clip, t) for tile in found for t in range(tile.t0, tile.t1)]
    assert held == [(clip, t) for clip in range(clips) for t in range(frames)]
    pooled = [(t.clip, u) for t in found for u in range(t.pooled.start, t.pooled.stop)]
    assert pooled == [(clip, u) for clip in range(clips) for u in range(frames // pool_t)]
    assert all(tile.t0 % pool_t == 0 for tile in found)
    longest = max(tile.t1 - tile.t0 for tile in found)
    assert found[0].t1 - found[0].t0 == longest
    # No larger than asked for, unless one pooling window is.
    assert longest * bands * channels <= max(size, pool_t * bands * channels)


def inputs(channels: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Input (B, I, T, F), weight and bias in float64."""
    random = torch.Generator().manual_seed(channels)
    clips, frames, bands, out = SHAPE

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=random, dtype=torch.float64)

    return 2 + drawn(clips, channels, frames, bands), drawn(out, channels, 3, 3), drawn(out)


def made_of(kind: type, x: torch.Tensor, *convolution: torch.Tensor) -> Maps | Taps:
    return Taps(x, convolution) if kind is Taps else Maps(x, convolution, x.dtype)


KINDS = [(Maps, 1), (Maps, 2), (Taps, 1)]


@pytest.mark.parametrize(("kind", "channels"), KINDS)
def test_moments_and_normalised_tiles_are_the_convolutions(
    sizes: None, kind: type, channels: int
) -> None:
    x, weight, bias = inputs(channels)
    out_BTFC = F.conv2d(x, weight, bias, padding=1).permute(0, 2, 3, 1)
    made = made_of(kind, x, weight, bias)
    assert made.shape == SHAPE
    expected_2C = torch.stack([out_BTFC.sum((0, 1, 2)), out_BTFC.square().sum((0, 1, 2))])
    torch.testing.assert_close(made.moments(), expected_2C, rtol=1e-11, atol=1e-10)
    scale_C, shift_C = torch.linspace(0.5, 2, 4).double(), torch.linspace(-1, 1, 4).double()
    norm = Norm(torch.zeros(4), torch.ones(4), scale_C, shift_C)
    for tile in tiles(SHAPE, 2):
        y_MC = torch.full(((tile.t1 - tile.t0) * SHAPE[2], 4), torch.nan, dtype=torch.float64)
        made.normalised(tile, norm, y_MC)
        expected = out_BTFC[tile.clip, tile.t0 : tile.t1].reshape(-1, 4) * scale_C + shift_C
        torch.testing.assert_close(y_MC, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("kind", "channels"), KINDS)
def test_gradients_through_convolution_and_batch_norm_are_torchs(
    sizes: None, kind: type, channels: int
) -> None:
    x, weight, bias = inputs(channels)
    input_too = kind is Maps
    learnt = [weight.requires_grad_(), x.requires_grad_(input_too)][: 1 + input_too]
    out = F.batch_norm(F.conv2d(x, weight, bias, padding=1), None, None, training=True, eps=1e-5)
    grad_out = torch.randn(out.shape, generator=torch.Generator().manual_seed(1)).double()
    expected = torch.autograd.grad(out, learnt, grad_out)
    with torch.no_grad():
        made, count = made_of(kind, x, weight, bias), float(np.prod(SHAPE[:3]))
        sums_2C = made.moments()
        mean_C = sums_2C[0] / count
        rstd_C = torch.rsqrt(sums_2C[1] / count - mean_C**2 + 1e-5)
        norm = Norm(mean_C, rstd_C, rstd_C, -mean_C * rstd_C)
        for tile in tiles(SHAPE, 1):
            dy_MC = made.gradient(tile)
            made.normalised(tile, norm, torch.empty_like(dy_MC))
            dy_MC.copy_(grad_out[tile.clip, :, tile.t0 : tile.t1].permute(1, 2, 0).reshape(-1, 4))
            made.add(tile, norm, dy_MC)
        own_2C = made.gradient_sums(norm)
        torch.testing.assert_close(own_2C[0], grad_out.sum((0, 2, 3)), rtol=1e-11, atol=1e-11)
        x_grad, weight_grad = made.finish(norm.factors(own_2C, count), input_too)
    torch.testing.assert_close(weight_grad, expected[0], rtol=1e-9, atol=1e-10)
    if input_too:
        torch.testing.assert_close(x_grad, expected[1], rtol=1e-9, atol=1e-10)
    else:
        assert x_grad is None


def test_both_kinds_agree_to_their_own_precision_far_from_zero() -> None:
    x, weight, bias = inputs(1)
    exact = Maps(1e3 + x, (weight, bias), x.dtype).moments()
    for kind in (Maps, Taps):
        # Sums about a value near the mean keep the digits that single precision has.
        found = made_of(kind, 1e3 + x.float(), weight.float(), bias.float()).moments()
        torch.testing.assert_close(found, exact, rtol=2e-6, atol=0)


def test_outputs_kept_in_half_are_computed_with_in_the_type_of_products() -> None:
    x, weight, bias = inputs(2)
    given = x.float(), (weight.float(), bias.float()), torch.float32
    first = Maps(*given)
    again = Maps(*given, [p.bfloat16() for p in first.kept])
    assert again.kept[0].dtype == torch.bfloat16
    rounded = first.kept[0].bfloat16().double()
    torch.testing.assert_close(again.moments()[0], rounded.sum((0, 1, 2)), rtol=1e-5, atol=1e-4)


def test_products_in_half_have_factors_and_outputs_in_half_and_exact_sums() -> None:
    """Outputs are those of rounded factors to half a unit of bfloat16's eight bits; sums are of what is kept."""
    x, weight, bias = (part.bfloat16() for part in inputs(2))
    made = Maps(x, (weight.float(), bias.float()), torch.bfloat16)
    exact = F.conv2d(x.double(), weight.double(), bias.double(), padding=1).permute(0, 2, 3, 1)
    kept = torch.cat(made.kept)
    assert kept.dtype == torch.bfloat16
    torch.testing.assert_close(kept.double(), exact, rtol=2**-8, atol=1e-3)
    sums_2C = torch.stack([kept.double().sum((0, 1, 2)), kept.double().square().sum((0, 1, 2))])
    torch.testing.assert_close(made.moments(), sums_2C, rtol=1e-6, atol=1e-4)
