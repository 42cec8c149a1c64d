"""A detector called with arrays says what `raysed predict` says of the same audio in files."""

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from raysed.interface.finished_run import FinishedRun
from raysed.interface.waveform_detector import WaveformDetector, _as_audio
from tests.old_run.old import HERE


@pytest.fixture(scope="module")
def detector(demo):
    return WaveformDetector.load(
        demo / "runs/demo/trials/d636d700-seed1" / "checkpoints/best-dry.pt", device="cpu"
    )


def test_it_finds_what_predict_found(detector, demo):
    stored = pd.read_csv(HERE / "predicted.tsv", sep="\t")
    folder = demo / "sounds/dataset/audio/validation/validation"
    for name in sorted(p.name for p in folder.iterdir())[:4]:
        waveform_T, rate_hz = soundfile.read(folder / name, dtype="float32")
        found = detector(waveform_T, rate_hz)
        rows = stored[stored.filename == name][["onset", "offset", "event_label"]]
        assert found.to_numpy().tolist() == rows.to_numpy().tolist()


def test_tensors_channels_and_rates(detector):
    tone_T = np.sin(np.arange(48_000) * 0.05).astype(np.float32) / 2
    alone = detector.scores(tone_T, 16_000)
    assert alone.offset.iloc[-1] == pytest.approx(3.0, abs=0.07)
    assert list(alone.columns) == ["onset", "offset", *detector.classes]
    both = detector.scores(torch.from_numpy(np.stack([tone_T, tone_T])), 16_000)
    pd.testing.assert_frame_equal(alone, both)
    assert detector.scores(tone_T, 48_000).offset.iloc[-1] == pytest.approx(1.0, abs=0.07)


def test_thresholds(detector):
    noise_T = np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)
    low = detector.with_thresholds(0.001)
    assert len(low(noise_T, 16_000)) >= 2 > len(detector.with_thresholds(0.999)(noise_T, 16_000))
    one = low.with_thresholds({"Dog": 0.999})(noise_T, 16_000)
    assert {*one.event_label} == {"Speech"}


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        (np.zeros(8, np.int16), "divide by 32768"),
        (np.zeros((8, 2)), "channels come first"),
        (np.zeros(0), r"shape \(0,\)"),
        (np.zeros((1, 2, 3)), "expected floats"),
        (["a"], "expected floats"),
    ],
)
def test_what_is_no_waveform_is_refused(waveform, message):
    with pytest.raises(ValueError, match=message):
        _as_audio(waveform)


@pytest.mark.parametrize("rate", [0, 0.5, True])
def test_a_rate_is_whole_hertz(detector, rate):
    with pytest.raises(ValueError, match="whole Hz"):
        detector(np.zeros(100, np.float32), rate)


def test_values_that_are_no_numbers_are_refused(detector):
    with pytest.raises(ValueError, match=r"^waveform: "):
        detector(np.full(16_000, np.nan, np.float32), 16_000)


def test_a_runs_checkpoint_is_taken(demo, detector):
    other = WaveformDetector.load(FinishedRun(demo / "runs/demo").checkpoint("all"))
    assert (other.classes, other.sample_rate) == (("Dog", "Speech"), 16_000)
