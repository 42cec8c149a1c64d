"""The built-in sounds: different at every draw, told apart by colour, and what they are made of."""

import numpy as np
import pytest

from raysed.demo.procedural_sounds import (
    SAMPLE_RATE_HZ,
    SOUNDS,
    _band,
    _harmonics,
    _resonance,
    _shaped,
    _unit,
    background,
    room_response,
)


def level_at(waveform_T: np.ndarray, hz: float) -> float:
    """Amplitude of a sine of this frequency in one second of sound."""
    spectrum = np.fft.rfft(waveform_T[:SAMPLE_RATE_HZ]) / (SAMPLE_RATE_HZ / 2)
    return float(np.abs(spectrum[round(hz)]))


@pytest.mark.parametrize("label", SOUNDS)
def test_sounds_differ_at_every_draw_and_fit_a_clip(label: str) -> None:
    sounds = [SOUNDS[label](np.random.default_rng(seed)) for seed in range(20)]
    assert np.array_equal(sounds[0], SOUNDS[label](np.random.default_rng(0)))
    assert len({sound.tobytes() for sound in sounds}) == 20
    for sound in sounds:
        assert np.isfinite(sound).all() and sound.std() > 0.01
        assert 0.25 <= len(sound) / 16000 <= 4.1


def mean_spectrum(waveform_T: np.ndarray) -> np.ndarray:
    """Mean log power of 24 bands over 64 ms frames: level-free, so that only colour counts."""
    frames = len(waveform_T) // 1024
    power = np.abs(
        np.fft.rfft(waveform_T[: frames * 1024].reshape(frames, 1024) * np.hanning(1024))
    )
    edges = np.geomspace(2, 512, 25).astype(int)
    bands = np.add.reduceat(np.square(power).mean(axis=0), edges[:-1])
    logs = np.log(bands + 1e-6 * bands.max())
    return logs - logs.mean()


def test_classes_can_be_told_apart_by_their_colour_alone() -> None:
    train = {
        label: np.mean([mean_spectrum(f(np.random.default_rng([0, i]))) for i in range(12)], axis=0)
        for label, f in SOUNDS.items()
    }
    right = 0
    for label, generate in SOUNDS.items():
        for i in range(10):
            spectrum = mean_spectrum(generate(np.random.default_rng([1, i])))
            nearest = min(train, key=lambda other: np.square(train[other] - spectrum).sum())
            right += nearest == label
    assert right >= 80


def test_room_responses_start_with_the_direct_sound() -> None:
    response = room_response(np.random.default_rng(0))
    assert response[0] == 1.0 and np.abs(response[1:]).max() < 1.0
    half = len(response) // 2
    assert np.square(response[half:]).sum() < 0.1 * np.square(response[1:half]).sum()


def test_harmonics_have_their_levels_and_none_is_folded_at_nyquist() -> None:
    pitch_T = np.full(SAMPLE_RATE_HZ, 3000.0)
    sound_T = _harmonics(pitch_T, [1.0, 0.5, 0.7, 0.9], np.random.default_rng(0))
    found = [level_at(sound_T, hz) for hz in (3000, 6000)]
    assert found == pytest.approx([1.0, 0.5], abs=1e-3)
    # 9 and 12 kHz would be heard at 7 and 4 kHz.
    assert max(level_at(sound_T, hz) for hz in (7000, 4000)) < 1e-3


def test_rise_and_fall_by_hand() -> None:
    rise_s, fall_s = 4 / SAMPLE_RATE_HZ, 2 / SAMPLE_RATE_HZ
    shaped_T = _shaped(np.ones(8), rise_s, fall_s)
    assert shaped_T.tolist() == [0.25, 0.5, 0.75, 1, 1, 1, 1, 0.5]


def test_a_band_passes_its_middle_and_stops_what_is_far() -> None:
    time_T = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    levels = []
    for hz in (100, 1500, 7000):
        passed_T = _band(np.sin(2 * np.pi * hz * time_T), 1000, 2200)
        levels.append(level_at(passed_T[SAMPLE_RATE_HZ:], hz))
    assert levels[1] == pytest.approx(1, abs=0.05) and max(levels[0], levels[2]) < 0.05


def test_a_resonance_is_loudest_at_its_frequency() -> None:
    impulse_T = np.zeros(SAMPLE_RATE_HZ)
    impulse_T[0] = 1
    response = np.abs(np.fft.rfft(_resonance(impulse_T, 1200.0, 100.0)))
    assert abs(int(response.argmax()) - 1200) <= 5


def test_silence_has_no_unit_level() -> None:
    assert _unit(np.zeros(10)).tolist() == [0.0] * 10
    assert _unit(np.array([1.0, 3.0])).std() == pytest.approx(1)


def test_rooms_rumble_more_than_they_hiss() -> None:
    quiet_T = background(np.random.default_rng(0), 2.0)
    assert len(quiet_T) == 2 * SAMPLE_RATE_HZ and np.isfinite(quiet_T).all()
    power = np.square(np.abs(np.fft.rfft(quiet_T)))
    assert power[: 2 * 500].sum() > 5 * power[2 * 2000 :].sum()
    assert not np.array_equal(quiet_T, background(np.random.default_rng(1), 2.0))
