"""Recordings of any length and kind: the same events as training's scoring, and nothing stops the rest."""

import numpy as np
import pytest
import soundfile

from raysed.config.trial import PostProcessing
from raysed.data.mel import mel_amplitude
from raysed.data.shards import stored_mel
from raysed.data.store import FeatureSet
from raysed.evaluation.postprocess import decode
from raysed.predict.model import load_detector, read_checkpoint
from raysed.predict.recordings import predict
from raysed.predict.settings import events, smooth
from raysed.predict.sources import Source, find_sources
from raysed.training.scoring import score_set
from tests.paths import MINI_DESED
from tests.predict.small import FEATURES, RATE_HZ, bursts, checkpoint, detector, write

THRESHOLD = 0.7


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    postprocessing = PostProcessing(threshold=THRESHOLD, median_window=3)
    return detector(folder, postprocessing=postprocessing)


def one(small, url):
    (prediction,) = predict(small, [Source("a", str(url))])
    assert prediction.scores is not None, prediction.reason
    return prediction.scores


def events_of(small, scores):
    return events(smooth(scores.scores_TK, small.settings), scores.edge_T1, small.settings)


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
    trial = type("T", (), {"model": type("M", (), {"time_pooling": 4})})
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
        found.scores_TK.astype(np.float64), expected.scores_NUK[0].astype(np.float64), atol=1e-3
    )
    same(sorted(events_of(small, found)), sorted(training_events(small, expected, 0)))


def test_concatenated_clips_have_the_clips_own_events_where_their_window_decides(small, tmp_path):
    """Away from joints: frames from 1/8 of a window after a joint to 1/8 before the next, less the
    median's reach, are those of the clip alone, and so are the events within them."""
    clips = [bursts(2.0, seed=seed) for seed in range(12)]
    found = one(small, write(tmp_path / "a.wav", np.concatenate(clips), subtype="FLOAT"))
    expected = training_scores(small, clips)
    frame_s = 4 * FEATURES.hop / RATE_HZ
    compared = 0
    for n in range(len(clips)):
        for u in range(expected.scores_NUK.shape[1]):
            onset = 2.0 * n + u * frame_s
            if (n and u * frame_s < 0.25 + frame_s) or u * frame_s > 1.75 - frame_s:
                continue
            t = int(np.argmin(np.abs(found.edge_T1[:-1] - onset)))
            assert abs(found.edge_T1[t] - onset) < 1e-9
            np.testing.assert_allclose(
                found.scores_TK[t].astype(float), expected.scores_NUK[n, u].astype(float), atol=1e-3
            )
            compared += 1
    assert compared > 12 * 55


def test_an_event_across_windows_is_whole(small, tmp_path):
    """A sound of constant level has one score, whichever window hears it."""
    tone = (0.1 * np.random.default_rng(0).standard_normal(RATE_HZ * 11)).astype(np.float32)
    found = one(small, write(tmp_path / "a.wav", tone))
    inner_TK = found.scores_TK[30:-30].astype(np.float64)
    settings = small.settings
    for label, score in zip(settings.classes, inner_TK.min(axis=0), strict=True):
        threshold = max(0.001, float(score) - 0.001)
        settings = settings.with_value("threshold", label, threshold, "test")
    whole = [
        (onset, offset)
        for onset, offset, _ in events(smooth(found.scores_TK, settings), found.edge_T1, settings)
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


def test_checkpoints_that_are_none(small, tmp_path):
    path = checkpoint(tmp_path)
    content = (tmp_path / "best-dry.pt").read_bytes()
    (tmp_path / "cut.pt").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.pt").write_text("hello")
    for name in ("cut.pt", "text.pt"):
        with pytest.raises(ValueError, match=f"{name}: not a whole raysed checkpoint"):
            load_detector(str(tmp_path / name))
    with pytest.raises(ValueError, match=r"absent\.pt: no such checkpoint"):
        load_detector(str(tmp_path / "absent.pt"))
    assert read_checkpoint(path)[0].epoch == 3


def test_a_checkpoint_of_another_version_says_what_it_lacks(tmp_path):
    from raysed.data.folder import Folder
    from raysed.training.checkpoint import load_checkpoint, save_checkpoint

    folder = Folder(str(tmp_path))
    checkpoint(tmp_path)
    tensors, about = load_checkpoint(folder, "best-dry.pt")
    old = {"model": tensors["student"], "mean_F": tensors["mean_F"], "std_F": tensors["std_F"]}
    save_checkpoint(folder, "old.pt", old, about)
    with pytest.raises(ValueError, match=r"another version of raysed .*lacks student, teacher"):
        load_detector(str(tmp_path / "old.pt"))


def test_teacher_or_student(tmp_path):
    path = checkpoint(tmp_path)
    student, teacher = (load_detector(path, name, "cpu") for name in ("student", "teacher"))
    assert student.name == "student" and load_detector(path).name == "student"
    mel = student.mel(bursts(2.0))
    assert not np.array_equal(student.scores([mel]), teacher.scores([mel]))


def test_two_minutes_of_real_clips(small, tmp_path):
    """Away from joints, the scores are those of each window alone."""
    folder = MINI_DESED / "audio" / "validation" / "validation"
    if not folder.is_dir():
        pytest.skip("mini-DESED is not there")
    paths = sorted(folder.glob("*.ogg"))[:12]
    joined = np.concatenate([soundfile.read(path, dtype="float32")[0][::2] for path in paths])
    clips = [joined[start : start + 16000] for start in range(0, len(joined), 16000)]
    found = one(small, write(tmp_path / "a.wav", joined, subtype="FLOAT"))
    expected = training_scores(small, clips)
    frame_s = expected.frame_s
    for n in range(len(clips)):
        inner = np.arange(12, 66)
        onsets = 2.0 * n + inner * frame_s
        place = np.searchsorted(found.edge_T1, onsets - 1e-6)
        np.testing.assert_allclose(found.edge_T1[place], onsets, atol=1e-9)
        np.testing.assert_allclose(
            found.scores_TK[place].astype(float),
            expected.scores_NUK[n, inner].astype(float),
            atol=1e-3,
        )
