"""The changes at every score are those of an operating point at every score."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.evaluation.counts.clip_counts import arrays_of
from raysed.evaluation.counts.intersections import EXACT, ROUNDED, intersection_deltas
from raysed.evaluation.counts.score_changes import FIRST, score_deltas
from tests.evaluation.metrics.test_threshold_free import on_a_grid, scored


def counts_at(entry_E4, levels_of, shape, threshold):
    """The counts (N, columns) at one threshold, as sums of the changes at no lower score."""
    counts = np.zeros(shape, int)
    kept_E = levels_of >= threshold
    np.add.at(counts, (entry_E4[kept_E, 1], entry_E4[kept_E, 0]), entry_E4[kept_E, 3])
    return counts


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    grid=st.booleans(),
    cttc=st.sampled_from([np.nan, 0.3]),
    rule=st.sampled_from([EXACT, ROUNDED]),
)
def test_sums_of_changes_are_the_counts_at_each_threshold(seed, grid, cttc, rule) -> None:
    reference, scores = on_a_grid(seed, boxes=True) if grid else scored(seed, 12, 4)
    n_clips, n_classes = scores.scores_NTK.shape[0], scores.scores_NTK.shape[2]
    truth = arrays_of(reference.events.positive(), n_clips)
    durations_s = np.asarray(reference.durations_s)
    criteria = (0.5, 0.5, cttc, rule)
    entry_E4 = score_deltas(truth, scores, durations_s, criteria)
    width = n_classes + 2
    frame_E = entry_E4[:, 2] % FIRST
    levels_of = scores.scores_NTK[entry_E4[:, 1], frame_E, entry_E4[:, 0] // width]
    shape = (n_clips, n_classes * width)
    for level in np.unique(scores.scores_NTK[scores.scores_NTK > -np.inf]):
        found = scores.decode(level)
        start, *events = arrays_of(found, n_clips)
        at = intersection_deltas(truth, (start[None], *events), durations_s, n_classes, criteria)
        expected = np.zeros(shape, int)
        expected[at[:, 1], at[:, 0]] = at[:, 3]
        np.testing.assert_array_equal(counts_at(entry_E4, levels_of, shape, level), expected)
    # What begins with FIRST stays.
    first_E = entry_E4[:, 2] >= FIRST
    for column, clip, level in zip(
        entry_E4[first_E, 0], entry_E4[first_E, 1], levels_of[first_E], strict=True
    ):
        assert column % width == 1
        for lower in np.unique(scores.scores_NTK):
            if -np.inf < lower <= level:
                assert counts_at(entry_E4, levels_of, shape, lower)[clip, column] >= 1


def test_scores_below_a_floor_are_left_out() -> None:
    reference, scores = scored(3, 25)
    truth = arrays_of(reference.events.positive(), len(reference.filenames))
    durations_s, criteria = np.asarray(reference.durations_s), (0.5, 0.5, 0.3, ROUNDED)
    whole = score_deltas(truth, scores, durations_s, criteria)
    floor_K = np.array([0.5, 0.0, 0.75])
    kept = score_deltas(truth, scores, durations_s, criteria, floor_K)
    owner_E = whole[:, 0] // 5
    level_E = scores.scores_NTK[whole[:, 1], whole[:, 2] % FIRST, owner_E]
    whole, level_E = (each[level_E >= floor_K[owner_E]] for each in (whole, level_E))
    np.testing.assert_array_equal(kept[:, [0, 1, 3]], whole[:, [0, 1, 3]])
    found_E = scores.scores_NTK[kept[:, 1], kept[:, 2] % FIRST, kept[:, 0] // 5]
    np.testing.assert_array_equal(found_E, level_E)


def test_arrays_that_do_not_fit_are_refused() -> None:
    reference, scores = scored(3, 25)
    truth = arrays_of(reference.events.positive(), len(reference.filenames))
    with pytest.raises(ValueError, match="durations"):
        score_deltas(truth, scores, np.ones(3), (0.5, 0.5, 0.3, ROUNDED))
    with pytest.raises(ValueError, match="floors"):
        score_deltas(truth, scores, np.ones(8), (0.5, 0.5, 0.3, ROUNDED), np.zeros(2))
