"""The gated unit and pooling of one window, by hand."""

import math

import torch

from raysed.model.gpu.gate_kernels import gate_forward, given_forward
from tests.model.gpu.small import DEVICE, maps_of


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def by_hand(values):
    """Mean of (0.5 y + 1) sigmoid(y) with y = 2 x - 1, of one channel."""
    ys = [2 * x - 1 for x in values]
    return sum((0.5 * y + 1) * sigmoid(y) for y in ys) / len(ys)


def parameters():
    norm = torch.tensor([[0.0], [1.0], [2.0], [-1.0], [4.0]])
    return [each.double().to(DEVICE) for each in (norm, torch.tensor([[0.5]]), torch.tensor([1.0]))]


def test_one_window_with_the_products_of_the_program_itself():
    maps = maps_of(torch.tensor([[[[0.0, 1.0], [2.0, -3.0]]]]).double())
    pooled, key = (
        torch.zeros(1, dtype=torch.float64, device=DEVICE),
        torch.tensor([1], device=DEVICE),
    )
    gate_forward[(1,)](
        maps.source, pooled, tuple(parameters()), key, maps.shape, RULES=maps.rules, P=16, C=16
    )
    assert math.isclose(pooled.item(), by_hand([0.0, 1.0, 2.0, -3.0]))


def test_one_window_with_given_products():
    y = torch.tensor([[-1.0], [1.0], [3.0], [-7.0]]).double().to(DEVICE)
    maps = maps_of(torch.zeros(1, 1, 2, 2).double())
    pooled, key = (
        torch.zeros(1, dtype=torch.float64, device=DEVICE),
        torch.tensor([1], device=DEVICE),
    )
    given_forward[1, 1]((y, 0.5 * y + 1), pooled, key, maps.shape, RULES=maps.rules, P=16, C=16)
    assert math.isclose(pooled.item(), by_hand([0.0, 1.0, 2.0, -3.0]))
