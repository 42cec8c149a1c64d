"""The best F1 over thresholds: by trying all of them, and sed_scores_eval's values."""

import numpy as np
import pytest

from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.metrics.best_f1 import best_f1
from raysed.evaluation.metrics.registry import METRICS
from tests.evaluation.metrics.test_threshold_free import on_a_grid, scored
from tests.evaluation.scored_sets import statistics_of


@pytest.mark.parametrize("matching", ["event", "intersection", "segment"])
@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_the_best_of_all_thresholds(matching: str, seed: int) -> None:
    reference, scores = scored(seed, 30, 15)
    statistics = statistics_of(reference, scores)
    _, best_1K = best_f1(statistics, matching=matching)  # type: ignore[arg-type]
    tried = []
    for level in np.unique(scores.scores_NTK):
        from raysed.evaluation.counts.statistics import collect

        at = collect(reference, scores.decode(level))
        tried.append(METRICS[f"{matching}_f1"].per_class(at)[0])
    np.testing.assert_allclose(best_1K[0], np.max(tried, axis=0), atol=1e-12)


@pytest.mark.parametrize(
    ("noisy", "seed", "event", "intersection"),
    [
        (True, 1, 0.40969357439945675, 0.7956688322505414),
        (True, 2, 0.46312399355877615, 0.6536922015182884),
        (False, 1, 0.34478179730117714, 0.6530430353959765),
        (False, 2, 0.4586759434956778, 0.6762663098026097),
    ],
)
def test_equals_sed_scores_eval(noisy: bool, seed: int, event: float, intersection: float) -> None:
    """`collar_based.best_fscore` (0.2, 0.2, 0.2) and `intersection_based.best_fscore` (0.5, 0.5) of 0.0.4."""
    reference, scores = scored(seed, 200, 20) if noisy else on_a_grid(seed, n_clips=15)
    statistics = statistics_of(reference, scores)
    assert METRICS["best_event_f1"](statistics)[0] == pytest.approx(event, abs=1e-12)
    assert METRICS["best_intersection_f1"](statistics)[0] == pytest.approx(intersection, abs=1e-12)


def test_a_class_without_events_is_left_out() -> None:
    reference, scores = scored(1, 30, 10)
    statistics = statistics_of(reference, scores)
    without_N = ~(reference.events.presence(10, 3)[:, 0])
    macro_1, best_1K = best_f1(statistics, without_N[None].astype(np.int16))
    assert np.isnan(best_1K[0, 0]) and macro_1[0] == pytest.approx(np.nanmean(best_1K))


@pytest.mark.parametrize(
    ("noisy", "seed", "expected"),
    [
        (True, 1, 0.949292092423824),
        (True, 2, 0.9466805951413697),
        (False, 1, 0.805188381245987),
        (False, 2, 0.8048103856927386),
    ],
)
def test_segments_equal_sed_scores_eval(noisy: bool, seed: int, expected: float) -> None:
    """`segment_based.best_fscore` of 0.0.4, segments of 1 s."""
    reference, scores = scored(seed, 200, 20) if noisy else on_a_grid(seed, n_clips=15)
    found = METRICS["best_segment_f1"](statistics_of(reference, scores))[0]
    assert found == pytest.approx(expected, abs=1e-12)


def test_segments_of_clips_that_were_not_drawn_do_not_count() -> None:
    reference, scores = scored(1, 30, 10)
    kept_N = np.arange(10) < 6
    statistics = statistics_of(reference, scores)
    left = statistics_of(
        reference.of_clips(kept_N), FrameScores(scores.scores_NTK[kept_N], scores.edges_NT1[kept_N])
    )
    weights_2N = np.stack((kept_N, 3 * kept_N)).astype(np.int16)
    found_2, _ = best_f1(statistics, weights_2N, matching="segment")
    np.testing.assert_allclose(found_2, best_f1(left, matching="segment")[0][0], atol=1e-15)
