"""Intersection counts of cases that can be checked by hand, under both packages' rules."""

import numpy as np
import pytest

from raysed.evaluation.counts.clip_counts import arrays_of
from raysed.evaluation.counts.intersections import EXACT, ROUNDED, emit, grown, intersection_deltas
from raysed.evaluation.detections.events import Events

Rows = list[tuple[int, float, float]]
CAT, DOG = 0, 1
WIDTH = 4
"""Columns of a class: hits, false alarms, cross-triggers with either class."""


def events(rows: Rows) -> Events:
    table = np.array(rows, np.float64).reshape(-1, 3)
    return Events.sort(np.zeros(len(table)), table[:, 0], table[:, 1], table[:, 2])


def counts(
    truth: Rows, *points: Rows, rule: float = EXACT, duration_s: float = 10.0
) -> dict[tuple[int, int], int]:
    """(column, point) -> change, for one clip and the criteria .5, .5, .3."""
    found = [events(rows) for rows in points]
    before = np.cumsum([0] + [len(one) for one in found])
    joined = tuple(
        np.concatenate([getattr(one, field) for one in found])
        for field in ("label_E", "onset_E", "offset_E")
    )
    starts = np.stack([before[:-1], before[1:]], axis=1)
    entry_E4 = intersection_deltas(
        arrays_of(events(truth), 1), (starts, *joined), np.array([duration_s]), 2,
        (0.5, 0.5, 0.3, rule),
    )  # fmt: skip
    return {(int(column), int(point)): int(change) for column, _, point, change in entry_E4}


def test_hits_false_alarms_and_cross_triggers() -> None:
    truth = [(CAT, 1.0, 2.0), (DOG, 4.0, 5.0)]
    found = [(CAT, 1.0, 2.0), (CAT, 4.0, 5.0), (DOG, 7.0, 8.0)]
    assert counts(truth, found) == {
        (CAT * WIDTH + 0, 0): 1,
        (CAT * WIDTH + 1, 0): 1,
        (CAT * WIDTH + 2 + DOG, 0): 1,
        (DOG * WIDTH + 1, 0): 1,
    }


def test_points_give_changes() -> None:
    truth = [(CAT, 1.0, 2.0)]
    assert counts(truth, [(CAT, 1.0, 2.0)], [(CAT, 1.0, 2.0)], []) == {(0, 0): 1, (0, 2): -1}


@pytest.mark.parametrize(("rule", "hits"), [(EXACT, 0), (ROUNDED, 1)])
def test_a_share_met_exactly(rule: float, hits: int) -> None:
    """.3 of .6 s is .4999... in floating point: 8.6 - 8.3 s of a detection from 8.3 to 8.9 s."""
    truth, found = [(CAT, 8.0, 8.6)], [(CAT, 8.3, 8.9)]
    assert (8.6 - 8.3) / (8.9 - 8.3) < 0.5
    assert counts(truth, found, rule=rule).get((0, 0), 0) == hits


@pytest.mark.parametrize(
    ("rule", "duration_s", "alarms"),
    [(EXACT, 5.0, 0), (ROUNDED, 5.0, 1), (EXACT, np.nan, 0), (ROUNDED, np.nan, 0)],
)
def test_false_alarms_after_the_end(rule: float, duration_s: float, alarms: int) -> None:
    found = counts([], [(CAT, 6.0, 7.0)], rule=rule, duration_s=duration_s)
    assert found.get((1, 0), 0) == alarms


def test_only_changes_are_emitted_and_remembered() -> None:
    now_C, before_C = np.array([2, 0, 5, 1], np.int32), np.array([2, 3, 4, 0], np.int32)
    out = np.zeros((5, 4), np.int32)
    n_out = emit(np.array([0, 1, 2]), now_C, before_C, (7, 9), out, 1)
    assert n_out == 3
    assert out.tolist() == [[0] * 4, [1, 7, 9, -3], [2, 7, 9, 1], [0] * 4, [0] * 4]
    # Column 3 was not used, so that it stays as it was.
    assert before_C.tolist() == [2, 0, 5, 0]


@pytest.mark.parametrize("more", [0, 100])
def test_a_full_table_grows_and_keeps_its_rows(more: int) -> None:
    rows = np.arange(12, dtype=np.int32).reshape(3, 4)
    larger = grown(rows, 2, more)
    assert len(larger) >= 2 + more and larger.dtype == np.int32
    assert larger[:2].tolist() == rows[:2].tolist()
