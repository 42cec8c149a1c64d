"""A recording becomes one clip, or the windows that prediction would make of it."""

import json
from pathlib import Path

import numpy as np
import pytest

from raysed.config.data_job import Features
from raysed.data.clip import Event
from raysed.data.recorded.desed import RecordedEntry
from raysed.data.recorded.reading import read_recorded
from tests.data.banks import write_audio

FEATURES = Features(duration_s=1.0, n_mels=16, hop=510)
EVENTS = (Event(0.2, 0.7, "Dog"), Event(1.4, 2.2, "Cat"), Event(3.1, 3.3, "Dog"))


def entry(events=None, weak=None, name="a.wav"):
    return RecordedEntry(name, name, events, weak)


def read(root: Path, seconds: float, found: RecordedEntry, rate_hz: int = 16000):
    write_audio(root / "a.wav", seconds, rate_hz=rate_hz)
    return read_recorded(root, found, FEATURES)


def test_a_short_recording_is_one_clip_with_its_own_duration(tmp_path: Path) -> None:
    (clip,) = read(tmp_path, 0.4, entry(EVENTS[:1], ("Dog",)))
    assert (clip.duration_s, clip.events, len(clip.waveform_T)) == (0.4, EVENTS[:1], 6400)
    assert json.loads(clip.source) == {"file": "a.wav"}


def test_a_strongly_labelled_recording_is_every_half_window_and_one_at_its_end(
    tmp_path: Path,
) -> None:
    clips = read(tmp_path, 3.6, entry(EVENTS, ("Cat", "Dog")))
    starts = [json.loads(clip.source)["start"] for clip in clips]
    assert starts == [0, 8000, 16000, 24000, 32000, 40000, 41600]
    assert {clip.duration_s for clip in clips} == {3.6}
    assert {len(clip.waveform_T) for clip in clips} == {16000}
    assert clips[0].events == EVENTS  # of the whole recording
    assert [clip.events for clip in clips[1:]] == [
        (EVENTS[0], EVENTS[1]), (EVENTS[1],), (EVENTS[1],), (EVENTS[1],), (EVENTS[2],), (EVENTS[2],)
    ]  # fmt: skip
    assert [clip.weak_labels for clip in clips] == [
        ("Dog",), ("Cat", "Dog"), ("Cat",), ("Cat",), ("Cat",), ("Dog",), ("Dog",)
    ]  # fmt: skip


def test_windows_hold_the_recordings_own_samples(tmp_path: Path) -> None:
    whole = read(tmp_path, 1.0, entry(EVENTS, ()))[0].waveform_T
    clips = read(tmp_path, 2.5, entry(EVENTS, ()))
    joined = np.concatenate([clips[0].waveform_T, clips[2].waveform_T, clips[3].waveform_T[8000:]])
    assert len(joined) == 40000
    np.testing.assert_array_equal(clips[1].waveform_T, joined[8000:24000])
    assert whole.shape == clips[0].waveform_T.shape


def test_of_unlabelled_recordings_each_moment_is_there_once(tmp_path: Path) -> None:
    for seconds, expected in ((3.6, [0, 16000, 32000, 41600]), (3.05, [0, 16000, 32000])):
        clips = read(tmp_path, seconds, entry())
        assert [json.loads(clip.source)["start"] for clip in clips] == expected
        assert all(clip.events is None and clip.weak_labels is None for clip in clips)


def test_at_another_rate_windows_are_counted_at_the_features(tmp_path: Path) -> None:
    clips = read(tmp_path, 2.5, entry(EVENTS, ()), rate_hz=44100)
    assert [json.loads(clip.source)["start"] for clip in clips] == [0, 8000, 16000, 24000]


def test_a_long_clip_with_labels_of_the_whole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.wav: lasts 2\.5 s and its labels are of the whole"):
        read(tmp_path, 2.5, entry(None, ("Dog",)))
