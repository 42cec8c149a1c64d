"""Sums of batch statistics, and what is made of them, on numbers worked out by torch."""

import torch

from raysed.model.gpu.norm_kernels import finish_gradient, finish_norm, map_gradient, map_moments
from tests.model.gpu.small import DEVICE, maps_of

CHANNELS = 3


def test_rows_of_all_programs_hold_every_pixel_once():
    x = 100 + torch.randn(2, CHANNELS, 5, 7, dtype=torch.float64)
    maps = maps_of(x)
    rows = torch.zeros(4, 4, CHANNELS, dtype=torch.float64, device=DEVICE)
    map_moments[4, 1](maps.source, rows, rows, maps.shape, TAPS=False, P=16, C=16)
    total, square, first, count = rows.cpu().unbind(1)
    assert count.sum(0).tolist() == [70] * CHANNELS
    assert torch.allclose((total + count * first).sum(0), x.sum((0, 2, 3)))
    squares = square + 2 * first * total + count * first**2
    assert torch.allclose(squares.sum(0), x.square().sum((0, 2, 3)))


def finished(rows, trains):
    running = (
        torch.full((CHANNELS,), 1.0, dtype=torch.float64, device=DEVICE),
        torch.full((CHANNELS,), 2.0, dtype=torch.float64, device=DEVICE),
        torch.tensor(3, device=DEVICE),
    )
    affine = (
        torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, device=DEVICE),
        torch.tensor([0.0, 1.0, -1.0], dtype=torch.float64, device=DEVICE),
    )
    norm = torch.zeros(5, CHANNELS, dtype=torch.float64, device=DEVICE)
    sizes = (len(rows), CHANNELS)
    settings = {"EPS": 0.5, "MOMENTUM": 0.25, "TRAINS": trains, "R": 16, "C": 16}
    finish_norm[(1,)](rows, running, affine, norm, sizes, **settings)
    return [each.cpu() for each in running], norm.cpu()


def test_statistics_of_two_rows_by_hand():
    # The values 1, 2, 3, 6 of each channel: two about 1, two about 3; mean 3, variance 3.5.
    row = [[1.0, 1.0, 1.0, 2.0], [3.0, 9.0, 3.0, 2.0]]
    rows = torch.tensor(row, dtype=torch.float64, device=DEVICE)[:, :, None].repeat(1, 1, CHANNELS)
    (mean, variance, tracked), norm = finished(rows, trains=True)
    assert norm[0].tolist() == [3.0] * 3 and norm[4].tolist() == [4.0] * 3
    assert norm[1].tolist() == [0.5] * 3  # 1 / sqrt(3.5 + 0.5)
    assert norm[2].tolist() == [0.5, 1.0, 1.5]
    assert norm[3].tolist() == [-1.5, -2.0, -5.5]
    assert mean.tolist() == [1.5] * 3  # 1 + (3 - 1) / 4
    assert torch.allclose(variance, torch.full_like(variance, 2 + (3.5 * 4 / 3 - 2) / 4))
    assert tracked == 4


def test_in_evaluation_nothing_moves():
    rows = torch.zeros(1, 4, CHANNELS, dtype=torch.float64, device=DEVICE)
    (mean, variance, tracked), norm = finished(rows, trains=False)
    assert (mean == 1).all() and (variance == 2).all() and tracked == 3
    assert torch.allclose(norm[2], torch.tensor([1.0, 2.0, 3.0]).double() / 2.5**0.5)


def test_gradient_through_the_statistics_is_torchs():
    x = torch.randn(2, CHANNELS, 4, 3, dtype=torch.float64, requires_grad=True)
    dy = torch.randn(2, CHANNELS, 4, 3, dtype=torch.float64)
    weight = torch.tensor([1.0, 2.0, -1.0], dtype=torch.float64)
    torch.nn.functional.batch_norm(x, None, None, weight, None, True, 0.1, 1e-3).backward(dy)
    mean, variance = x.detach().mean((0, 2, 3)), x.detach().var((0, 2, 3), correction=0)
    rstd = (variance + 1e-3).rsqrt()
    norm = torch.stack([mean, rstd, weight * rstd, mean, torch.full_like(mean, 24.0)])
    centred = (dy * (x.detach() - mean[:, None, None])).sum((0, 2, 3))
    rows = torch.stack([dy.sum((0, 2, 3)), centred])[None].to(DEVICE)
    factors = torch.zeros(5, CHANNELS, dtype=torch.float64, device=DEVICE)
    finish_gradient[(1,)](rows, norm.to(DEVICE), factors, (1, CHANNELS), R=16, C=16)
    maps = maps_of(x.detach())
    grad = dy.to(DEVICE).contiguous(memory_format=torch.channels_last)
    map_gradient[2, 1](grad, maps.source[0], factors, maps.shape, P=16, C=16)
    assert torch.allclose(grad.cpu(), x.grad, atol=1e-12)
    assert torch.allclose(factors[3].cpu(), centred * rstd)
    assert torch.allclose(factors[4].cpu(), dy.sum((0, 2, 3)))
