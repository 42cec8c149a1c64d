"""Loops over one tile of a convolution block, compiled: each reads and writes its arrays once.

A tile is some frames t0..t1 of one clip, small enough for the second-level cache. Arrays are channels
last: B clips, T frames, F bands, C channels; U and V are T and F after pooling; M = (t1 - t0) F rows.
Sums over a row of bands are taken in the type of the statistics, sums of those in float64. Tiles and maps may
be bits of bfloat16 (uint16), which are widened when read.
"""

import numpy as np
from numba import njit

from raysed.model.cpu.bfloat16 import narrowed, widened

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
        row_2C = np.zeros((2, channels), shift_C.dtype)
        for f in range(bands):
            for c in range(channels):
                centred = widened(x_TFC[t, f, c]) - shift_C[c]
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
                y = widened(x_TFC[t, f, c]) * scale_C[c] + shift_C[c]
                y_MC[t * bands + f, c] = narrowed(y, y_MC)


@njit(**_COMPILED)
def random_words(seed: int, first: int, words_N: Array) -> None:
    """Return the words first, first + 1, ... of SplitMix64 (Steele et al. 2014, doi:10.1145/2660193.2660195)."""
    for n in range(words_N.shape[0]):
        z = np.uint64(seed) + np.uint64(first + n + 1) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        words_N[n] = z ^ (z >> np.uint64(31))


@njit(error_model="numpy", **_COMPILED)
def sigmoid(y_N: Array, s_N: Array) -> None:
    """Compute 1 / (1 + exp(-y)) in float32, to 1e-6."""
    one = np.float32(1)
    for n in range(y_N.shape[0]):
        exponent = widened(y_N[n]) * np.float32(-1.442695041)
        exponent = np.float32(126) if exponent > np.float32(126) else exponent
        exponent = np.float32(-126) if exponent < np.float32(-126) else exponent
        # A float32 of 1.5 * 2^23 has no digits after the point, so the sum holds the nearest whole number in its last bits.
        shifted = exponent + np.float32(12582912)
        x = exponent - (shifted - np.float32(12582912))
        # 2^x for -0.5 <= x <= 0.5: its Taylor series.
        power = np.float32(1.33335581e-3) * x + np.float32(9.61812911e-3)
        power = (power * x + np.float32(5.55041087e-2)) * x + np.float32(2.40226507e-1)
        power = (power * x + np.float32(6.93147181e-1)) * x + one
        whole = np.uint32(np.float32(shifted).view(np.uint32) << np.uint32(23))
        power = np.uint32(np.float32(power).view(np.uint32) + whole).view(np.float32)
        s_N[n] = one / (one + power)


@njit(**_COMPILED)
def gate_pool(
    tile: tuple[Array, Array, Array], rules: GateRules, bands: int, pooled_UVC: Array
) -> None:
    """Compute the mean of z s over each pooling window, with dropout, from (z, s, bytes)."""
    threshold, scale, pool_t, pool_f = rules
    channels = pooled_UVC.shape[2]
    # A whole frame at a time: a loop over few channels would be too short for vectors.
    size = bands * channels
    z_TN, s_TN = tile[0].reshape(-1, size), tile[1].reshape(-1, size)
    bytes_TN = tile[2].reshape(-1, size)
    factor = pooled_UVC.dtype.type(scale / (pool_t * pool_f))
    zero = pooled_UVC.dtype.type(0)
    row_N = np.empty(size, pooled_UVC.dtype)
    row_FC = row_N.reshape(bands, channels)
    for u in range(pooled_UVC.shape[0]):
        out_VC = pooled_UVC[u]
        out_VC[:] = zero
        for t in range(u * pool_t, (u + 1) * pool_t):
            for n in range(size):
                product = widened(z_TN[t, n]) * widened(s_TN[t, n])
                row_N[n] = product if bytes_TN[t, n] >= threshold else zero
            for v in range(out_VC.shape[0]):
                for j in range(pool_f):
                    for c in range(channels):
                        out_VC[v, c] += row_FC[v * pool_f + j, c]
        for v in range(out_VC.shape[0]):
            for c in range(channels):
                out_VC[v, c] *= factor


@njit(**_COMPILED)
def gate_gradient(
    tile: tuple[Array, Array, Array], rules: GateRules, bands: int, grad_UVC: Array, dy_MC: Array
) -> None:
    """Compute the gradients from (z, s, bytes) and that of the pooled output: that of z in z's place, and the
    gate's part of y's.

    Elements that pooling leaves out at the end of either axis get no gradient.
    """
    threshold, scale, pool_t, pool_f = rules
    channels = grad_UVC.shape[2]
    size = bands * channels
    z_TN, s_TN = tile[0].reshape(-1, size), tile[1].reshape(-1, size)
    bytes_TN, dy_TN = tile[2].reshape(-1, size), dy_MC.reshape(-1, size)
    factor, one = grad_UVC.dtype.type(scale / (pool_t * pool_f)), grad_UVC.dtype.type(1)
    zero = grad_UVC.dtype.type(0)
    row_N = np.zeros(size, grad_UVC.dtype)
    row_FC = row_N.reshape(bands, channels)
    for t in range(z_TN.shape[0]):
        u = t // pool_t
        if u >= grad_UVC.shape[0]:
            z_TN[t] = 0
            dy_TN[t] = 0
            continue
        for v in range(grad_UVC.shape[1] if t % pool_t == 0 else 0):
            for j in range(pool_f):
                for c in range(channels):
                    row_FC[v * pool_f + j, c] = grad_UVC[u, v, c] * factor
        for n in range(size):
            s = widened(s_TN[t, n])
            grad = row_N[n] if bytes_TN[t, n] >= threshold else zero
            from_gate = grad * s
            of_y = from_gate * widened(z_TN[t, n]) * (one - s)
            dy_TN[t, n] = narrowed(of_y, dy_TN)
            z_TN[t, n] = narrowed(from_gate, z_TN)


@njit(**_COMPILED)
def gradient_sums(dy_TFC: Array, x_TFC: Array, mean_C: Array, sums_2C: Array) -> None:
    """Add the sums of dy and of dy (x - mean)."""
    frames, bands, channels = x_TFC.shape
    for t in range(frames):
        row_2C = np.zeros((2, channels), mean_C.dtype)
        for f in range(bands):
            for c in range(channels):
                dy = widened(dy_TFC[t, f, c])
                row_2C[0, c] += dy
                row_2C[1, c] += dy * (widened(x_TFC[t, f, c]) - mean_C[c])
        for c in range(channels):
            sums_2C[0, c] += row_2C[0, c]
            sums_2C[1, c] += row_2C[1, c]


@njit(**_COMPILED)
def norm_gradient(dy_MC: Array, x_MC: Array, factors_3C: Array) -> None:
    """Compute dx = scale dy - slope x - constant, in dy's place."""
    for m in range(x_MC.shape[0]):
        for c in range(x_MC.shape[1]):
            dy, x = widened(dy_MC[m, c]), widened(x_MC[m, c])
            dx = factors_3C[0, c] * dy - factors_3C[1, c] * x - factors_3C[2, c]
            dy_MC[m, c] = narrowed(dx, dy_MC)


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
