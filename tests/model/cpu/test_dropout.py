"""Dropout by bytes: what is dropped, what is kept and scaled, and where torch's own takes over."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from raysed.model.cpu.dropout import Dropout, _dense, byte_mask


@given(size=st.integers(1, 100), dropped=st.integers(1, 255))
def test_a_mask_drops_or_scales_so_that_the_mean_stays(size: int, dropped: int) -> None:
    mask = byte_mask(torch.ones(size, dtype=torch.float64), dropped)
    assert mask.shape == (size,)
    assert set(mask.tolist()) <= {0.0, 256 / (256 - dropped)}


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_that_is_dropped(p: float) -> None:
    torch.manual_seed(0)
    out = Dropout(p)(torch.ones(200_000))
    assert (out == 0).float().mean().item() == pytest.approx(round(p * 256) / 256, abs=0.004)
    assert out.mean().item() == pytest.approx(1, abs=0.01)


def test_every_byte_of_a_draw_is_random() -> None:
    """Signs of 64-bit draws included: each of eight neighbours falls as often as the others."""
    torch.manual_seed(0)
    dropped_NB = (byte_mask(torch.ones(80_000), 64) == 0).view(-1, 8).float()
    assert (dropped_NB.mean(0) - 0.25).abs().max() < 0.02
    together_BB = torch.corrcoef(dropped_NB.T) - torch.eye(8)
    assert together_BB.abs().max() < 0.05


def test_evaluation_and_probability_zero_leave_the_input_alone() -> None:
    x = torch.randn(5, 7)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x


@pytest.mark.parametrize(("p", "kept"), [(0.001, True), (0.999, False)])
def test_probabilities_that_no_byte_can_tell_are_torchs(p: float, kept: bool) -> None:
    x = torch.randn(50)
    torch.manual_seed(3)
    found = Dropout(p)(x)
    torch.manual_seed(3)
    assert torch.equal(found, torch.nn.functional.dropout(x, p))
    assert bool((found != 0).any()) is kept


def test_the_gradient_meets_the_same_mask() -> None:
    x = torch.randn(64, requires_grad=True)
    out = Dropout(0.5)(x)
    out.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad * x.detach(), out.detach())


@pytest.mark.parametrize(
    ("x", "dense"),
    [
        (torch.ones(2, 3, 4), True),
        (torch.ones(2, 3, 4).permute(2, 0, 1), True),
        (torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last), True),
        (torch.ones(2, 1, 4).expand(2, 3, 4), False),
        (torch.ones(4, 6)[:, :3], False),
        (torch.ones(4, 6)[::2], False),
        (torch.ones(1, 5)[:, ::2], False),
        (torch.ones(3, 1), True),
    ],
)
def test_the_mask_lies_in_memory_as_its_input_does(x: torch.Tensor, dense: bool) -> None:
    assert _dense(x) is dense
    mask = byte_mask(x, 128)
    assert mask.shape == x.shape
    if dense:
        assert mask.stride() == x.stride()
