"""Scores of recordings that are one row each; long ones are in tests/predict/test_long_recordings.py."""

import numpy as np

from raysed.evaluation.detections.postprocess import decode_points
from raysed.training.scores import Scores, found_events


def scores(seed: int = 0) -> Scores:
    random = np.random.default_rng(seed)
    return Scores(
        filenames=("a", "b", "c"),
        durations_s=np.array([1.0, 0.5, 1.0]),
        classes=("Cat", "Dog"),
        frame_s=0.1,
        scores_NUK=random.random((3, 10, 2)).astype(np.float16),
        weak_NK=random.random((3, 2)).astype(np.float16),
    )


def test_whole_clips_are_decoded_as_ever() -> None:
    made = scores()
    expected = decode_points(
        made.scores_NUK, (0.3, 0.5), median_window=3, frame_s=0.1, durations_s=made.durations_s
    )
    found = found_events(made, (0.3, 0.5), 3)
    for threshold, events in expected.items():
        np.testing.assert_array_equal(found[threshold].onset_E, events.onset_E)
        np.testing.assert_array_equal(found[threshold].clip_E, events.clip_E)
    np.testing.assert_array_equal(made.weak_RK, made.weak_NK)


def test_some_recordings_in_another_order() -> None:
    made = scores()
    some = made.of(["c", "a"])
    assert some.filenames == ("c", "a") and some.starts is None
    np.testing.assert_array_equal(some.scores_NUK, made.scores_NUK[[2, 0]])
    assert made.of([]).filenames == ()
