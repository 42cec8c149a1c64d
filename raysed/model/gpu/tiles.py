"""Things that the kernels of a fused block share: its sizes and rules, and tiles of the convolution's output.

Arrays are channels last. A pixel n is (clip, frame, band) flattened; a window w is (clip, u, v) flattened,
u and v being frame and band after pooling; P pixels or windows of a tile, C channels of a block of them.
The convolution's output is stored, or computed again from one input channel: from nine taps and a constant
one, a product with a matrix of 16 rows.
"""

from typing import Any, NamedTuple

import triton
import triton.language as tl

TAPS = 16
"""Rows of the matrix of taps: 9 weights, the bias, and zeros up to the least that a product takes."""
ROUNDS = tl.constexpr(7)
"""Rounds of Philox: the fewest that pass all tests (Salmon et al. 2011, doi:10.1145/2063384.2063405)."""


class Shape(NamedTuple):
    """The sizes of a block's convolution output and of what pooling leaves; numbers on the device."""

    pixels: Any
    frames: Any
    bands: Any
    channels: Any
    windows: Any
    pooled_frames: Any
    pooled_bands: Any
    draws: Any
    """Draws of random words for a window."""
    at_once: Any
    """Pixels of a window that share a draw; a number on the device, so that no compiler unrolls their loop."""


class Rules(NamedTuple):
    """The settings that are compiled into the kernels of a block."""

    pool_t: int
    pool_f: int
    dropped: int
    """Words of 32 bits below this one drop their element; 0: no dropout."""
    factor: float
    """A window's sum is multiplied with this: the mean, and dropout's scale."""
    dot: Any
    """The type of a product's factors."""
    precision: str
    """Triton's `input_precision`: "tf32" or "ieee"."""
    interpreted: bool
    """True in Triton's interpreter, which multiplies the bits of bfloat16 factors instead of their values: they
    are rounded, and multiplied in the type of sums."""
    taps: bool
    """True where the convolution's output is computed again from its one input channel."""


@triton.jit
def product(a, b, RULES: tl.constexpr, LIKE: tl.constexpr):
    """Return a @ b in the type LIKE, from factors in the rules' type."""
    a, b = a.to(RULES.dot), b.to(RULES.dot)
    if RULES.interpreted:
        a, b = a.to(LIKE), b.to(LIKE)
    return tl.dot(a, b, input_precision=RULES.precision, out_dtype=LIKE)


@triton.jit
def tap_tile(inputs, n_P, valid_P, shape):
    """Return what the nine weights meet at these pixels, then ones: (P, 16)."""
    k = tl.arange(0, 16)
    dt, df = k // 3 - 1, k % 3 - 1
    t = ((n_P // shape.bands) % shape.frames)[:, None] + dt[None, :]
    f = (n_P % shape.bands)[:, None] + df[None, :]
    inside = valid_P[:, None] & (k < 9)[None, :]
    inside = inside & (t >= 0) & (t < shape.frames) & (f >= 0) & (f < shape.bands)
    x = tl.load(inputs + n_P[:, None] + (dt * shape.bands + df)[None, :], mask=inside, other=0.0)
    return tl.where((k == 9)[None, :], 1.0, x)


@triton.jit
def tap_matrix(matrix, c_C, channels):
    """Return the weights, the bias and zeros: (16, C)."""
    k = tl.arange(0, 16)
    inside = (k < 10)[:, None] & (c_C < channels)[None, :]
    return tl.load(matrix + k[:, None] * channels + c_C[None, :], mask=inside, other=0.0)


@triton.jit
def map_tile(source, n_P, valid_P, c_C, shape, TAPS: tl.constexpr, LIKE: tl.constexpr):
    """Return the convolution's output at these pixels and channels, (P, C), 0 where there is none."""
    if TAPS:
        taps = tap_tile(source[0], n_P, valid_P, shape)
        matrix = tap_matrix(source[1], c_C, shape.channels)
        x = tl.dot(taps, matrix, input_precision="ieee", out_dtype=LIKE)
    else:
        inside = valid_P[:, None] & (c_C < shape.channels)[None, :]
        rows = n_P.to(tl.int64)[:, None] * shape.channels
        x = tl.load(source[0] + rows + c_C[None, :], mask=inside, other=0.0).to(LIKE)
    return x


@triton.jit
def pixels_of(w_P, q, shape, RULES: tl.constexpr):
    """Return the pixel number q of each window."""
    v = w_P % shape.pooled_bands
    u = (w_P // shape.pooled_bands) % shape.pooled_frames
    clip = w_P // (shape.pooled_bands * shape.pooled_frames)
    t = u * RULES.pool_t + q // RULES.pool_f
    return (clip * shape.frames + t) * shape.bands + v * RULES.pool_f + q % RULES.pool_f


@triton.jit
def kept_bits(key, w_P, c_C, group, RULES: tl.constexpr):
    """Return which of the next pixels of each window and channel dropout keeps, a bit each, by their numbers and
    the key alone.
    """
    if RULES.dropped > 0:
        zero = (w_P[:, None] + c_C[None, :]) * 0
        w, c = w_P[:, None] + zero, c_C[None, :] + zero
        r0, r1, r2, r3 = tl.philox(tl.load(key), w, c, group + zero, zero, ROUNDS)
        bits = (r0 >= RULES.dropped).to(tl.int32) + (r1 >= RULES.dropped).to(tl.int32) * 2
        bits += (r2 >= RULES.dropped).to(tl.int32) * 4 + (r3 >= RULES.dropped).to(tl.int32) * 8
    else:
        bits = 0
    return bits


@triton.jit
def kept(bits, number, x_PC, RULES: tl.constexpr):
    """Return x where its bit keeps it, else 0."""
    if RULES.dropped > 0:
        x_PC = tl.where(((bits >> number) & 1) != 0, x_PC, 0.0)
    return x_PC
