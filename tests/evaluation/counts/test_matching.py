"""The matching kernels: as many pairs as any search finds.

Parity with sed_eval is in tests/evaluation/metrics.
"""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.evaluation.counts.clip_counts import arrays_of
from raysed.evaluation.counts.matching import event_hits, event_matches
from raysed.evaluation.detections.events import Events

COLLAR_S, SHARE = 0.25, 0.5
ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 6), st.integers(1, 4)),
    max_size=8,
)


def events_of(rows: list[tuple[int, int, int, int]]) -> Events:
    """Events from (clip, class, onset, length) in units of 0.125 s, which are exact."""
    clip, label, onset, length = zip(*rows, strict=True) if rows else ((), (), (), ())
    onset_E = np.array(onset, float) / 8
    return Events.sort(clip, label, onset_E, onset_E + np.array(length, float) / 8)


def near(truth: Events, g: int, found: Events, d: int) -> bool:
    same = (truth.clip_E[g], truth.label_E[g]) == (found.clip_E[d], found.label_E[d])
    offset_collar_s = max(COLLAR_S, SHARE * (truth.offset_E[g] - truth.onset_E[g]))
    return bool(
        same
        and abs(truth.onset_E[g] - found.onset_E[d]) <= COLLAR_S
        and abs(truth.offset_E[g] - found.offset_E[d]) <= offset_collar_s
    )


def largest(truth: Events, found: Events, clip: int, label: int) -> int:
    """The most pairs, by trying every assignment of the events of one clip and class."""

    def own(events: Events) -> list[int]:
        return np.flatnonzero((events.clip_E == clip) & (events.label_E == label)).tolist()

    fewer, more, swapped = own(truth), own(found), False
    if len(fewer) > len(more):
        fewer, more, swapped = more, fewer, True
    return max(
        sum(near(truth, b, found, a) if swapped else near(truth, a, found, b) for a, b in zip(fewer, chosen, strict=True))
        for chosen in permutations(more, len(fewer))
    )  # fmt: skip


@settings(max_examples=100)
@given(ROWS, ROWS)
def test_no_assignment_has_more_pairs(truth_rows: list, found_rows: list) -> None:
    truth, found = events_of(truth_rows), events_of(found_rows)
    arrays = arrays_of(truth, 2), arrays_of(found, 2)
    matched_NK = event_matches(*arrays, 2, COLLAR_S, SHARE)
    assert matched_NK.tolist() == [
        [largest(truth, found, clip, label) for label in (0, 1)] for clip in (0, 1)
    ]
    hit_E = event_hits(*arrays, COLLAR_S, SHARE)
    assert hit_E.shape == (len(found),) and hit_E.sum() == matched_NK.sum()
    for d in np.flatnonzero(hit_E):
        assert any(near(truth, g, found, d) for g in range(len(truth)))


def test_an_earlier_partner_moves_where_that_finds_one_more() -> None:
    # The first detection fits both events and takes the first; the second fits the first alone.
    truth = events_of([(0, 0, 4, 4), (0, 0, 6, 4)])
    found = events_of([(0, 0, 5, 4), (0, 0, 2, 4)])
    assert event_hits(arrays_of(truth, 1), arrays_of(found, 1), COLLAR_S, 0.0).tolist() == [
        True,
        True,
    ]
    third = events_of([(0, 0, 5, 4), (0, 0, 2, 4), (0, 0, 3, 4)])
    hit_E = event_hits(arrays_of(truth, 1), arrays_of(third, 1), COLLAR_S, 0.0)
    assert hit_E.sum() == 2


def test_clips_do_not_match_each_other() -> None:
    truth, found = events_of([(0, 0, 0, 4)]), events_of([(1, 0, 0, 4)])
    hit_E = event_hits(arrays_of(truth, 2), arrays_of(found, 2), COLLAR_S, SHARE)
    assert hit_E.tolist() == [False]


@pytest.mark.parametrize(("collar_s", "share"), [(-0.1, 0.2), (0.2, np.nan)])
def test_collars_that_are_no_lengths_are_refused(collar_s: float, share: float) -> None:
    one = arrays_of(events_of([(0, 0, 0, 4)]), 1)
    with pytest.raises(ValueError, match="collars of"):
        event_hits(one, one, collar_s, share)
