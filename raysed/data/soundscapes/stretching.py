"""Time stretching by waveform similarity (WSOLA), bitwise what SoX's `pitch` does before it resamples.

SoX compares the end of what is written with a few hundred places of the input, one place after the other, and each
comparison is a sum whose terms wait for each other. Here all places are compared at once; every sum has the same
order, so the same place is found. Source: Verhelst & Roelands 1993 (doi:10.1109/ICASSP.1993.319366), with the lengths
of sox(1) and, for equal bits, SoX's roundings and order of operations.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

_SEGMENT_S = 0.082
"""Length of a segment. The next two are its parts for the overlap and for the search."""
_OVERLAPS = 6.833
_SEARCHES = 5.587


@dataclass(frozen=True)
class Lengths:
    """Numbers of samples."""

    segment: int
    overlap: int
    search: int

    @classmethod
    def at(cls, rate_hz: float) -> "Lengths":
        """Return SoX's lengths at a sampling rate."""
        milliseconds = 1000 * _SEGMENT_S
        segment = int(rate_hz * milliseconds / 1000 + 0.5)
        search = int(rate_hz * (milliseconds / _SEARCHES) / 1000 + 0.5)
        # A multiple of 8.
        overlap = int(max(rate_hz * (milliseconds / _OVERLAPS) / 1000 + 4.5, 16)) & ~7
        return cls(segment, overlap, search)


def pitch_factor(semitones: float) -> float:
    """Return the factor of tempo, six digits of it, that SoX makes of a shift in pitch; below 1 is slower."""
    cents = float(f"{100 * semitones:f}")
    return float(f"{1 / math.pow(2.0, cents / 1200):g}")


def stretched(samples_T: np.ndarray, rate_hz: float, factor: float) -> np.ndarray:
    """Return int32 samples at `factor` times the tempo, as long as SoX makes them. Raises ValueError for anything but
    some int32 samples of one channel, a sampling rate of 1 kHz or more, and a factor of 0.1 to 10.
    """
    if samples_T.ndim != 1 or samples_T.dtype != np.int32 or not samples_T.size:
        raise ValueError(
            f"{samples_T.dtype} of shape {samples_T.shape} cannot be stretched; expected int32 samples of one channel"
        )
    if not (1000 <= rate_hz < math.inf and 0.1 <= factor <= 10):
        raise ValueError(
            f"a factor of {factor} at {rate_hz} Hz: expected 0.1 to 10, and a rate of 1 kHz or more"
        )
    lengths = Lengths.at(rate_hz)
    hop, before = lengths.segment - lengths.overlap, lengths.search // 2
    wanted = int(len(samples_T) / factor + 0.5)
    n_segments = -(-wanted // hop)
    # Zeros before the first sample, since a search begins before its place, and after the last.
    reach = int(factor * n_segments * hop + 0.5) + lengths.search + lengths.segment
    padded_T = np.zeros(max(reach, before + len(samples_T)), np.float32)
    _to_float(samples_T, padded_T[before:])
    out_T = np.empty(n_segments * hop, np.int32)
    _stretch(padded_T, factor, (lengths.segment, lengths.overlap, lengths.search), out_T)
    return out_T[:wanted]


@njit(cache=True, nogil=True)
def _to_float(samples_T: np.ndarray, floats_T: np.ndarray) -> None:
    """Round to 24 bits, as SoX does on the way to single precision."""
    for t in range(len(samples_T)):
        rounded = (np.int64(samples_T[t]) + 64) & -128
        floats_T[t] = np.float32(rounded / 2147483648.0)


@njit(cache=True, nogil=True)
def _to_samples(values_T: np.ndarray, samples_T: np.ndarray) -> None:
    for t in range(len(values_T)):
        scaled = np.float64(values_T[t]) * 2147483648.0
        samples_T[t] = np.int32(min(max(scaled, -2147483648.0), 2147483647.0))


@njit(cache=True, nogil=True)
def _best_place(input_T: np.ndarray, end_O: np.ndarray, differences_S: np.ndarray) -> np.intp:
    """Return the place at which the input is most like `end_O`; the earliest of equals."""
    places = len(differences_S)
    differences_S[:] = np.float32(0)
    for k in range(len(end_O)):
        value, candidates_S = end_O[k], input_T[k : k + places]
        for s in range(places):
            difference = candidates_S[s] - value
            differences_S[s] += difference * difference
    return differences_S.argmin()


@njit(cache=True, nogil=True)
def _stretch(
    input_T: np.ndarray, factor: float, lengths: tuple[int, int, int], out_T: np.ndarray
) -> None:
    segment, overlap, search = lengths
    hop = segment - overlap
    fade_in_O = np.float32(1) / np.float32(overlap) * np.arange(overlap).astype(np.float32)
    fade_out_O = np.float32(1) - fade_in_O
    differences_S = np.empty(search, np.float32)
    # The first segment is taken where it is.
    place = search // 2
    _to_samples(input_T[place : place + hop], out_T[:hop])
    for done in range(hop, len(out_T), hop):
        end_O = input_T[place + hop : place + segment]
        first = int(factor * done + 0.5)
        place = first + _best_place(input_T[first:], end_O, differences_S)
        faded_O = end_O * fade_out_O + input_T[place : place + overlap] * fade_in_O
        _to_samples(faded_O, out_T[done : done + overlap])
        _to_samples(input_T[place + overlap : place + hop], out_T[done + overlap : done + hop])
