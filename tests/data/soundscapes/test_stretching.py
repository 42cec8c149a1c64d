"""Stretching: lengths by hand, what it must not change. test_sox_effects.py compares it with SoX."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from raysed.data.soundscapes.stretching import Lengths, pitch_factor, stretched


def test_lengths_by_hand() -> None:
    # 82 ms; 82 / 6.833 = 12.0006 ms and 4.5 samples, down to a multiple of 8; 82 / 5.587 = 14.677 ms.
    assert Lengths.at(16000) == Lengths(segment=1312, overlap=192, search=235)
    assert Lengths.at(1000) == Lengths(segment=82, overlap=16, search=15)


def test_six_digits_of_the_factor() -> None:
    assert pitch_factor(12.0) == 0.5
    assert pitch_factor(-12.0) == 2.0
    assert pitch_factor(3.0) == 0.840896  # 2 ** -0.25 = 0.84089641
    assert pitch_factor(1e-9) == 1.0


@given(factor=st.floats(0.5, 2.0), length=st.integers(1, 30_000))
def test_a_constant_stays_and_ends_in_zeros(factor: float, length: int) -> None:
    level = 3 << 20
    found_T = stretched(np.full(length, level, np.int32), 16000, factor)
    assert len(found_T) == int(length / factor + 0.5)
    # A weighted mean of two equal values, rounded to single precision, is off by one part in 2^22 at most. What comes
    # from beyond the end is zero: the last search reaches there.
    inside = found_T[: max(0, len(found_T) - int((1312 + 235) / min(factor, 1)))]
    assert (np.abs(inside - level) <= 1).all()
    assert ((found_T >= 0) & (found_T <= level + 1)).all()


def test_what_sounds_alike_is_joined() -> None:
    """A periodic signal stays one: segments are joined where their phases agree."""
    phase_T = 2 * np.pi * 200 * np.arange(16000) / 16000
    found_T = stretched((2**29 * np.sin(phase_T)).astype(np.int32), 16000, 0.8).astype(float)
    spectrum = np.abs(np.fft.rfft(found_T[: 80 * 200])) ** 2
    assert spectrum[195:206].sum() > 0.999 * spectrum.sum()
