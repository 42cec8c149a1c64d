"""The partial area under the segments' curves: by hand, and sed_scores_eval's values."""

import numpy as np
import pytest

from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.metrics.partial_auc import segment_mpauc
from tests.evaluation.metrics.test_threshold_free import on_a_grid, scored
from tests.evaluation.scored_sets import statistics_of


def test_by_hand() -> None:
    """20 negatives: the area ends after two of them. One positive above all, one between the first and second."""
    scores_NTK = np.zeros((1, 22, 1))
    scores_NTK[0, :4, 0] = 0.9, 0.8, 0.7, 0.6
    truth = Events.sort([0, 0], [0, 0], [0.0, 2.0], [1.0, 3.0])
    reference = Reference(("a.wav",), np.array([22.0]), ("Cat",), truth)
    statistics = statistics_of(reference, FrameScores(scores_NTK, np.arange(23.0)[None]))
    assert segment_mpauc(statistics)[0][0] == pytest.approx((0.5 + 1) / 2)


@pytest.mark.parametrize(
    ("noisy", "seed", "expected"),
    [
        (True, 1, 0.9540689588781487),
        (True, 2, 0.9265256020575169),
        (False, 1, 0.20311915398576016),
        (False, 2, 0.0912416836999298),
    ],
)
def test_equals_sed_scores_eval(noisy: bool, seed: int, expected: float) -> None:
    """`segment_based.auroc` of 0.0.4 with points sorted stably; see findings/partial_auc_order.sh."""
    reference, scores = scored(seed, 200, 20) if noisy else on_a_grid(seed, n_clips=15)
    found = segment_mpauc(statistics_of(reference, scores))[0][0]
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_class_without_positive_segments_is_left_out() -> None:
    reference, scores = scored(1, 30, 10)
    without_N = ~(reference.events.presence(10, 3)[:, 0])
    weights_1N = without_N[None].astype(np.int16)
    mean_1, area_1K = segment_mpauc(statistics_of(reference, scores), weights_1N)
    assert np.isnan(area_1K[0, 0]) and mean_1[0] == pytest.approx(np.nanmean(area_1K))
