"""Metrics over all thresholds in weighted resamples: what the resampled set has when it is written out."""

from collections.abc import Callable

import numpy as np
import pytest

from raysed.evaluation.counts.scored import Scored
from raysed.evaluation.counts.stacked import stack
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.intervals.significance import paired_difference
from raysed.evaluation.metrics.registry import METRICS
from tests.evaluation.metrics.test_threshold_free import on_a_grid, scored
from tests.evaluation.scored_sets import statistics_of, written_out

OF_SCORES = [name for name, metric in METRICS.items() if metric.needs == "scores"]
SETS: dict[str, Callable[[int], tuple[Reference, FrameScores]]] = {
    "noisy": lambda seed: scored(seed, 500, 10),
    "many": lambda seed: scored(seed, 500, 70),
    "grid": lambda seed: on_a_grid(seed, n_clips=80),
    "boxes": lambda seed: on_a_grid(seed, boxes=True, n_clips=30),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_SCORES)
@pytest.mark.parametrize("kind", SETS)
def test_a_resample_is_the_set_written_out(kind: str, name: str) -> None:
    reference, scores = SETS[kind](3)
    statistics, n_clips = statistics_of(reference, scores), len(reference.filenames)
    rng = np.random.default_rng(4)
    clip_BI = rng.integers(n_clips, size=(35, n_clips))
    weights_BN = np.stack([np.bincount(clip_I, minlength=n_clips) for clip_I in clip_BI])
    found_B = METRICS[name](statistics, weights_BN)
    per_class_BK = METRICS[name].per_class(statistics, weights_BN)
    assert per_class_BK is not None
    for b in (0, 31, 34):
        drawn = statistics_of(*written_out(reference, scores, clip_BI[b]))
        assert METRICS[name](drawn)[0] == pytest.approx(found_B[b], abs=1e-12)
        own_1K = METRICS[name].per_class(drawn)
        assert own_1K is not None
        np.testing.assert_allclose(per_class_BK[b : b + 1], own_1K, atol=1e-12)


@pytest.mark.parametrize("name", ["psds_all", "psds2_all", "best_event_f1", "segment_mpauc"])
def test_systems_side_by_side_and_some_of_the_clips(name: str) -> None:
    from raysed.evaluation.counts.some_clips import some_clips

    reference, scores = scored(5, 100, 12)
    other = FrameScores(scores.scores_NTK[::-1] * 0.7 + 0.1, scores.edges_NT1)
    a, b = statistics_of(reference, scores), statistics_of(reference, other)
    metric = METRICS[name]
    weights_2N = np.array([[1] * 12 + [0] * 12, [0] * 12 + [1] * 12], np.int16)
    expected = [metric(a)[0], metric(b)[0]]
    assert metric(stack(a, b), weights_2N) == pytest.approx(expected, abs=1e-12)
    kept_N = np.arange(12) % 3 > 0
    expected_1 = metric(a, kept_N[None].astype(np.int16))[0]
    assert metric(some_clips(a, kept_N))[0] == pytest.approx(expected_1, abs=1e-12)
    found = paired_difference(metric, a, b, draws=40, permutations=20)
    assert found.difference == pytest.approx(expected[0] - expected[1], abs=1e-12)
    assert found.low <= found.high and 0 < found.p <= 1


def test_counts_are_made_once_and_fit_the_set() -> None:
    reference, scores = scored(1, 100, 6)
    statistics = statistics_of(reference, scores)
    assert statistics.scored is not None
    from raysed.evaluation.counts.scored import Segments

    assert statistics.scored.changes(Segments(1.0)) is statistics.scored.changes(Segments(1.0))
    with pytest.raises(ValueError, match="are not of"):
        Scored.of(scored(1, 100, 5)[0], scores)
