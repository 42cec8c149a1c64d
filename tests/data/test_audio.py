"""Every kind of file a user may have: what is read, and which are refused by name."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from raysed.data.audio import read_audio
from raysed.data.containers.audio_file import open_audio


def noise(seconds: float, rate_hz: int, channels: int = 1) -> np.ndarray:
    size = (round(seconds * rate_hz), channels)
    return np.random.default_rng(0).uniform(-0.5, 0.5, size).astype(np.float32)


@pytest.mark.parametrize(("name", "tolerance"), [("a.wav", 0), ("a.flac", 2e-5), ("a.ogg", 0.9)])
def test_formats(tmp_path: Path, name: str, tolerance: float) -> None:
    audio = noise(1.0, 16000)
    options = {"subtype": "FLOAT"} if name.endswith("wav") else {}
    soundfile.write(tmp_path / name, audio, 16000, **options)
    waveform_T, duration_s = read_audio(tmp_path / name, 16000)
    assert waveform_T.dtype == np.float32 and waveform_T.shape == (16000,)
    assert duration_s == 1.0
    assert np.abs(waveform_T - audio[:, 0]).max() <= tolerance


@pytest.mark.parametrize("channels", [2, 8])
def test_channels_are_averaged(tmp_path: Path, channels: int) -> None:
    audio = noise(0.5, 16000, channels)
    soundfile.write(tmp_path / "a.wav", audio, 16000, subtype="FLOAT")
    waveform_T, _ = read_audio(tmp_path / "a.wav", 16000)
    assert np.abs(waveform_T - audio.mean(axis=1)).max() < 1e-6


def test_other_rates_are_resampled(tmp_path: Path) -> None:
    audio = noise(1.0, 44100, 2)
    soundfile.write(tmp_path / "a.wav", audio, 44100, subtype="FLOAT")
    waveform_T, duration_s = read_audio(tmp_path / "a.wav", 16000)
    expected = soxr.resample(audio.mean(axis=1), 44100, 16000, quality="HQ")
    assert duration_s == 1.0 and len(waveform_T) == 16000
    assert np.abs(waveform_T - expected).max() < 1e-6


@pytest.mark.parametrize("rate_hz", [16000, 44100])
def test_a_truncated_read_equals_the_whole_read_cut(tmp_path: Path, rate_hz: int) -> None:
    soundfile.write(tmp_path / "a.wav", noise(4.0, rate_hz), rate_hz, subtype="FLOAT")
    whole_T, _ = read_audio(tmp_path / "a.wav", 16000)
    part_T, duration_s = read_audio(tmp_path / "a.wav", 16000, max_duration_s=1.5)
    assert duration_s == 4.0 and len(part_T) == 24000
    assert np.abs(part_T - whole_T[:24000]).max() < 1e-6


def test_of_a_long_file_only_the_start_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.flac", np.zeros(600 * 16000, np.int16), 16000)
    read = []
    original = soundfile.SoundFile.read
    monkeypatch.setattr(
        soundfile.SoundFile,
        "read",
        lambda self, frames, **options: read.append(frames) or original(self, frames, **options),
    )
    waveform_T, duration_s = read_audio(tmp_path / "a.flac", 16000, max_duration_s=10.0)
    assert duration_s == 600.0 and len(waveform_T) == 160000
    assert sum(read) < 11 * 16000


def test_unusable_files_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("not audio at all")
    soundfile.write(tmp_path / "none.wav", np.zeros(0, np.float32), 16000)
    broken = noise(1.0, 16000)
    broken[100] = np.nan
    soundfile.write(tmp_path / "nan.wav", broken, 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "whole.flac", noise(2.0, 16000), 16000)
    whole = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "half.flac").write_bytes(whole[: len(whole) // 2])
    names = ("empty.wav", "text.wav", "none.wav", "nan.wav", "half.flac", "absent.wav", "")
    for name in names:
        with pytest.raises(ValueError, match=name.replace(".", r"\.") or str(tmp_path)):
            read_audio(tmp_path / name, 16000)


@pytest.mark.parametrize(
    ("name", "subtype"),
    [("a.wav", "PCM_16"), ("a.wav", "PCM_24"), ("a.wav", "FLOAT"), ("a.aiff", "PCM_16"), ("a.au", "PCM_16")],
)  # fmt: skip
def test_a_file_cut_short_is_refused_though_libsndfile_reads_it(
    tmp_path: Path, name: str, subtype: str
) -> None:
    path = tmp_path / name
    soundfile.write(path, noise(2.0, 16000), 16000, subtype=subtype)
    whole = path.read_bytes()
    with open_audio(path) as file:
        assert file.told == 32000
    path.write_bytes(whole[: len(whole) // 2])
    there = soundfile.info(path).frames
    assert there < 16000
    message = rf"{name}: ends after {there} samples, its header says 3\d{{4}}"
    with pytest.raises(ValueError, match=message):
        read_audio(path, 16000)
    assert len(read_audio(path, 16000, max_duration_s=0.5)[0]) == 8000  # that much is there


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 32000 + 44])
def test_a_length_that_nobody_knew_or_a_few_bytes_off_is_not_short(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "streamed.wav"
    soundfile.write(path, noise(1.0, 16000), 16000, subtype="PCM_16")
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + size.to_bytes(4, "little") + whole[44:])
    assert len(read_audio(path, 16000)[0]) == 16000


def test_a_clip_of_less_than_half_a_sample_is_refused_as_such(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", np.full(1, 0.1), 44100)
    with pytest.raises(
        ValueError, match=r"one\.wav: too short: 1 samples at 44100 Hz are none at 16000"
    ):
        read_audio(tmp_path / "one.wav", 16000, 10.0)
    soundfile.write(tmp_path / "two.wav", np.full(2, 0.1), 44100)
    assert len(read_audio(tmp_path / "two.wav", 16000, 10.0)[0]) == 1


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(ValueError, match=r"pipe\.wav: is no regular file"):
        read_audio(tmp_path / "pipe.wav", 16000)
