"""What a setting of each method does to scores, against the pieces it is made of."""

import numpy as np
import pytest

from raysed.evaluation.detections.bounding_boxes import BoxSettings, bounding_boxes
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.hysteresis import hysteresis
from raysed.evaluation.detections.postprocess import decode
from raysed.evaluation.postprocessing.methods import (
    METHODS,
    HysteresisSettings,
    MedianSettings,
    decoders,
    smoothed,
)
from tests.evaluation.detections.test_frame_scores import rows


@pytest.fixture
def scores() -> FrameScores:
    scores_NTK = np.random.default_rng(0).random((4, 30, 2)).astype(np.float16)
    return FrameScores.uniform(scores_NTK, 0.1, np.array([3.0, 2.95, 1.0, 3.0]))


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("window", [1, 5])
def test_a_median_is_the_one_of_training(
    scores: FrameScores, window: int, threshold: float
) -> None:
    durations_s = scores.edges_NT1[:, -1]
    trained = decode(
        scores.scores_NTK, threshold, median_window=window, frame_s=0.1, durations_s=durations_s
    )
    (found,) = decoders(scores, (MedianSettings(window),))
    assert rows(found(threshold)) == rows(trained)


def test_hysteresis_and_boxes(scores: FrameScores) -> None:
    box = BoxSettings(0.32, 0.2, 2.0)
    both = decoders(scores, (HysteresisSettings(0.5, 3), box))
    assert rows(both[0](0.6)) == rows(hysteresis(smoothed(scores, 3), 0.6, 0.3))
    boxes = bounding_boxes(scores, box)
    kept = boxes.confidence_E >= 0.6
    assert rows(both[1](0.6)) == rows(boxes.events.take(kept))
    assert 0 < kept.sum() < len(kept)


def test_only_what_has_settings_is_tuned() -> None:
    assert list(METHODS) == ["raw", "median", "class_median", "hysteresis", "boxes"]
    assert [method.tuned for method in METHODS.values()] == [False, False, True, True, True]
    assert len(METHODS["boxes"].settings) == 27
