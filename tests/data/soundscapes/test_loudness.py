"""Loudness against pyloudnorm, through Scaper's own function."""

import numpy as np
import pytest
from scipy.signal import sosfilt

import raysed.data.soundscapes.soundscape  # noqa: F401 - prepares numpy for scaper
from raysed.data.soundscapes.loudness import _k_weighting, _weighted_energy, integrated_lufs

scaper_audio = pytest.importorskip("scaper.audio")


@pytest.mark.parametrize("rate_hz", [16000, 44100])
@pytest.mark.parametrize("seconds", [0.02, 0.3, 0.5, 0.77, 3.3, 10.0])
def test_equals_scapers_loudness(rate_hz: int, seconds: float) -> None:
    random = np.random.default_rng(round(seconds * 100))
    waveform_T = 0.1 * random.standard_normal(round(seconds * rate_hz))
    # Loud and nearly silent stretches, so that both gates close.
    waveform_T[: len(waveform_T) // 3] *= 1e-5
    expected = scaper_audio.get_integrated_lufs(waveform_T[:, None], rate_hz)
    assert integrated_lufs(waveform_T, rate_hz) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("samples", [1, 2, 5000])
def test_the_filters_are_scipys_to_the_bit(samples: int) -> None:
    """So that a soundscape has the same bytes whichever filters it."""
    sections_26, _ = _k_weighting(16000)
    signal_T = np.random.default_rng(samples).standard_normal(samples)
    expected_T = np.square(sosfilt(sections_26, signal_T))
    energy_T = np.empty(samples)
    _weighted_energy(signal_T, sections_26, energy_T)
    np.testing.assert_array_equal(energy_T, expected_T)


def test_the_signal_is_left_alone() -> None:
    signal_T = np.random.default_rng(0).standard_normal(16000)
    kept_T = signal_T.copy()
    signal_T.flags.writeable = False
    assert integrated_lufs(signal_T, 16000) > -70.0
    np.testing.assert_array_equal(signal_T, kept_T)


def test_silence_has_a_floor() -> None:
    assert integrated_lufs(np.zeros(16000), 16000) == -70.0
    assert integrated_lufs(np.full(16000, 1e-7), 16000) == -70.0
