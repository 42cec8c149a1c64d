"""SoX's library without soxbindings' files: the same samples, and a library that is none is told apart."""

from importlib.util import find_spec

import numpy as np
import pytest
import soxbindings

from raysed.data.soundscapes import sox_effects
from raysed.data.soundscapes.sox_library import SoxLibrary


def noise(length: int) -> np.ndarray:
    return np.random.default_rng(length).integers(-(2**30), 2**30, length, np.int32)


@pytest.mark.parametrize("length", [3, 100, 8191, 8192, 8193, 50_000])
@pytest.mark.parametrize(
    ("rate_hz", "to_hz"), [(16000 / 0.840896, 16000), (16000.0, 44100), (44100.0, 16000)]
)
def test_the_samples_of_soxbindings(length: int, rate_hz: float, to_hz: int) -> None:
    samples_T = noise(length)
    expected_T = sox_effects._sox(
        samples_T[:, None] / (1 << 31), rate_hz, to_hz, [("rate", str(to_hz))]
    )
    found_T = sox_effects._resampled(samples_T, rate_hz, to_hz)
    assert np.array_equal(found_T / (1 << 31), expected_T)


def test_one_sound_leaves_nothing_to_the_next() -> None:
    alone_T = sox_effects._resampled(noise(3000), 20000.0, 16000)
    sox_effects._resampled(noise(70_000), 20000.0, 16000)
    assert np.array_equal(sox_effects._resampled(noise(3000), 20000.0, 16000), alone_T)


def test_an_equal_rate_changes_nothing() -> None:
    assert np.array_equal(sox_effects._resampled(noise(9000), 16000.0, 16000), noise(9000))


def test_other_files_are_not_taken_for_sox(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match=r"no_such\.so"):
        SoxLibrary("no_such.so")
    other = find_spec("numpy._core._multiarray_umath")
    assert other is not None and other.origin is not None
    with pytest.raises(AttributeError, match="sox_"):
        SoxLibrary(other.origin)


def test_without_the_library_the_shift_is_soxbindings(monkeypatch: pytest.MonkeyPatch) -> None:
    audio_TC = noise(6000)[:, None] / (1 << 31)
    expected_T = sox_effects.convert(audio_TC, 16000, 16000, -2.0)
    monkeypatch.setattr(sox_effects, "find_spec", lambda name: None)
    caches = (sox_effects._library, sox_effects.own_pitch_is_sox)
    for cache in caches:
        cache.cache_clear()
    try:
        assert not sox_effects.own_pitch_is_sox()
        assert np.array_equal(sox_effects.convert(audio_TC, 16000, 16000, -2.0), expected_T)
    finally:
        for cache in caches:
            cache.cache_clear()


def test_soxbindings_still_works_afterwards() -> None:
    """Our sounds leave no state of SoX's behind that soxbindings would end twice."""
    sox_effects._resampled(noise(3000), 20000.0, 16000)
    found_T = soxbindings.Transformer().build_array(
        input_array=np.full((1000, 1), 0.25), sample_rate_in=16000
    )
    assert found_T.shape[0] == 1000 and np.allclose(found_T, 0.25, atol=1e-4)
