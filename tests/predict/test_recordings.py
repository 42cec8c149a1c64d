"""Recordings of any length and kind: the same events as training's scoring, and nothing stops the rest."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from raysed.config.trial import PostProcessing
from raysed.data.features.mel import mel_amplitude
from raysed.data.features.shards import stored_mel
from raysed.data.features.store import FeatureSet
from raysed.data.windows import Timeline
from raysed.evaluation.detections.postprocess import decode, median_filter
from raysed.predict.recordings import predict
from raysed.predict.settings import events
from raysed.predict.sources import Recording, find_sources
from raysed.training.network_scores import score_set
from tests.paths import MINI_DESED
from tests.predict.small import FEATURES, RATE_HZ, bursts, detector, write

THRESHOLD = 0.7


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    postprocessing = PostProcessing(threshold=THRESHOLD, median_window=3)
    return detector(folder, postprocessing=postprocessing)


def one(small, url):
    (prediction,) = predict(small, [Recording("a", str(url))])
    assert prediction.scores is not None, prediction.reason
    return prediction.scores


def events_of(small, scores):
    return events(scores.scores_TK, scores.edge_T1, small.settings)


def training_scores(small, waveforms):
    """What training's evaluation stores for these clips."""
    mels = [mel_amplitude(waveform_T, FEATURES) for waveform_T in waveforms]
    count = len(waveforms)
    clips = FeatureSet(
        name="clips",
        id="clips",
        classes=small.classes,
        features=FEATURES,
        filenames=tuple(f"{n:03d}.wav" for n in range(count)),
        durations_s=np.array([len(waveform_T) / RATE_HZ for waveform_T in waveforms]),
        frames=np.array([len(mel_TF) for mel_TF in mels], np.int32),
        events=((),) * count,
        weak_labels=((),) * count,
        mels=tuple(stored_mel(mel_TF, FEATURES) for mel_TF in mels),
    )
    trial = type("T", (), {"model": type("M", (), {"time_pooling": 4, "embedding": None})})
    return score_set(small.network, clips, small.normaliser, trial)


def training_events(small, scores, clip):
    found = decode(
        scores.scores_NUK,
        THRESHOLD,
        median_window=3,
        frame_s=scores.frame_s,
        durations_s=scores.durations_s,
    )
    return [
        (onset, offset, small.classes[label])
        for n, label, onset, offset in zip(
            found.clip_E, found.label_E, found.onset_E, found.offset_E, strict=True
        )
        if n == clip
    ]


def same(found, expected):
    assert [e[2] for e in found] == [e[2] for e in expected]
    np.testing.assert_allclose([e[:2] for e in found], [e[:2] for e in expected], atol=1e-9, rtol=0)


@pytest.mark.parametrize("seconds", [2.0, 1.3, 0.03, 1 / RATE_HZ])
def test_a_recording_of_at_most_a_window_is_scored_as_training_scores_it(small, tmp_path, seconds):
    wave = bursts(seconds)
    found = one(small, write(tmp_path / "a.wav", wave, subtype="FLOAT"))
    expected = training_scores(small, [wave])
    np.testing.assert_allclose(
        found.scores_TK.astype(np.float32), median_filter(expected.scores_NUK, 3)[0], atol=1e-3
    )
    same(sorted(events_of(small, found)), sorted(training_events(small, expected, 0)))


def check_against_windows(small, tmp_path, wave):
    """Each window's stretch predicted as a recording: its events, but those at a joint, are the whole's.

    Returns the numbers of equal events, and of those that an event across a joint covers instead.
    """
    alone = [
        one(small, write(tmp_path / "part.wav", wave[start : start + 2 * RATE_HZ], subtype="FLOAT"))
        for start in range(0, len(wave), 2 * RATE_HZ)
    ]
    whole = one(small, write(tmp_path / "whole.wav", wave, subtype="FLOAT"))
    own_TK = np.concatenate([scores.scores_TK for scores in alone]).astype(float)
    edge_T = np.concatenate([2 * n + scores.edge_T1[:-1] for n, scores in enumerate(alone)])
    np.testing.assert_allclose(whole.edge_T1[:-1], edge_T, atol=1e-9)
    inside_TK = np.concatenate([above_the_ways_out(scores.scores_TK) for scores in alone])
    assert inside_TK.mean() > 0.2
    assert (whole.scores_TK[inside_TK] > own_TK[inside_TK] - 1e-3).all()
    equal = covered = 0
    for threshold in ("0.3", "0.5", "0.7", "0.9"):
        settings = small.settings.with_thresholds([threshold])
        found = events(whole.scores_TK, whole.edge_T1, settings)
        for n, scores in enumerate(alone):
            for onset, offset, label in events(scores.scores_TK, scores.edge_T1, settings):
                event = (2 * n + onset, 2 * n + offset, label)
                if any(near(other, event) for other in found):
                    equal += 1
                elif onset > 0 and offset < scores.edge_T1[-1] - 1e-6:  # not at a joint
                    assert any(covers(other, event, 2 * n) for other in found)
                    covered += 1
    return equal, covered


def above_the_ways_out(scores_TK):
    """Frames with a lower one on either side: at some threshold in an event that keeps away from the joints."""
    before_TK = np.minimum.accumulate(scores_TK)
    after_TK = np.minimum.accumulate(scores_TK[::-1])[::-1]
    return scores_TK > np.maximum(before_TK, after_TK)


def covers(other, event, window_s):
    """Whether `other` holds the event and one end of its window of 2 s."""
    onset, offset, label = other
    return (
        label == event[2]
        and onset <= event[0] + 1e-6
        and event[1] - 1e-6 <= offset
        and (onset <= window_s + 1e-6 or offset >= window_s + 2 - 1e-6)
    )


def near(one_event, other):
    return one_event[2] == other[2] and np.allclose(one_event[:2], other[:2], atol=1e-6, rtol=0)


def test_events_away_from_joints_are_those_of_their_window_alone(small, tmp_path):
    wave = np.concatenate([bursts(2.0, seed=seed) for seed in range(12)])
    equal, covered = check_against_windows(small, tmp_path, wave)
    assert equal > 60 and covered < equal / 4


def test_an_event_across_a_joint_is_whole(small, tmp_path):
    """What the window over the joint at 2 s hears across it is within one event, to half a frame."""
    frame_s = 4 * FEATURES.hop / RATE_HZ
    across = 0
    for seed in range(20):
        wave = bursts(4.0, seed=seed)
        over = one(small, write(tmp_path / "over.wav", wave[8000:24000], subtype="FLOAT"))
        whole = one(small, write(tmp_path / "a.wav", wave, subtype="FLOAT"))
        for threshold in ("0.2", "0.4", "0.6"):
            settings = small.settings.with_thresholds([threshold])
            found = events(whole.scores_TK, whole.edge_T1, settings)
            for onset, offset, label in events(over.scores_TK, over.edge_T1, settings):
                if onset <= 1.0 - frame_s and offset >= 1.0 + frame_s:
                    across += 1
                    assert any(
                        label == other
                        and first <= 1 + onset + 0.51 * frame_s
                        and last >= 1 + offset - 0.51 * frame_s
                        for first, last, other in found
                    )
    assert across > 10


def test_a_sound_of_constant_level_is_one_event(small, tmp_path):
    """It has one score, whichever window hears it."""
    tone = (0.1 * np.random.default_rng(0).standard_normal(RATE_HZ * 11)).astype(np.float32)
    found = one(small, write(tmp_path / "a.wav", tone))
    inner_TK = found.scores_TK[30:-30].astype(np.float64)
    settings = small.settings
    for label, score in zip(settings.classes, inner_TK.min(axis=0), strict=True):
        threshold = max(0.001, float(score) - 0.001)
        settings = settings.with_value("threshold", label, threshold, "test")
    whole = [
        (onset, offset)
        for onset, offset, _ in events(found.scores_TK, found.edge_T1, settings)
        if offset - onset > 9
    ]
    assert len(whole) == len(settings.classes)


@pytest.mark.parametrize(
    ("extension", "rate_hz", "channels"),
    [(".flac", 8000, 2), (".ogg", 44100, 1), (".mp3", 48000, 2), (".aiff", 22050, 1)],
)
def test_any_format_rate_and_channels(small, tmp_path, extension, rate_hz, channels):
    wave = np.repeat(bursts(5.0, rate_hz=rate_hz)[:, None], channels, axis=1)
    found = one(small, write(tmp_path / f"a{extension}", wave, rate_hz))
    assert found.duration_s == pytest.approx(5.0, abs=0.06)  # MP3 pads
    assert found.edge_T1[-1] == pytest.approx(found.duration_s, abs=0.03)


def test_recordings_share_batches_and_keep_their_order(small, tmp_path):
    lengths = [1.0, 7.3, 0.4, 2.0, 25.0, 3.1]
    waves = [bursts(seconds, seed=n) for n, seconds in enumerate(lengths)]
    for n, wave in enumerate(waves):
        write(tmp_path / f"{n}.flac", wave)
    together = list(predict(small, find_sources([str(tmp_path)]).sources))
    assert [p.source.name for p in together] == [f"{n}.flac" for n in range(6)]
    for prediction in together:
        alone = one(small, prediction.source.url)
        np.testing.assert_allclose(
            prediction.scores.scores_TK.astype(float), alone.scores_TK.astype(float), atol=1e-3
        )
        np.testing.assert_array_equal(prediction.scores.edge_T1, alone.edge_T1)


def bad_folder(tmp_path):
    write(tmp_path / "good.wav", bursts(3.0))
    write(tmp_path / "silent.wav", np.zeros(RATE_HZ))
    write(tmp_path / "clipped.wav", np.clip(30 * bursts(3.0), -1, 1))
    write(tmp_path / "one.wav", np.full(1, 0.1))
    write(tmp_path / "zero.wav", np.zeros(0))
    write(tmp_path / "slow.wav", np.full(1, 0.1), 44100)
    wave = bursts(1.0)
    wave[4000] = np.nan
    write(tmp_path / "nan.wav", wave, subtype="FLOAT")
    write(tmp_path / "huge.wav", np.full(9000, 1e7) * bursts(9000 / RATE_HZ), subtype="FLOAT")
    (tmp_path / "text.wav").write_text("Not audio. " * 100)
    write(tmp_path / "cut.flac", bursts(6.0))
    content = (tmp_path / "cut.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(content[: len(content) // 2])


def test_bad_files_are_named_with_their_reason_and_stop_nothing(small, tmp_path):
    bad_folder(tmp_path)
    found = {p.source.name: p for p in predict(small, find_sources([str(tmp_path)]).sources)}
    reasons = {name: p.reason for name, p in found.items() if p.scores is None}
    assert set(reasons) == {"zero.wav", "slow.wav", "nan.wav", "huge.wav", "text.wav", "cut.flac"}
    assert reasons["zero.wav"] == "holds no samples"
    assert "too short" in reasons["slow.wav"]
    assert "first at 0.500 s" in reasons["nan.wav"]
    assert "scale the audio" in reasons["huge.wav"]
    assert "cannot be read as audio" in reasons["text.wav"]
    assert "cannot be read as audio" in reasons["cut.flac"] or "ends" in reasons["cut.flac"]
    assert "silent" in found["silent.wav"].notes[0]
    assert "clipped" in found["clipped.wav"].notes[0]
    assert "1 samples" in found["one.wav"].notes[0]
    assert found["good.wav"].notes == ()


def grid_that_falls_short(folder):
    """Hops of 57: output frames of 228 samples, 70 of them 40 samples short of the window."""
    features = FEATURES.model_copy(update={"hop": 57})
    found = replace(detector(folder), features=features)
    return replace(found, grid=replace(found.grid, frame=4 * 57, frames=features.n_frames // 4))


def test_a_hair_over_whole_windows_is_predicted_and_its_neighbours_too(tmp_path):
    """2.001 s with windows of 2 s ended everything where the window is no multiple of the output frame."""
    small = grid_that_falls_short(tmp_path)
    grid = small.grid
    assert 0 < grid.window - grid.frames * grid.frame < grid.frame
    for n, samples in enumerate((16000, 16001, 16008, 16040, 16041, 32001, 48008)):
        write(tmp_path / "audio" / f"{n}.wav", bursts(samples / RATE_HZ))
    found = list(predict(small, find_sources([str(tmp_path / "audio")]).sources))
    assert [p.reason for p in found] == [""] * 7
    for prediction in found:
        rest = prediction.scores.duration_s - prediction.scores.edge_T1[-1]
        assert 0 <= rest * RATE_HZ < grid.frame


def test_a_fault_in_one_recording_skips_that_one_by_name(small, tmp_path, monkeypatch):
    """Wherever it happens, ours or a library's: while its windows are cut, placed, or put together."""
    for n in range(4):
        write(tmp_path / f"{n}.wav", bursts(1.0 + n / 10))
    count = {"add": 0, "finish": 0}

    def failing(name, at):
        original = getattr(Timeline, name)

        def method(self, *arguments):
            count[name] += 1
            if count[name] == at:
                raise IndexError("zero-size array")
            return original(self, *arguments)

        monkeypatch.setattr(Timeline, name, method)

    failing("add", 2)
    failing("finish", 3)  # the second recording never gets there
    found = list(predict(small, find_sources([str(tmp_path)]).sources))
    assert [p.reason for p in found] == ["", broken := "IndexError: zero-size array", "", broken]
    assert [p.scores is None for p in found] == [False, True, False, True]


def test_scores_that_are_not_numbers_are_a_fault_of_the_recording(small, tmp_path):
    write(tmp_path / "a.wav", bursts(5.0))
    broken = replace(small, network=_NotANumber(small.network))
    (found,) = predict(broken, find_sources([str(tmp_path)]).sources)
    assert found.scores is None
    assert found.reason == "the network gives scores that are not numbers for the window at 0.0 s"


class _NotANumber(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, mel_BTF):
        strong, weak = self.network(mel_BTF)
        return strong * float("nan"), weak


def test_two_minutes_of_real_clips(small, tmp_path):
    folder = MINI_DESED / "audio" / "validation" / "validation"
    if not folder.is_dir():
        pytest.skip("mini-DESED is not there")
    paths = sorted(folder.glob("*.ogg"))[:12]
    joined = np.concatenate([soundfile.read(path, dtype="float32")[0][::2] for path in paths])
    whole = len(joined) // (2 * RATE_HZ) * 2 * RATE_HZ
    equal, covered = check_against_windows(small, tmp_path, joined[:whole])
    assert equal > 200 and covered < equal / 4
