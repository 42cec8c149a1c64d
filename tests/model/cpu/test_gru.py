import copy

import torch
from torch import nn

from raysed.model.cpu.gru import GRU, Layer


def pair():
    torch.manual_seed(2)
    ours = GRU(3, 4, num_layers=2, bidirectional=True, batch_first=True).double()
    theirs = nn.GRU(3, 4, num_layers=2, bidirectional=True, batch_first=True).double()
    theirs.load_state_dict(copy.deepcopy(ours.state_dict()))
    return ours, theirs


def test_values_and_gradients_are_torchs():
    ours, theirs = pair()
    inputs = [
        torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0)).double() for _ in "12"
    ]
    weights = torch.randn(2, 5, 8, dtype=torch.float64)
    outputs = []
    for gru, x in zip((ours, theirs), inputs, strict=True):
        out, last = gru(x.requires_grad_())
        (out * weights).sum().backward()
        outputs.append((out, last, x.grad, *(p.grad for p in gru.parameters())))
    for found, expected in zip(*outputs, strict=True):
        assert torch.allclose(found, expected, rtol=0, atol=1e-13)


def test_one_frame_and_no_gradient():
    ours, theirs = pair()
    x = torch.randn(3, 1, 3, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(ours(x)[0], theirs(x)[0], atol=1e-14)


def test_gradients_are_those_of_differences():
    shapes = ((2, 3, 2, 3), (2, 12, 3), (2, 12, 4), (2, 12), (2, 12))
    drawn = [torch.randn(s, dtype=torch.float64, requires_grad=True) for s in shapes]
    assert torch.autograd.gradcheck(Layer.apply, drawn)
