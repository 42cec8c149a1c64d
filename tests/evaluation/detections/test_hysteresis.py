"""Two thresholds: by hand, and as one threshold where both are equal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.hysteresis import hysteresis
from tests.evaluation.detections.test_frame_scores import rows

LEVELS = st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.8]), min_size=1, max_size=12)


def scores_of(*score_NT: list[float]) -> FrameScores:
    scores_NTK = np.array(score_NT)[:, :, None]
    return FrameScores.uniform(scores_NTK, 1.0, np.full(len(score_NT), 100.0))


def test_a_region_above_the_low_threshold_counts_where_it_reaches_the_high_one() -> None:
    scores = scores_of([0.4, 0.6, 0.8, 0.6, 0.2, 0.6, 0.4, 0], [0, 0.6, 0.6, 0, 0.8, 0.4, 0.8, 0.8])
    assert rows(hysteresis(scores, 0.7, 0.5)) == [(0, 0, 1, 4), (1, 0, 4, 5), (1, 0, 6, 8)]
    assert rows(hysteresis(scores, 0.7, 0.3)) == [(0, 0, 0, 4), (1, 0, 4, 8)]
    assert rows(hysteresis(scores, 0.9, 0.3)) == []


@given(first=LEVELS, high=st.sampled_from([0.2, 0.5, 0.6]), low=st.sampled_from([0.1, 0.2]))
def test_equal_thresholds_are_one_and_a_lower_one_only_widens(
    first: list[float], high: float, low: float
) -> None:
    scores = scores_of(first, first[::-1])
    plain = rows(scores.decode(high))
    assert rows(hysteresis(scores, high, high)) == plain
    wide = rows(hysteresis(scores, high, low))
    assert set(wide) <= set(rows(scores.decode(low)))
    for clip, _, onset, offset in plain:
        assert any(n == clip and a <= onset and offset <= b for n, _, a, b in wide)


def test_a_low_threshold_above_the_high_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"low threshold 0.6 is above the high one, 0.5"):
        hysteresis(scores_of([0.5]), 0.5, 0.6)
