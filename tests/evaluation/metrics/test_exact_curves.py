"""The curves of a whole set, class by class: the value that memory gives."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from raysed.evaluation.counts.scored import Scored
from raysed.evaluation.metrics.exact_curves import _staircase
from raysed.evaluation.metrics.threshold_free import psds_all, psds_all_over
from tests.evaluation.metrics.test_threshold_free import on_a_grid, scored
from tests.evaluation.score_folders import files_of
from tests.evaluation.scored_sets import statistics_of


@pytest.mark.parametrize("definition", ["psds", "psds_2020", "psds1", "psds2"])
@pytest.mark.parametrize("kind", ["noisy", "grid", "boxes"])
def test_the_value_is_that_of_memory(tmp_path: Path, kind: str, definition: str) -> None:
    reference, scores = (
        scored(3, 200, 60) if kind == "noisy" else on_a_grid(3, boxes=kind == "boxes")
    )
    expected = psds_all(statistics_of(reference, scores), definition=definition)
    files = Scored.of(reference, files_of(tmp_path, reference, scores))
    found = psds_all(replace(statistics_of(reference, scores), scored=files), definition=definition)
    np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[1], expected[1], rtol=0, atol=1e-12)


def test_both_divisors_come_from_one_reading(tmp_path: Path) -> None:
    reference, scores = on_a_grid(3, n_clips=30)
    in_memory = statistics_of(reference, scores)
    files = Scored.of(reference, files_of(tmp_path, reference, scores))
    weights_BN = np.random.default_rng(1).integers(0, 3, (40, 30))
    for statistics in (in_memory, replace(in_memory, scored=files)):
        both = psds_all_over(statistics, weights_BN)
        for place, name in enumerate(("psds", "psds_2020")):
            alone = psds_all(statistics, weights_BN, definition=name)
            assert both[0][:, place].tobytes() == alone[0].tobytes()
            assert both[1][:, place].tobytes() == alone[1].tobytes()
        assert (both[0][:, 0] != both[0][:, 1]).any()


def test_a_staircase_has_the_most_hits_at_each_rate_up_to_the_end() -> None:
    point_2X = np.array([[3.0, 1.0, 1.0, 5.0, 11.0, 4.0], [4.0, 2.0, 3.0, 4.0, 9.0, 0.0]])
    assert _staircase(point_2X, 10.0).tolist() == [[1.0, 3.0], [3.0, 4.0]]
    assert _staircase(point_2X[:, :0], 10.0).shape == (2, 0)
