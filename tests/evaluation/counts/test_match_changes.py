"""Matches at every score are those of the detections at that score, with collars rounded."""

import numpy as np
import pytest

from raysed.evaluation.counts.clip_counts import arrays_of, tally
from raysed.evaluation.counts.match_changes import match_deltas
from raysed.evaluation.counts.matching import event_matches
from raysed.evaluation.counts.score_changes import FIRST
from raysed.evaluation.detections.events import Events
from raysed.evaluation.detections.frame_scores import FrameScores
from tests.evaluation.metrics.test_threshold_free import on_a_grid, scored


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("boxes", [False, True])
def test_sums_of_changes_are_the_matches_at_each_threshold(seed: int, boxes: bool) -> None:
    reference, scores = on_a_grid(seed, boxes=True) if boxes else scored(seed, 15, 6)
    shape = scores.scores_NTK.shape[0], scores.scores_NTK.shape[2]
    truth = arrays_of(reference.events, shape[0])
    entry_E4 = match_deltas(truth, scores, 0.25, 0.2)
    owner_E, slot_E = np.divmod(entry_E4[:, 0], shape[1] + 2)
    level_E = scores.scores_NTK[entry_E4[:, 1], entry_E4[:, 2] % FIRST, owner_E]
    for level in np.unique(scores.scores_NTK[scores.scores_NTK > -np.inf]):
        found = scores.decode(level)
        # A collar of a hair more is what rounding allows.
        hits_NK = event_matches(truth, arrays_of(found, shape[0]), shape[1], 0.25 + 4e-7, 0.2)
        for slot, expected in ((0, hits_NK), (1, tally(found, *shape) - hits_NK)):
            counts = np.zeros(shape, int)
            kept_E = (level_E >= level) & (slot_E == slot)
            np.add.at(counts, (entry_E4[kept_E, 1], owner_E[kept_E]), entry_E4[kept_E, 3])
            np.testing.assert_array_equal(counts, expected)


def test_a_collar_met_exactly_holds() -> None:
    """0.9 to 1.1 s are .20000000000000007 s: missed by sed_eval, held by sed_scores_eval."""
    truth = arrays_of(Events.sort([0], [0], [0.9], [2.0]), 1)
    scores_NTK = np.array([[[0.1], [0.9], [0.2]]])
    scores = FrameScores(scores_NTK, np.array([[0.0, 1.1, 2.0, 3.0]]))
    found = match_deltas(truth, scores, 0.2, 0.2)
    assert found[found[:, 0] == 0].tolist() == [[0, 0, 1, 1], [0, 0, 2, -1]]
    assert event_matches(truth, arrays_of(scores.decode(0.9), 1), 1, 0.2, 0.2).sum() == 0


def test_collars_that_are_no_numbers_are_refused() -> None:
    reference, scores = scored(1, 10, 2)
    with pytest.raises(ValueError, match="collars"):
        match_deltas(arrays_of(reference.events, 2), scores, np.nan, 0.2)
