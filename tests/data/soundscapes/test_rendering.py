"""Rendering: levels, places and fades by hand; what is kept of the sources. Parity with Scaper's own
audio is in test_soundscape.py.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from raysed.data.soundscapes import rendering
from raysed.data.soundscapes.loudness import integrated_lufs
from raysed.data.soundscapes.rendering import _decoded, _fade, _fit, _Sources, render_stems
from raysed.data.soundscapes.reverb import Stem
from raysed.data.soundscapes.sox_effects import convert
from tests.data.bad_files import write_hours

RATE_HZ = 16000


def write_noise(path: Path, seconds: float, seed: int = 0, rate_hz: int = RATE_HZ) -> str:
    noise_T = np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * rate_hz))
    soundfile.write(path, noise_T, rate_hz, subtype="PCM_16")
    return str(path)


def sound(source_file: str, duration_s: float, **changes: object) -> SimpleNamespace:
    fields = {"label": "Dog_nOn", "source_time": 0.0, "event_time": 0.0, "snr": 0.0}
    return SimpleNamespace(
        **{**fields, "event_duration": duration_s, "pitch_shift": None, **changes},
        source_file=source_file,
    )


def rendered(
    background: SimpleNamespace, *foreground: SimpleNamespace, duration_s: float = 4.0
) -> tuple[np.ndarray, list[Stem]]:
    return render_stems(
        background,
        foreground,
        sample_rate_hz=RATE_HZ,
        duration_s=duration_s,
        ref_db=-50.0,
        convert=convert,
    )


def test_every_sound_has_the_level_and_place_that_is_asked_for(tmp_path: Path) -> None:
    room, dog = write_noise(tmp_path / "room.wav", 4), write_noise(tmp_path / "dog.wav", 3, seed=1)
    background_T, (early, late) = rendered(
        sound(room, 4.0),
        sound(dog, 2.0, source_time=0.5, event_time=1.25, snr=6.0),
        sound(dog, 2.0, event_time=3.0, snr=20.0, label="Cat"),
    )
    assert integrated_lufs(background_T, RATE_HZ) == pytest.approx(-50.0, abs=1e-9)
    assert (early.label, early.start, len(early.waveform_T)) == ("Dog", 20000, 32000)
    # Its fades are a hundredth of it.
    assert integrated_lufs(early.waveform_T, RATE_HZ) == pytest.approx(-44.0, abs=0.1)
    # It lasts longer than the soundscape: it ends with it, at full level.
    assert (late.label, late.start, len(late.waveform_T)) == ("Cat", 48000, 16000)
    source_T, _ = soundfile.read(dog)
    for stem, start in ((early, 8000), (late, 0)):
        gain_T = (
            stem.waveform_T[160:-160] / source_T[start + 160 : start + len(stem.waveform_T) - 160]
        )
        np.testing.assert_allclose(gain_T, gain_T[0], rtol=1e-9)
    assert abs(early.waveform_T[-1]) < 1e-12 < abs(late.waveform_T[-1])


def test_a_short_background_is_repeated(tmp_path: Path) -> None:
    background_T, stems = rendered(sound(write_noise(tmp_path / "a.wav", 1.5), 4.0))
    assert len(background_T) == 64000 and stems == []
    np.testing.assert_array_equal(background_T[:24000], background_T[24000:48000])
    np.testing.assert_array_equal(background_T[:16000], background_T[48000:])


@pytest.mark.parametrize(("samples", "rate_hz"), [(1, 44100), (5, 192000)])
def test_less_than_half_a_sample_is_refused_by_name(
    tmp_path: Path, samples: int, rate_hz: int
) -> None:
    room = sound(write_noise(tmp_path / "room.wav", 4), 4.0)
    tiny = write_noise(tmp_path / "tiny.wav", samples / rate_hz, rate_hz=rate_hz)
    with pytest.raises(ValueError, match=rf"tiny\.wav: {samples} samples at {rate_hz} Hz .* none"):
        rendered(room, sound(tiny, 1.0))
    one_more = write_noise(tmp_path / "more.wav", (samples + 1) / rate_hz, rate_hz=rate_hz)
    _, (stem,) = rendered(room, sound(one_more, 1.0))
    assert len(stem.waveform_T) == 1


def test_only_the_stretch_that_is_heard_has_to_be_finite(tmp_path: Path) -> None:
    noise_T = np.random.default_rng(0).uniform(-0.5, 0.5, 48000).astype(np.float32)
    noise_T[40000] = np.inf
    soundfile.write(tmp_path / "dog.wav", noise_T, RATE_HZ, subtype="FLOAT")
    room, dog = sound(write_noise(tmp_path / "room.wav", 4), 4.0), str(tmp_path / "dog.wav")
    _, (stem,) = rendered(room, sound(dog, 2.0))
    assert np.isfinite(stem.waveform_T).all()
    with pytest.raises(ValueError, match=r"dog\.wav: .* not finite, in the 1\.500 s from 1\.500 s"):
        rendered(room, sound(dog, 1.5, source_time=1.5))
    with pytest.raises(ValueError, match=r"dog\.wav: holds nothing, .* from 9\.000 s"):
        rendered(room, sound(dog, 1.5, source_time=9.0))


def test_the_latest_used_sources_are_kept_within_the_budget(tmp_path: Path) -> None:
    a, b, c = (write_noise(tmp_path / f"{name}.wav", 1.0) for name in "abc")
    one = RATE_HZ * 8
    sources = _Sources(budget_bytes=2 * one)
    for path in (a, b, a, c):
        sources.read(path, 0.0, 1.0)
    assert (list(sources._kept), sources._bytes) == ([a, c], 2 * one)
    audio_TC, _ = sources.read(a, 0.25, 0.5)
    assert len(audio_TC) == 4000 and not audio_TC.flags.writeable
    with pytest.raises(ValueError, match=r"absent\.wav: cannot be read as audio"):
        sources.read(str(tmp_path / "absent.wav"), 0.0, 1.0)
    assert sources._bytes == 2 * one


@given(start=st.floats(0, 1.2), length=st.floats(0, 1.2))
def test_a_stretch_has_the_same_samples_kept_or_not(
    tmp_path_factory: pytest.TempPathFactory, start: float, length: float
) -> None:
    path = write_noise(tmp_path_factory.getbasetemp() / "stretch.wav", 1.0)
    kept, _ = _Sources(budget_bytes=1 << 20).read(path, start, start + length)
    if start <= 1.0:
        read, _ = _Sources(budget_bytes=1).read(path, start, start + length)
        np.testing.assert_array_equal(read, kept)
    assert len(kept) == max(0, min(16000, int((start + length) * RATE_HZ)) - int(start * RATE_HZ))


@pytest.mark.parametrize("start_s", [0.0, 0.256, 3.0, 8.0])
def test_a_stretch_of_an_mp3_that_is_called_wav_is_no_silence(
    tmp_path: Path, start_s: float
) -> None:
    """After a seek libsndfile would begin with some 0.3 s of it, of variable bit rate."""
    path = str(tmp_path / "tone.wav")
    tone_T = 0.2 * np.sin(2 * np.pi * 440 * np.arange(round(8.1 * RATE_HZ)) / RATE_HZ)
    with Path(path).open("wb") as file:
        soundfile.write(
            file, tone_T, RATE_HZ, format="MP3", bitrate_mode="VARIABLE", compression_level=0.5
        )
    kept_TC, _ = _Sources(budget_bytes=1 << 24).read(path, start_s, start_s + 0.25)
    read_TC, _ = _Sources(budget_bytes=1).read(path, start_s, start_s + 0.25)
    np.testing.assert_array_equal(read_TC, kept_TC)
    assert np.abs(read_TC[-1000:]).max() > 0.1 or start_s == 8.0


def test_fades_are_quarter_sines_also_of_sounds_shorter_than_they() -> None:
    # Five steps of a quarter: sin 0°, 22.5°, 45°, 67.5°, 90°.
    rising = np.array([0, 0.38268343, 0.70710678, 0.92387953, 1])
    np.testing.assert_allclose(_fade(np.ones(12), 5), [*rising, 1, 1, *rising[::-1]], atol=1e-8)
    expected = rising[:3] * rising[::-1][-3:]
    np.testing.assert_allclose(_fade(np.ones(3), 5), expected, atol=1e-8)


def test_resampling_may_miss_the_length_by_a_sample() -> None:
    waveform_T = np.arange(1.0, 6.0)
    assert _fit(waveform_T, 5) is waveform_T
    assert _fit(waveform_T, 4).tolist() == [1, 2, 3, 4]
    assert _fit(waveform_T, 7).tolist() == [1, 2, 3, 4, 5, 0, 0]


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_decoded_sources_are_32_bit_integers(tmp_path: Path, subtype: str) -> None:
    random = np.random.default_rng(0)
    audio_T = np.concatenate([random.uniform(-1, 1, 1000), [1.0, -1.0, 1 - 2**-33, 1.7, -1.7]])
    soundfile.write(tmp_path / "a.wav", audio_T, 16000, subtype=subtype)
    with soundfile.SoundFile(tmp_path / "a.wav") as file:
        integers_TC = _decoded(file) * 2.0**31
    assert np.array_equal(integers_TC, np.trunc(integers_TC))
    assert integers_TC.min() == -(2.0**31) and integers_TC.max() <= 2.0**31 - 1


def test_of_a_foreground_of_hours_only_the_stretch_is_kept_in_memory(tmp_path: Path) -> None:
    write_hours(tmp_path / "hours.wav")
    audio_TC, rate_hz = rendering._sources.read(str(tmp_path / "hours.wav"), 0.5, 3.0)
    assert rate_hz == 16000 and audio_TC.shape == (40000, 1)
    assert audio_TC[:8000].any(axis=1).mean() > 0.99 and not audio_TC[8000:].any()
    assert str(tmp_path / "hours.wav") not in rendering._sources._kept
