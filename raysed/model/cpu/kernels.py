"""Loops over one tile of a convolution block, compiled: each reads and writes its arrays once.

A tile is some frames t0..t1 of one clip, small enough for the second-level cache. Arrays are channels
last: B clips, T frames, F bands, C channels; U and V are T and F after pooling; M = (t1 - t0) F rows.
Sums over a row of bands are taken in the arrays' own type, sums of those in float64.
"""

import numpy as np
from numba import njit

Array = np.ndarray
GateRules = tuple[int, float, int, int]
"""The number of a byte's 256 values that drop an element, the scale of what is kept, the pooling of T and of
F."""
_COMPILED = {"cache": True, "nogil": True, "fastmath": {"contract"}}


@njit(**_COMPILED)
def moments(x_TFC: Array, shift_C: Array, sums_2C: Array) -> None:
    """Add the sums of x - shift and of its square."""
    frames, bands, channels = x_TFC.shape
    for t in range(frames):
        row_2C = np.zeros((2, channels), x_TFC.dtype)
        for f in range(bands):
            for c in range(channels):
                centred = x_TFC[t, f, c] - shift_C[c]
                row_2C[0, c] += centred
                row_2C[1, c] += centred * centred
        for c in range(channels):
            sums_2C[0, c] += row_2C[0, c]
            sums_2C[1, c] += row_2C[1, c]


@njit(**_COMPILED)
def affine(x_TFC: Array, scale_C: Array, shift_C: Array, y_MC: Array) -> None:
    """Compute y = scale x + shift."""
    frames, bands, channels = x_TFC.shape
    for t in range(frames):
        for f in range(bands):
            for c in range(channels):
                y_MC[t * bands + f, c] = x_TFC[t, f, c] * scale_C[c] + shift_C[c]


@njit(**_COMPILED)
def random_words(seed: int, first: int, words_N: Array) -> None:
    """Return the words first, first + 1, ... of SplitMix64 (Steele et al. 2014, doi:10.1145/2660193.2660195)."""
    for n in range(words_N.shape[0]):
        z = np.uint64(seed) + np.uint64(first + n + 1) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        words_N[n] = z ^ (z >> np.uint64(31))


@njit(**_COMPILED)
def gate_pool(
    tile: tuple[Array, Array, Array], rules: GateRules, bands: int, pooled_UVC: Array
) -> None:
    """Compute the mean of z s over each pooling window, with dropout, from (z, s, bytes)."""
    z_MC, s_MC, bytes_MC = tile
    threshold, scale, pool_t, pool_f = rules
    factor = pooled_UVC.dtype.type(scale / (pool_t * pool_f))
    zero = pooled_UVC.dtype.type(0)
    for u in range(pooled_UVC.shape[0]):
        for v in range(pooled_UVC.shape[1]):
            out_C = pooled_UVC[u, v]
            out_C[:] = zero
            for i in range(pool_t):
                for j in range(pool_f):
                    m = (u * pool_t + i) * bands + v * pool_f + j
                    for c in range(out_C.shape[0]):
                        kept = bytes_MC[m, c] >= threshold
                        out_C[c] += z_MC[m, c] * s_MC[m, c] if kept else zero
            for c in range(out_C.shape[0]):
                out_C[c] *= factor


@njit(**_COMPILED)
def gate_gradient(
    tile: tuple[Array, Array, Array], rules: GateRules, bands: int, grad_UVC: Array, dy_MC: Array
) -> None:
    """Compute the gradients from (z, s, bytes) and that of the pooled output: that of z in z's place, and the
    gate's part of y's.

    Elements that pooling leaves out at the end of either axis get no gradient.
    """
    z_MC, s_MC, bytes_MC = tile
    threshold, scale, pool_t, pool_f = rules
    factor, one = z_MC.dtype.type(scale / (pool_t * pool_f)), z_MC.dtype.type(1)
    zero = z_MC.dtype.type(0)
    channels = z_MC.shape[1]
    for m in range(z_MC.shape[0]):
        u, v = m // bands // pool_t, m % bands // pool_f
        if u >= grad_UVC.shape[0] or v >= grad_UVC.shape[1]:
            z_MC[m] = zero
            dy_MC[m] = zero
            continue
        for c in range(channels):
            grad = grad_UVC[u, v, c] * factor if bytes_MC[m, c] >= threshold else zero
            from_gate = grad * s_MC[m, c]
            dy_MC[m, c] = from_gate * z_MC[m, c] * (one - s_MC[m, c])
            z_MC[m, c] = from_gate


@njit(**_COMPILED)
def gradient_sums(dy_TFC: Array, x_TFC: Array, mean_C: Array, sums_2C: Array) -> None:
    """Add the sums of dy and of dy (x - mean)."""
    frames, bands, channels = x_TFC.shape
    for t in range(frames):
        row_2C = np.zeros((2, channels), x_TFC.dtype)
        for f in range(bands):
            for c in range(channels):
                row_2C[0, c] += dy_TFC[t, f, c]
                row_2C[1, c] += dy_TFC[t, f, c] * (x_TFC[t, f, c] - mean_C[c])
        for c in range(channels):
            sums_2C[0, c] += row_2C[0, c]
            sums_2C[1, c] += row_2C[1, c]


@njit(**_COMPILED)
def norm_gradient(dy_MC: Array, x_MC: Array, factors_3C: Array) -> None:
    """Compute dx = scale dy - slope x - constant, in dy's place."""
    for m in range(x_MC.shape[0]):
        for c in range(x_MC.shape[1]):
            dy_MC[m, c] = (
                factors_3C[0, c] * dy_MC[m, c] - factors_3C[1, c] * x_MC[m, c] - factors_3C[2, c]
            )


@njit(**_COMPILED)
def patches(padded_TF: Array, taps_NTF: Array) -> None:
    """Return the inputs that each of the nine weights of a 3 x 3 convolution meets, in an input with a rim of
    zeros; then ones.
    """
    _, frames, bands = taps_NTF.shape
    taps_NTF[9] = taps_NTF.dtype.type(1)
    for i in range(3):
        for j in range(3):
            for t in range(frames):
                for f in range(bands):
                    taps_NTF[3 * i + j, t, f] = padded_TF[t + i, f + j]
