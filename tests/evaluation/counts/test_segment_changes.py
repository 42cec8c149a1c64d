"""Segments by hand."""

import numpy as np
import pytest

from raysed.evaluation.counts.clip_counts import arrays_of
from raysed.evaluation.counts.segment_changes import NEGATIVE, POSITIVE, segment_deltas
from raysed.evaluation.detections.events import Events
from raysed.evaluation.detections.frame_scores import FrameScores

TRUTH = arrays_of(Events.sort([0], [1], [1.2], [2.0]), 1)


def test_a_segment_has_the_highest_score_of_the_frames_that_it_touches() -> None:
    """Frames of 0.6 s to 2.4 s of a clip of 3.5 s: the last segment has no frame, and so the score 0."""
    scores_NTK = np.array([[[0.1, 0.5], [0.2, 0.4], [0.3, 0.9], [-0.4, 0.6]]])
    scores = FrameScores(scores_NTK, np.array([[0.0, 0.6, 1.2, 1.8, 2.4]]))
    entry_E4, score_E = segment_deltas(TRUTH, scores, np.array([3.5]), 1.0)
    assert score_E.reshape(4, 2).tolist() == [[0.2, 0.5], [0.3, 0.9], [-0.4, 0.6], [0.0, 0.0]]
    slots = (entry_E4[:, 0] % 4).reshape(4, 2)
    assert slots[:, 0].tolist() == [NEGATIVE] * 4
    assert slots[:, 1].tolist() == [NEGATIVE, POSITIVE, NEGATIVE, NEGATIVE]
    assert (entry_E4[:, 0] // 4).reshape(4, 2).tolist() == [[0, 1]] * 4


def test_frames_without_length_do_not_count() -> None:
    scores_NTK = np.array([[[0.1, 0.5], [0.2, 0.4], [0.9, 0.9]]])
    scores = FrameScores(scores_NTK, np.array([[0.0, 0.6, 1.2, 1.2]]))
    _, score_E = segment_deltas(TRUTH, scores, np.array([3.0]), 1.0)
    assert score_E.reshape(3, 2).tolist() == [[0.2, 0.5], [0.2, 0.4], [0.0, 0.0]]


def test_unknown_durations_are_refused() -> None:
    scores = FrameScores(np.zeros((1, 2, 2)), np.array([[0.0, 1.0, 2.0]]))
    with pytest.raises(ValueError, match="duration of each clip"):
        segment_deltas(TRUTH, scores, np.array([np.nan]), 1.0)
    with pytest.raises(ValueError, match="positive length"):
        segment_deltas(TRUTH, scores, np.array([2.0]), 0.0)
