"""SoX's effects: our way to a shift in pitch gives SoX's samples, and a SoX that is broken is found out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.data.soundscapes import sox_effects
from raysed.data.soundscapes.sox_effects import convert

INT32 = float(1 << 31)


def by_sox(audio_T: np.ndarray, rate_hz: int, semitones: float) -> np.ndarray:
    chain = [("pitch", f"{100 * semitones:f}"), ("channels", "1"), ("rate", str(rate_hz))]
    return sox_effects._sox(audio_T[:, None], rate_hz, rate_hz, chain)


def sound(kind: str, length: int, peak: float, seed: int) -> np.ndarray:
    """Noise, noise with a slope like music's, a sum of tones, or nothing; rounded as SoX's samples are."""
    random = np.random.default_rng(seed)
    noise_T = random.standard_normal(length)
    tones_T = sum(np.sin(f * np.arange(length)) for f in random.uniform(0.02, 0.6, 3))
    sounds = {
        "noise": noise_T,
        "slope": np.cumsum(noise_T),
        "tones": tones_T,
        "silence": 0 * noise_T,
    }
    audio_T = np.asarray(sounds[kind])
    audio_T = peak * audio_T / max(np.abs(audio_T).max(), 1e-9)
    return np.clip(np.trunc(audio_T * INT32), -INT32, INT32 - 1) / INT32


def test_our_stretching_is_that_of_the_sox_here() -> None:
    """Otherwise nothing below is tested: the samples would be SoX's own."""
    assert sox_effects.own_pitch_is_sox()


@settings(max_examples=40)
@given(
    kind=st.sampled_from(["noise", "slope", "tones", "silence"]),
    length=st.integers(1, 40_000),
    rate_hz=st.sampled_from([8000, 16000, 22050, 44100]),
    semitones=st.floats(-12, 12),
    peak=st.sampled_from([1e-4, 0.3, 1.0]),
)
def test_a_shift_is_bitwise_that_of_sox(
    kind: str, length: int, rate_hz: int, semitones: float, peak: float
) -> None:
    audio_T = sound(kind, length, peak, seed=length)
    found_T = convert(audio_T[:, None], rate_hz, rate_hz, semitones)
    assert found_T.tobytes() == by_sox(audio_T, rate_hz, semitones).tobytes()


@pytest.mark.parametrize("semitones", [0.0, 1e-9, 24.0])
def test_shifts_that_are_left_to_sox(semitones: float) -> None:
    audio_T = sound("noise", 5000, 0.3, seed=1)
    found_T = convert(audio_T[:, None], 16000, 16000, semitones)
    assert np.array_equal(found_T, by_sox(audio_T, 16000, semitones))


def test_another_sox_decides_its_own_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where our stretching is not that of the SoX that is there, the shift is SoX's."""
    audio_T = sound("noise", 5000, 0.3, seed=1)
    expected_T = by_sox(audio_T, 16000, 2.0)
    monkeypatch.setattr(sox_effects, "stretched", lambda samples_T, *_: samples_T // 2)
    sox_effects.own_pitch_is_sox.cache_clear()
    try:
        assert not sox_effects.own_pitch_is_sox()
        assert np.array_equal(convert(audio_T[:, None], 16000, 16000, 2.0), expected_T)
    finally:
        sox_effects.own_pitch_is_sox.cache_clear()


def test_a_sox_that_corrupts_audio_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    original = sox_effects._sox
    for corrupt in (lambda x: x * 0.5, lambda x: np.zeros_like(x), lambda x: x[::2]):
        with monkeypatch.context() as patch:
            patch.setattr(sox_effects, "_sox", lambda *a, c=corrupt: c(original(*a)))
            sox_effects.verify_sox.cache_clear()
            with pytest.raises(ImportError, match="soxbindings corrupts audio"):
                sox_effects.verify_sox()
    sox_effects.verify_sox.cache_clear()
    sox_effects.own_pitch_is_sox.cache_clear()
    sox_effects.verify_sox()
