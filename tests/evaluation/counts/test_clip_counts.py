"""Counts by clip and class, by hand and against slower definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.evaluation.counts.clip_counts import (
    PAPER,
    PSDS1,
    PSDS2,
    Deltas,
    PsdsCriteria,
    event_counts,
    intersection_counts,
    intersection_points,
    seconds,
    segment_counts,
    tag_counts,
    tally,
)
from raysed.evaluation.counts.intersections import CT, FP, TP
from raysed.evaluation.detections.events import Events, Reference
from tests.evaluation.oracles import Case, cases, random_case


def rows(counts) -> list[list[list[int]]]:
    """tp, n_sys and n_ref."""
    return [array_NK.tolist() for array_NK in (counts.tp_NK, counts.n_sys_NK, counts.n_ref_NK)]


def reference_of(
    events: Events, clips: int = 2, classes: tuple[str, ...] = ("A", "B")
) -> Reference:
    names = tuple(f"{n}.wav" for n in range(clips))
    return Reference(names, np.full(clips, 10.0), classes, events)


TRUTH = Events.sort([0, 0, 1], [0, 1, 0], [1.0, 4.0, 2.0], [3.0, 6.0, 4.0])
FOUND = Events.sort([0, 0, 0, 1], [0, 0, 1, 1], [1.1, 8.0, 4.5, 2.0], [3.0, 9.0, 6.0, 4.0])


def test_events_by_hand() -> None:
    counts = event_counts(reference_of(TRUTH), FOUND, 0.2, 0.2)
    assert rows(counts) == [[[1, 0], [0, 0]], [[2, 1], [0, 1]], [[1, 1], [1, 0]]]


def test_intersections_by_hand() -> None:
    """In clip 0 both events are met by three quarters at least; the second A and clip 1's B are false."""
    counts = intersection_counts(reference_of(TRUTH), FOUND, PAPER)
    assert rows(counts) == [[[1, 1], [0, 0]], [[2, 1], [0, 1]], [[1, 1], [1, 0]]]
    entries = intersection_points(reference_of(TRUTH), [FOUND], PAPER).entries()
    width = 2 + 2
    # Clip 1's B lies in an A: a false positive of B, and a cross-trigger of B with A.
    assert entries.tolist() == [
        [0 * width + TP, 0, 0, 1],
        [0 * width + FP, 0, 0, 1],
        [1 * width + TP, 0, 0, 1],
        [1 * width + FP, 1, 0, 1],
        [1 * width + CT + 0, 1, 0, 1],
    ]
    assert (
        intersection_points(reference_of(TRUTH), [FOUND], PSDS1).entries()[:, 0].max() < width + CT
    )


@settings(max_examples=30)
@given(case=cases())
@pytest.mark.parametrize("criteria", [PAPER, PSDS1, PSDS2])
def test_changes_between_points_add_up_to_the_counts_of_each(
    case: Case, criteria: PsdsCriteria
) -> None:
    points = [case.points[key] for key in sorted(case.points)]
    deltas = intersection_points(case.reference, points, criteria)
    n_clips, n_classes = len(case.reference.filenames), len(case.reference.classes)
    dense_CNM = np.zeros((n_classes * (n_classes + 2), n_clips, len(points)), int)
    column_E, clip_E, point_E, change_E = deltas.entries().T
    np.add.at(dense_CNM, (column_E, clip_E, point_E), change_E)
    dense_CNM = dense_CNM.cumsum(axis=2)
    assert (change_E != 0).all() and (dense_CNM >= 0).all()
    for m, events in enumerate(points):
        alone = intersection_counts(case.reference, events, criteria)
        slots = np.arange(n_classes) * (n_classes + 2)
        np.testing.assert_array_equal(dense_CNM[slots + TP, :, m].T, alone.tp_NK)
        false_NK = alone.n_sys_NK - alone.tp_NK
        np.testing.assert_array_equal(dense_CNM[slots + FP, :, m].T, false_NK)


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(0, 3)), unique=True, max_size=20
    )
)
def test_changes_come_back_sorted_whatever_their_order(places: list[tuple[int, int, int]]) -> None:
    entry_E4 = np.array([[*place, n + 1] for n, place in enumerate(places)], np.int32).reshape(
        -1, 4
    )
    deltas = Deltas.sort(entry_E4)
    assert deltas.entries().tolist() == sorted(entry_E4.tolist())
    assert deltas.start_C[-1] == len(places)
    assert deltas.column_C.tolist() == sorted({place[0] for place in places})


@settings(max_examples=50)
@given(case=cases(max_points=1), segment_s=st.sampled_from([0.1, 0.5, 1.0]))
def test_every_active_segment_counts_once(case: Case, segment_s: float) -> None:
    (found,) = case.points.values()
    counts = segment_counts(case.reference, found, segment_s)

    def active(events: Events) -> set[tuple[int, int, int]]:
        length_N = np.nan_to_num(case.reference.durations_s, nan=np.inf)
        return {
            (int(n), int(k), segment)
            for n, k, onset, offset in zip(
                events.clip_E, events.label_E, events.onset_E, events.offset_E, strict=True
            )
            for segment in range(int(np.floor(onset / segment_s)), int(np.ceil(offset / segment_s)))
            if segment < np.ceil(length_N[n] / segment_s)
        }

    truth, output = active(case.reference.events), active(found)
    for array_NK, segments in (
        (counts.tp_NK, truth & output),
        (counts.n_sys_NK, output),
        (counts.n_ref_NK, truth),
    ):
        expected_NK = np.zeros_like(array_NK)
        for n, k, _ in segments:
            expected_NK[n, k] += 1
        np.testing.assert_array_equal(array_NK, expected_NK)


def test_tags_by_hand() -> None:
    counts = tag_counts(np.array([[1, 0, 1]]), np.array([[True, True, False]]))
    assert rows(counts) == [[[1, 0, 0]], [[1, 1, 0]], [[1, 0, 1]]]
    assert counts.tp_NK.dtype == np.int32


def test_tally_and_seconds_of_events() -> None:
    assert tally(FOUND, 3, 2).tolist() == [[2, 1], [0, 1], [0, 0]]
    np.testing.assert_allclose(seconds(FOUND, 3, 2), [[2.9, 1.5], [0, 2], [0, 0]])
    nothing = Events.sort([], [], [], [])
    assert tally(nothing, 1, 2).tolist() == [[0, 0]]
    assert seconds(nothing, 1, 2).dtype == np.float64


def test_counts_of_a_clip_do_not_depend_on_the_other_clips() -> None:
    case = random_case(0)
    events, n_clips = case.points[0.5], len(case.reference.filenames)
    whole = event_counts(case.reference, events, 0.2, 0.2)
    for n in range(n_clips):
        alone = []
        for source in (case.reference.events, events):
            own = source.clip_E == n
            fields = (source.label_E[own], source.onset_E[own], source.offset_E[own])
            alone.append(Events.sort(np.zeros(own.sum(), int), *fields))
        classes = case.reference.classes
        counts = event_counts(reference_of(alone[0], 1, classes), alone[1], 0.2, 0.2)
        np.testing.assert_array_equal(counts.tp_NK[0], whole.tp_NK[n])
