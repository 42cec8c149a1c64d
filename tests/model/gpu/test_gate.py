"""Both kinds of launches, of programs that hold all channels and of given products, do the same."""

import pytest
import torch

from raysed.model.gpu import launches
from tests.model.gpu.small import DEVICE, maps_of


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_both_kinds_give_the_same(monkeypatch, dropout):
    maps = maps_of(torch.randn(2, 3, 5, 6).double(), pooling=(2, 3), dropout=dropout)
    norm, weight, bias = (torch.randn(s).double().to(DEVICE) for s in ((5, 3), (3, 3), (3,)))
    parameters, key = (norm, weight, bias), torch.tensor([7], device=DEVICE)
    grad = torch.randn(2, 2, 2, 3).double().to(DEVICE)
    found = []
    for _ in range(2):
        pooled = torch.zeros(2, 2, 2, 3).double().to(DEVICE)
        maps.forward(pooled, parameters, key)
        dy, (weight_grad, bias_grad), sums = maps.backward(grad, parameters, key)
        found.append((pooled, dy, weight_grad, bias_grad, sums.sum(0)))
        for name in ("FORWARD", "BACKWARD"):
            monkeypatch.setattr(launches, name, {})
    for narrow, wide in zip(*found, strict=True):
        assert torch.allclose(narrow, wide, atol=1e-12)
    # The frame that pooling leaves out has no gradient.
    assert (found[0][1][:, :, 4] == 0).all()
