"""Scores of a set, what they are compared with, and how both are stored."""

import io
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.config.trial import PostProcessing
from raysed.data.clip import Event
from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.training.scoring import (
    Scores,
    baseline_statistics,
    decode_scores,
    encode_scores,
    encode_statistics,
    reference_of,
    statistics_of,
    strong_macro_f1,
    weak_macro_f1,
)
from tests.paths import ROOT
from tests.training.tiny import CLASSES, feature_set

FRAME_S = 4 * 255 / 16000
PLAIN = PostProcessing(median_window=1)


def test_the_reference_holds_every_event_of_every_clip() -> None:
    data = feature_set("validation", 3)
    events = ((Event(0.5, 0.75, "Dog"), Event(0.25, 1.0, "Cat")), (), (Event(0.0, 0.5, "Dog"),))
    reference = reference_of(data.__class__(**{**vars(data), "events": events}))
    found = reference.events
    rows = zip(found.clip_E, found.label_E, found.onset_E, found.offset_E, strict=True)
    assert sorted(tuple(map(float, row)) for row in rows) == [
        (0, 0, 0.25, 1.0),
        (0, 1, 0.5, 0.75),
        (2, 1, 0.0, 0.5),
    ]
    assert (reference.filenames, reference.classes) == (data.filenames, CLASSES)


def test_reports_read_scores_without_torch() -> None:
    code = "import sys, raysed.page.page, raysed.report.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_clips_without_strong_labels_are_named() -> None:
    weak = feature_set("weak", 3, strong=False)
    with pytest.raises(ValueError, match=r"weak: clip weak000\.wav has no strong labels"):
        reference_of(weak)


def perfect(data) -> Scores:
    """Scores that are 1 where an event is and 0 elsewhere, but for the last clip, which is all 0."""
    strong_NUK = data.strong_NTK(4).astype(np.float16)
    strong_NUK[-1] = 0
    return Scores(
        data.filenames, data.durations_s, CLASSES, FRAME_S, strong_NUK, strong_NUK.max(axis=1)
    )


def spans(data, *spans_: tuple[float, float, str]):
    events = tuple((Event(*span),) for span in spans_)
    return data.__class__(
        **{
            **vars(data),
            "events": events,
            "weak_labels": tuple((e[0].event_label,) for e in events),
        }
    )


@pytest.fixture
def three():
    """Clips with Cat, Cat and Dog, long enough to be found."""
    data = feature_set("validation", 3)
    return spans(data, (0.1, 0.6, "Cat"), (0.3, 0.9, "Cat"), (0.2, 0.8, "Dog"))


def test_macro_f1_by_hand(three) -> None:
    reference = reference_of(three)
    # Both Cats are found, the Dog is not.
    assert strong_macro_f1(perfect(three), reference, PLAIN) == pytest.approx(0.5)
    statistics = statistics_of(perfect(three), reference, PLAIN)
    assert event_f1(statistics)[0][0] == pytest.approx(0.5)
    higher = PostProcessing(threshold=0.9, median_window=1)
    half = perfect(three)
    half.scores_NUK[:] *= np.float16(0.75)
    assert strong_macro_f1(half, reference, PLAIN) == pytest.approx(0.5)
    assert strong_macro_f1(half, reference, higher) == 0


def test_scores_of_other_clips_are_no_ones_business(three) -> None:
    other = reference_of(feature_set("other", 3))
    with pytest.raises(AssertionError):
        strong_macro_f1(perfect(three), other, PLAIN)


def test_weak_f1_by_hand(three) -> None:
    scores = perfect(three)
    scores.weak_NK[:] = [[0.5, 0.5], [0.25, 0.0], [0.0, 1.0]]
    # At 0.5 Cat: one of two found (F1 2/3); Dog: one found, one too many (F1 2/3). At 0.2 both Cats.
    assert weak_macro_f1(scores, three, 0.5) == pytest.approx(2 / 3)
    assert weak_macro_f1(scores, three, 0.2) == pytest.approx((1 + 2 / 3) / 2)


def test_baselines_know_nothing_of_the_clips(three) -> None:
    found = baseline_statistics(perfect(three), reference_of(three), PLAIN)
    assert set(found) == {"always_on", "permuted"}
    # Of three Dogs that last the clip, one has its onset and offset within 0.2 s of the event's: F1 1/2.
    # Neither Cat is met.
    assert event_f1(found["always_on"])[0][0] == pytest.approx(0.25)
    # Permuted are the clips' names: as many detections as before, in other clips.
    own = statistics_of(perfect(three), reference_of(three), PLAIN)
    for counts in (own.event, found["permuted"].event):
        assert counts.n_sys_NK.sum(0).tolist() == [2, 0]


@given(
    clips=st.integers(0, 4),
    frames=st.integers(1, 5),
    classes=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_scores_come_back_to_the_bit(clips: int, frames: int, classes: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    stored = Scores(
        filenames=tuple(f"Y{n} ä.wav" for n in range(clips)),
        durations_s=random.uniform(0, 10, clips),
        classes=tuple(f"Class {n}" for n in range(classes)),
        frame_s=float(random.uniform(0.01, 0.1)),
        scores_NUK=random.uniform(0, 1, (clips, frames, classes)).astype(np.float16),
        weak_NK=random.uniform(0, 1, (clips, classes)).astype(np.float16),
    )
    found = decode_scores(encode_scores(stored), "x.arrow")
    for name in ("filenames", "classes", "frame_s"):
        assert getattr(found, name) == getattr(stored, name)
    for name in ("durations_s", "scores_NUK", "weak_NK"):
        ours, theirs = getattr(found, name), getattr(stored, name)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_what_are_no_scores_is_named(three) -> None:
    content = encode_scores(perfect(three))
    other = pa.BufferOutputStream()
    with pa.ipc.new_file(other, pa.schema([("filename", pa.string())])):
        pass
    cases = [b"", b"text", content[:500], content[:-200], other.getvalue().to_pybytes()]
    for damaged in cases:
        with pytest.raises(ValueError, match=r"run/x\.arrow: not whole scores of raysed"):
            decode_scores(damaged, "run/x.arrow")


def test_statistics_come_back(three, tmp_path) -> None:
    statistics = statistics_of(perfect(three), reference_of(three), PLAIN)
    path = tmp_path / "s.npz"
    path.write_bytes(encode_statistics(statistics))
    assert event_f1(Statistics.load(path))[0][0] == event_f1(statistics)[0][0]
    assert Statistics.load(io.BytesIO(path.read_bytes())).filenames == three.filenames
