"""The helpers of the kernels by themselves, each in a kernel that stores what it returns."""

import torch
import torch.nn.functional as F
import triton
import triton.language as tl

from raysed.model.gpu.launches import rules_of, shape_of
from raysed.model.gpu.tiles import kept_bits, pixels_of, tap_tile
from tests.model.gpu.small import DEVICE


@triton.jit
def _taps(inputs, out, shape, P: tl.constexpr):
    n, k = tl.arange(0, P), tl.arange(0, 16)
    tl.store(out + n[:, None] * 16 + k[None, :], tap_tile(inputs, n, n < shape.pixels, shape))


@triton.jit
def _pixels(out, q, shape, RULES: tl.constexpr, P: tl.constexpr):
    w = tl.arange(0, P)
    tl.store(out + w, pixels_of(w, q, shape, RULES), mask=w < shape.windows)


@triton.jit
def _bits(key, out, group, RULES: tl.constexpr, P: tl.constexpr, C: tl.constexpr):
    w, c = tl.arange(0, P), tl.arange(0, C)
    tl.store(out + w[:, None] * C + c[None, :], kept_bits(key, w, c, group, RULES))


def test_taps_are_the_neighbours_and_a_one():
    x = torch.arange(1.0, 31.0).reshape(2, 1, 3, 5).to(DEVICE)
    shape = shape_of((2, 3, 5, 4), (1, 1))
    out = torch.full((32, 16), -1.0, device=DEVICE)
    _taps[(1,)](x, out, shape, P=32)
    expected = F.unfold(x, 3, padding=1).transpose(1, 2).reshape(30, 9)
    assert torch.equal(out[:30, :9], expected)
    assert (out[:30, 9] == 1).all() and (out[:30, 10:] == 0).all()


def test_windows_of_two_by_three():
    shape = shape_of((1, 5, 7, 1), (2, 3))
    rules = rules_of((2, 3), 0.0, torch.float32, taps=False)
    numbers = torch.arange(35).reshape(5, 7)
    for q in range(6):
        out = torch.zeros(4, dtype=torch.int32, device=DEVICE)
        _pixels[(1,)](out, q, shape, RULES=rules, P=16)
        expected = numbers[q // 3 : 4 : 2, q % 3 : 6 : 3].flatten()
        assert out.tolist() == expected.tolist()


def test_bits_follow_from_key_window_channel_and_draw():
    rules = rules_of((2, 2), 0.5, torch.float32, taps=False)

    def bits(key, group):
        out = torch.zeros(16, 16, dtype=torch.int32, device=DEVICE)
        _bits[(1,)](torch.tensor([key], device=DEVICE), out, group, RULES=rules, P=16, C=16)
        return out

    first = bits(2**61 + 5, 0)
    assert torch.equal(first, bits(2**61 + 5, 0))
    # Each half of the key counts, and each draw is another.
    for other in (bits(2**61 + 6, 0), bits(2**60 + 5, 0), bits(2**61 + 5, 1)):
        assert (other != first).float().mean() > 0.8
    assert ((first >= 0) & (first < 16)).all()
    ones = sum(((first >> bit) & 1).float().mean().item() for bit in range(4)) / 4
    assert 0.42 < ones < 0.58
