"""Loudness against pyloudnorm, through Scaper's own function."""

import numpy as np
import pytest

import raysed.data.soundscape  # noqa: F401 - prepares numpy for scaper
from raysed.data.loudness import integrated_lufs

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


def test_silence_has_a_floor() -> None:
    assert integrated_lufs(np.zeros(16000), 16000) == -70.0
    assert integrated_lufs(np.full(16000, 1e-7), 16000) == -70.0
