"""The order of changes and their marks, by hand."""

import numpy as np

from raysed.evaluation.counts.score_changes import FIRST
from raysed.evaluation.counts.scored_changes import FLUSH, LOOK, SURE, ScoredChanges

WIDTH = 4  # two classes: hits, false alarms, and cross-triggers with each


def changes(*rows: tuple[int, int, int, int, float], first: int | None = None) -> ScoredChanges:
    """Rows of class, slot, clip, change and score."""
    entry_E4 = np.array([[k * WIDTH + slot, n, 0, change] for k, slot, n, change, _ in rows])
    if first is not None:
        entry_E4[first, 2] += FIRST
    return ScoredChanges.of(entry_E4.astype(np.int32), np.array([row[4] for row in rows]), 2)


def test_scores_fall_within_a_class_and_hits_stand_first_among_equals() -> None:
    found = changes((1, 1, 0, 1, 0.5), (0, 1, 1, 1, 0.2), (0, 1, 2, 1, 0.9), (0, 0, 0, 1, 0.2))
    assert found.start_G.tolist() == [0, 3, 4]
    assert found.score_E.tolist() == [0.9, 0.2, 0.2, 0.5]
    assert found.slot_E.tolist() == [1, 0, 1, 1]
    assert found.clip_E.tolist() == [2, 0, 1, 0]


def test_a_rate_is_looked_at_where_it_stops_falling() -> None:
    up, down, hit = (0, 1, 0, 1), (0, 1, 1, -1), (0, 0, 2, 1)
    found = changes(
        (*up, 0.9), (*up, 0.8), (*down, 0.7), (*down, 0.6), (*up, 0.5), (*hit, 0.4), (*up, 0.3)
    )
    assert [
        score for score, mark in zip(found.score_E, found.mark_E, strict=True) if mark & LOOK
    ] == [
        0.6,  # after it the rate rises
        0.4,  # new hits, and after them the rate rises
    ]
    assert found.score_E[(found.mark_E & FLUSH) > 0].tolist() == [0.4]


def test_marks_of_one_class_do_not_reach_into_the_next() -> None:
    found = changes((0, 0, 0, 1, 0.9), (1, 1, 0, 1, 0.5), (1, 1, 0, -1, 0.4))
    assert found.mark_E.tolist() == [FLUSH + LOOK, 0, LOOK]


def test_first_false_alarms_stay_marked_beside_another_system_and_among_some_clips() -> None:
    a = changes((0, 1, 0, 1, 0.9), (0, 1, 1, 1, 0.8), first=1)
    b = changes((0, 1, 0, 1, 0.7), first=0)
    both = a.beside(b, 2, 2)
    assert both.clip_E.tolist() == [0, 1, 2]
    assert ((both.mark_E & SURE) > 0).tolist() == [False, True, True]
    some = both.some(np.array([False, True, True]))
    assert some.clip_E.tolist() == [0, 1] and (some.mark_E & SURE).astype(bool).all()


def test_of_two_floors_the_higher_holds_for_both() -> None:
    a, b = (
        changes((0, 1, 0, 1, 0.9), (0, 1, 0, 1, 0.3)),
        changes((0, 1, 0, 1, 0.5), (0, 1, 0, 1, 0.8)),
    )
    floors = ScoredChanges(**vars(b) | {"floor_G": np.array([0.4, -np.inf])})
    assert a.beside(floors, 1, 2).score_E.tolist() == [0.9, 0.8, 0.5]


def test_nothing_is_a_set_without_changes() -> None:
    empty = ScoredChanges.of(np.zeros((0, 4), np.int32), np.zeros(0), 3)
    assert empty.start_G.tolist() == [0, 0, 0, 0] and empty.mark_E.size == 0


def test_classes_one_after_the_other_are_all_together() -> None:
    rows = [(0, 1, 1, 1, 0.2), (0, 0, 0, 1, 0.2), (1, 1, 0, 1, 0.5), (1, 3, 0, 1, 0.6)]
    parts = [changes(*(row for row in rows if row[0] == k)) for k in (0, 1)]
    floor_G = np.array([0.1, 0.3])
    joined, expected = ScoredChanges.joined(parts, floor_G), vars(changes(*rows))
    assert parts == [] and joined.floor_G is floor_G
    for name in expected.keys() - {"floor_G"}:
        np.testing.assert_array_equal(vars(joined)[name], expected[name])
