"""Event-based, intersection and tagging F1 against sed_eval and psds_eval."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings

from raysed.evaluation.counts.clip_counts import tag_counts
from raysed.evaluation.counts.statistics import Parameters, Statistics, collect
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.metrics.event_f1 import (
    event_f1,
    intersection_f1,
    macro_f1,
    segment_f1,
    tagging_f1,
)
from tests.evaluation.oracles import (
    Case,
    cases,
    evaluator,
    frame,
    random_case,
    resample,
    sed_eval_f1,
    sed_eval_segment_f1,
)


def counted(case: Case, events: Events, **parameters: float) -> Statistics:
    return collect(case.reference, events, parameters=Parameters(**parameters))


def one_clip(
    truth: list[tuple], found: list[tuple], classes: tuple[str, ...] = ("A", "B")
) -> Statistics:
    """Statistics of (class, onset, offset) rows in one 10 s clip."""
    events = [
        Events.sort([0] * len(rows), *(np.array([row[i] for row in rows]) for i in range(3)))
        for rows in (truth, found)
    ]
    return collect(Reference(("a.wav",), np.array([10.0]), classes, events[0]), events[1])


@pytest.mark.parametrize(("collar_s", "share"), [(0.2, 0.2), (0.2, 0.5), (1.0, 0.0)])
def test_equals_sed_eval(collar_s: float, share: float) -> None:
    case = random_case(1, n_clips=15)
    best = 0.0
    for events in case.points.values():
        macro, per_class = sed_eval_f1(case, events, collar_s=collar_s, share=share)
        macro_B, per_class_BK = event_f1(
            counted(case, events, t_collar_s=collar_s, percentage_of_length=share)
        )
        assert macro_B[0] == pytest.approx(macro, abs=1e-12)
        np.testing.assert_allclose(per_class_BK[0], per_class, atol=1e-12)
        best = max(best, macro)
    assert best > 0.2  # the comparison is not one of zeros


@settings(max_examples=60, deadline=None)
@given(case=cases(max_points=1))
def test_awkward_events_equal_sed_eval(case: Case) -> None:
    (events,) = case.points.values()
    macro, per_class = sed_eval_f1(case, events)
    macro_B, per_class_BK = event_f1(counted(case, events))
    np.testing.assert_allclose(macro_B[0], macro, atol=1e-12)
    np.testing.assert_allclose(per_class_BK[0], per_class, atol=1e-12)


def test_resample_equals_sed_eval_on_duplicated_and_renamed_clips() -> None:
    case = random_case(6, n_clips=8)
    events = case.points[0.5]
    weights_BN = np.random.default_rng(1).multinomial(8, np.full(8, 1 / 8), size=4).astype(np.int16)
    macro_B, per_class_BK = event_f1(counted(case, events), weights_BN)
    for b, weights_N in enumerate(weights_BN):
        drawn = resample(case, weights_N)
        macro, per_class = sed_eval_f1(drawn, drawn.points[0.5])
        assert macro_B[b] == pytest.approx(macro, abs=1e-12)
        np.testing.assert_allclose(per_class_BK[b], per_class, atol=1e-12)


def test_convention_for_empty_classes() -> None:
    # A: found; B: reference, no output; C: neither; D: output, no reference.
    statistics = one_clip(
        [(0, 1.0, 2.0), (1, 3.0, 4.0)], [(0, 1.1, 2.1), (3, 5.0, 6.0)], classes=("A", "B", "C", "D")
    )
    macro_B, per_class_BK = event_f1(statistics)
    np.testing.assert_array_equal(per_class_BK, [[1.0, 0.0, np.nan, np.nan]])
    assert macro_B[0] == 0.5


def test_set_without_events_has_no_score() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        macro_B, per_class_BK = event_f1(one_clip([], [(0, 1.0, 2.0)]))
    assert np.isnan(macro_B[0])
    assert np.isnan(per_class_BK).all()


def test_matching_is_largest_not_greedy() -> None:
    # The first detection fits both events, the second only the first event.
    statistics = one_clip([(0, 1.0, 2.0), (0, 1.3, 2.3)], [(0, 1.15, 2.15), (0, 0.85, 1.85)])
    np.testing.assert_array_equal(statistics.event.tp_NK, [[2, 0]])


@pytest.mark.parametrize(
    ("onset", "offset", "hit"),
    [
        (1.25, 6.0, 1),
        (0.75, 6.0, 1),
        (1.26, 6.0, 0),
        (1.0, 7.25, 1),
        (1.0, 7.26, 0),
        (1.0, 4.75, 1),
        (1.0, 4.74, 0),
    ],
)
def test_collars_include_their_ends(onset: float, offset: float, hit: int) -> None:
    reference = Reference(("a.wav",), np.array([10.0]), ("A",), Events.sort([0], [0], [1.0], [6.0]))
    found = Events.sort([0], [0], [onset], [offset])
    statistics = collect(
        reference, found, parameters=Parameters(t_collar_s=0.25, percentage_of_length=0.25)
    )
    assert statistics.event.tp_NK[0, 0] == hit


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # psds_eval divides 0 by 0
@pytest.mark.parametrize("seed", range(3))
def test_intersection_f1_equals_psds_eval(seed: int) -> None:
    case = random_case(seed, n_clips=15)
    for events in case.points.values():
        macro, by_class = evaluator(case).compute_macro_f_score(frame(events, case.reference))
        macro_B, per_class_BK = intersection_f1(counted(case, events), missed=np.nan)
        assert macro_B[0] == pytest.approx(macro, abs=1e-12, nan_ok=True)
        np.testing.assert_allclose(
            per_class_BK[0], [by_class[name] for name in case.reference.classes], atol=1e-12
        )


def test_missed_class_counts_as_zero_where_psds_eval_drops_it() -> None:
    statistics = one_clip([(0, 1.0, 2.0), (1, 3.0, 4.0)], [(0, 1.0, 2.0), (1, 8.0, 9.0)])
    assert intersection_f1(statistics)[0][0] == 0.5
    assert intersection_f1(statistics, missed=np.nan)[0][0] == 1.0


def test_segment_f1_by_hand() -> None:
    """Cat at 0.5-2.5 touches segments 0, 1, 2; two detections at 1.0-1.2 and 2.9-3.1 touch 1, 2, 3."""
    statistics = one_clip([(0, 0.5, 2.5)], [(0, 1.0, 1.2), (0, 2.9, 3.1), (0, 3.0, 3.05)])
    counts = statistics.segment
    assert [int(array_NK[0, 0]) for array_NK in vars(counts).values()] == [2, 3, 3]
    assert segment_f1(statistics)[1][0, 0] == pytest.approx(2 / 3)


@settings(max_examples=60, deadline=None)
@given(case=cases(max_points=1))
@pytest.mark.parametrize("segment_s", [1.0, 0.1])
def test_segment_f1_equals_sed_eval(case: Case, segment_s: float) -> None:
    (events,) = case.points.values()
    macro, per_class = sed_eval_segment_f1(case, events, segment_s=segment_s)
    macro_B, per_class_BK = segment_f1(counted(case, events, segment_s=segment_s))
    np.testing.assert_allclose(per_class_BK[0], per_class, atol=1e-12)
    np.testing.assert_allclose(macro_B[0], macro, atol=1e-12)


@pytest.mark.parametrize(("duration_s", "expected"), [(10.0, 1.0), (12.0, 0.5), (np.nan, 0.5)])
def test_segments_past_the_end_of_a_clip_do_not_count(duration_s: float, expected: float) -> None:
    """sed_eval with `evaluated_length_seconds`, and sed_scores_eval 0.0.4, give 1.0 for the 10 s."""
    truth, found = Events.sort([0], [0], [9.0], [12.0]), Events.sort([0], [0], [9.0], [10.0])
    reference = Reference(("a.wav",), np.array([duration_s]), ("Cat",), truth)
    case = Case(reference, {0.5: found})
    assert segment_f1(counted(case, found))[0][0] == expected
    assert sed_eval_segment_f1(case, found)[0] == expected


def test_segment_f1_of_a_resample_equals_sed_eval() -> None:
    case = random_case(4)
    weights_N = np.random.default_rng(0).integers(0, 3, 12)
    drawn = resample(case, weights_N)
    statistics = counted(case, case.points[0.5])
    found = segment_f1(statistics, weights_N[None].astype(np.int16))[0][0]
    expected, _ = sed_eval_segment_f1(drawn, drawn.points[0.5])
    assert found == pytest.approx(expected, abs=1e-12)


def test_tagging_f1_counts_clips_once() -> None:
    statistics = one_clip([(0, 1.0, 2.0), (0, 3.0, 4.0), (1, 0.0, 1.0)], [(0, 9.0, 9.5)])
    np.testing.assert_array_equal(tagging_f1(statistics)[1], [[1.0, 0.0]])


def test_tags_come_from_the_clip_output_where_given() -> None:
    case = random_case(0)
    tags_NK = np.zeros((12, 3), dtype=bool)
    tags_NK[:, 1] = True
    statistics = collect(case.reference, case.points[0.5], tags_NK=tags_NK)
    present_NK = case.reference.events.presence(12, 3)
    share = present_NK[:, 1].mean()
    np.testing.assert_allclose(tagging_f1(statistics)[1], [[0.0, 2 * share / (1 + share), 0.0]])
    np.testing.assert_array_equal(
        tagging_f1(statistics)[1], macro_f1(tag_counts(present_NK, tags_NK))[1]
    )
    with pytest.raises(ValueError, match="tags"):
        collect(case.reference, case.points[0.5], tags_NK=tags_NK[:3])


def test_perfect_system_scores_one_everywhere() -> None:
    case = random_case(3)
    statistics = counted(case, case.reference.events)
    for metric in (event_f1, intersection_f1, segment_f1, tagging_f1):
        assert metric(statistics)[0][0] == 1.0
