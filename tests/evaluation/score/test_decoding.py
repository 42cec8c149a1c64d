"""Detections of frame scores: at many thresholds at once, and at operating points taken from the scores."""

import numpy as np
import pytest

from raysed.evaluation.counts.statistics import collect
from raysed.evaluation.detections.events import Events
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.metrics.psds import psds
from raysed.evaluation.score.decoding import decode_many, value_points
from tests.evaluation.metrics.test_threshold_free import on_a_grid, scored


@pytest.mark.parametrize("boxes", [False, True])
@pytest.mark.parametrize("at_threshold", [True, False])
def test_many_thresholds_find_what_each_finds_alone(boxes: bool, at_threshold: bool) -> None:
    _, scores = on_a_grid(3, boxes=boxes)
    thresholds = (0.05, 0.3, 0.7, 0.95, 2.0)
    found = decode_many(scores, thresholds, 5, at_threshold=at_threshold)
    for threshold, events in zip(thresholds, found, strict=True):
        alone = scores.decode(threshold, at_threshold=at_threshold)
        expected = Events(alone.clip_E + 5, alone.label_E, alone.onset_E, alone.offset_E)
        for name, array in vars(expected).items():
            np.testing.assert_array_equal(vars(events)[name], array)


def test_operating_points_from_values_do_not_depend_on_the_scale() -> None:
    reference, scores = scored(5, 1000)
    found = []
    for change in (lambda s: s, lambda s: 7 * s - 3, np.exp, lambda s: np.log(s + 1e-9)):
        changed = FrameScores(change(scores.scores_NTK), scores.edges_NT1)
        points = value_points(changed.scores_NTK.max(axis=1))
        assert list(points) == sorted(set(points)) and 2 <= len(points) <= 50
        decoded = {threshold: changed.decode(threshold) for threshold in points}
        found.append(psds(collect(reference, decoded[points[0]], decoded))[0])
    assert len(set(found)) == 1
