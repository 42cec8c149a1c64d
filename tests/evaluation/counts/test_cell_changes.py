"""The changes of one class in some clips are those among the changes of all."""

import numpy as np
import pytest

from raysed.evaluation.counts.cell_changes import cell_deltas
from raysed.evaluation.counts.clip_counts import PAPER, PSDS1, arrays_of
from raysed.evaluation.counts.intersections import ROUNDED
from raysed.evaluation.counts.score_changes import score_deltas
from tests.evaluation.metrics.test_threshold_free import scored


@pytest.mark.parametrize("of", [PAPER, PSDS1])
@pytest.mark.parametrize("label", [0, 2])
def test_a_class_in_some_clips(of: tuple, label: int) -> None:
    reference, scores = scored(4, 60, 20)
    truth, durations_s = arrays_of(reference.events.positive(), 20), reference.durations_s
    criteria, floor = (*of[:2], np.nan if of[2] is None else of[2], ROUNDED), 0.4
    whole = score_deltas(truth, scores, durations_s, criteria, np.full(3, floor))
    clip_C = np.array([1, 4, 5, 17])
    cells = (clip_C, scores.scores_NTK[clip_C, :, label], scores.edges_NT1)
    found = cell_deltas(truth, cells, label, durations_s, (criteria, floor, 3))
    expected = whole[(whole[:, 0] // 5 == label) & np.isin(whole[:, 1], clip_C)]
    np.testing.assert_array_equal(found, expected)
    assert len(found) > 10
