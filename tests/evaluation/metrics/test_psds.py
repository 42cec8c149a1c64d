"""PSDS against psds_eval: generated sets, resamples, awkward events, hand-checked cases."""

import warnings
from dataclasses import replace

import numba
import numpy as np
import pytest
from hypothesis import assume, given, settings

from raysed.evaluation.counts.clip_counts import PAPER, PSDS1, PSDS2, PsdsCriteria
from raysed.evaluation.counts.statistics import PUBLISHED, collect
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.metrics.psds import (
    DEFINITIONS,
    Definition,
    class_psds,
    lost_classes,
    psd_roc,
    psds,
)
from tests.evaluation.oracles import (
    AnyEvents,
    Case,
    OverK,
    cases,
    evaluator,
    frame,
    psds_eval_score,
    random_case,
    resample,
)

ONE_HOUR_S = 3600.0
SETTINGS = [
    Definition(),
    Definition(over="K"),
    Definition(alpha_ct=0.0),
    Definition(alpha_ct=0.0, alpha_st=1.0),
    Definition(alpha_ct=1.0, alpha_st=1.0, max_efpr=700.0),
    Definition(alpha_ct=0.3, alpha_st=0.5, max_efpr=2000.0, over="K"),
    DEFINITIONS["psds1"],
    DEFINITIONS["psds2"],
    replace(DEFINITIONS["psds2"], over="K", max_efpr=500.0),
]


def score(case: Case, definition: Definition, weights_BN: np.ndarray | None = None) -> np.ndarray:
    statistics = collect(
        case.reference, next(iter(case.points.values())), case.points, parameters=PUBLISHED
    )
    return psds(statistics, weights_BN, definition=definition)


def oracle(case: Case, definition: Definition) -> float:
    return psds_eval_score(
        case,
        cls=OverK if definition.over == "K" else AnyEvents,
        criteria=definition.criteria,
        alpha_ct=definition.alpha_ct,
        alpha_st=definition.alpha_st,
        max_efpr=definition.max_efpr,
    )


@pytest.mark.parametrize("definition", SETTINGS, ids=str)
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_psds_eval(definition: Definition, seed: int) -> None:
    case = random_case(seed)
    expected = oracle(case, definition)
    assert score(case, definition)[0] == pytest.approx(expected, abs=1e-12)
    assert definition.max_efpr < 500 or expected > 0.01  # the comparison is not one of zeros


def test_numba_compiles_after_the_number_of_threads_has_changed(monkeypatch):
    """Its own pool once started, numba refuses to; we cut the resamples ourselves and need none."""
    score(random_case(0), Definition())
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    assert numba.njit(lambda x: x + 1)(1) == 2


@pytest.mark.parametrize("seed", range(4))
def test_resample_equals_psds_eval_on_duplicated_and_renamed_clips(seed: int) -> None:
    case = random_case(seed, n_clips=10)
    weights_BN = (
        np.random.default_rng(seed).multinomial(10, np.full(10, 0.1), size=3).astype(np.int16)
    )
    definition = Definition(alpha_ct=1.0, alpha_st=0.5, max_efpr=1500.0)
    values_B = score(case, definition, weights_BN)
    for weights_N, value in zip(weights_BN, values_B, strict=True):
        assert value == pytest.approx(oracle(resample(case, weights_N), definition), abs=1e-12)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(case=cases())
def test_awkward_events_equal_psds_eval_without_its_overlap_check(case: Case) -> None:
    truth = case.reference.events.positive()
    assume(
        len(np.unique(truth.label_E)) >= 2
    )  # with one class psds_eval averages nothing, see below
    for definition in (Definition(max_efpr=4000.0), Definition(PSDS2, 0.5, 1.0, 4000.0)):
        assert score(case, definition)[0] == pytest.approx(oracle(case, definition), abs=1e-12)


@pytest.mark.parametrize(
    "criteria", [PAPER, PSDS1, PSDS2, PsdsCriteria(0.0, 0.0, 0.0), PsdsCriteria(1.0, 1.0, 1.0)]
)
def test_counts_equal_psds_eval_point_by_point(criteria: PsdsCriteria) -> None:
    case = random_case(7, n_clips=20)
    parameters = replace(PUBLISHED, psds=(criteria,))
    statistics = collect(
        case.reference, next(iter(case.points.values())), case.points, parameters=parameters
    )
    n_classes = len(case.reference.classes)
    counts = np.zeros((n_classes, n_classes + 2, len(case.points)), int)
    for column, _, point, change in statistics.psds[criteria].entries():
        counts[column // (n_classes + 2), column % (n_classes + 2), point:] += change
    judge = evaluator(case, criteria=criteria)
    for point, events in enumerate(case.points.values()):
        expected, *_ = judge._evaluate_detections(
            judge._init_det_table(frame(events, case.reference))
        )
        found = counts[:, 2:, point].copy()
        if criteria.cttc is None:
            expected[:-1, :-1] *= np.eye(n_classes)
        np.fill_diagonal(found, counts[:, 0, point])
        np.testing.assert_array_equal(found, expected[:-1, :-1])
        np.testing.assert_array_equal(counts[:, 1, point], expected[:-1, -1])


def test_clips_without_metadata_give_neither_seconds_nor_false_positives() -> None:
    case = random_case(3)
    durations_s = case.reference.durations_s.copy()
    durations_s[[2, 5]] = np.nan
    unknown = Case(replace(case.reference, durations_s=durations_s), case.points)
    definition = Definition(max_efpr=800.0)
    value = score(unknown, definition)[0]
    assert value == pytest.approx(oracle(unknown, definition), abs=1e-12)
    assert value != pytest.approx(score(case, definition)[0], abs=1e-6)


def hand_case() -> Case:
    """One hour; A has 2 events, B 1. Point .2 finds one A and triggers once wrongly; point .8 finds
    nothing wrong."""
    reference = Reference(
        ("a.wav",),
        np.array([ONE_HOUR_S]),
        ("A", "B"),
        Events.sort(
            np.zeros(3), np.array([0, 0, 1]), np.array([0.0, 10, 100]), np.array([5.0, 15, 1000])
        ),
    )
    low = Events.sort(
        np.zeros(3), np.array([0, 1, 0]), np.array([0.0, 100, 2000]), np.array([5.0, 1000, 2010])
    )
    high = Events.sort(np.zeros(1), np.array([1]), np.array([100.0]), np.array([1000.0]))
    return Case(reference, {0.2: low, 0.8: high})


def test_hand_checked_area() -> None:
    # A: ratio 1/2 from 1 false positive per hour on, area 99 * .5; B: ratio 1 from 0 on, area 100.
    value = score(hand_case(), Definition(alpha_ct=0.0))[0]
    assert value == pytest.approx((99 * 0.5 + 100) / 2 / 100, abs=1e-15)
    # from 0 to 1 the classes are (0, 1): mean .5, std .5; from 1 on (.5, 1): mean .75, std .25.
    value = score(hand_case(), Definition(alpha_ct=0.0, alpha_st=1.0))[0]
    assert value == pytest.approx(99 * 0.5 / 100, abs=1e-15)


def test_cross_trigger_divisors() -> None:
    # One A detection inside B's 900 s: 1 false positive an hour and 4 cross-triggers per hour of B.
    case = hand_case()
    low = Events.sort(np.zeros(2), np.array([0, 0]), np.array([0.0, 200]), np.array([5.0, 300]))
    case = Case(case.reference, {0.2: low})
    over_k_minus_1 = score(case, Definition(max_efpr=10.0))[0]
    over_k = score(case, Definition(max_efpr=10.0, over="K"))[0]
    assert over_k_minus_1 == pytest.approx((10 - 1 - 4) * 0.5 / 2 / 10, abs=1e-15)
    assert over_k == pytest.approx((10 - 1 - 4 / 2) * 0.5 / 2 / 10, abs=1e-15)


def test_class_lost_in_a_resample_is_skipped_and_counted() -> None:
    case = random_case(11, n_clips=6, n_classes=4)
    truth, rare = case.reference.events, 3
    only = truth.take((truth.label_E != rare) | (truth.clip_E == 0))
    if not (only.label_E == rare).any():
        only = Events.sort(
            *(
                np.append(a, b)
                for a, b in zip(vars(truth).values(), (0, rare, 0.5, 1.5), strict=True)
            )
        )
    case = Case(replace(case.reference, events=only), case.points)
    weights_BN = np.array([[1] * 6, [0, 2, 1, 1, 1, 1]], dtype=np.int16)
    statistics = collect(case.reference, case.points[0.5], case.points)
    np.testing.assert_array_equal(lost_classes(statistics, weights_BN), [0, 1])
    definition = Definition(max_efpr=1500.0)
    expected = oracle(
        resample(case, weights_BN[1]), definition
    )  # its classes are those of its ground truth
    assert psds(statistics, weights_BN, definition=definition)[1] == pytest.approx(
        expected, abs=1e-12
    )


def test_tolerances_include_their_ends_and_time_before_the_clip_is_nothing() -> None:
    """Shares of exactly 1/2 pass, exactly 3/10 trigger, and nothing happens outside the clip."""
    reference = Reference(
        ("a.wav",),
        np.array([10.0]),
        ("A", "B"),
        Events.sort([0, 0, 0], [0, 1, 1], [2.0, 5.0, 8.0], [4.0, 5.75, 9.0]),
    )
    rows = [
        (0, 1.0, 3.0),  # half inside A, covering half of it
        (0, 4.75, 7.25),  # 0.75 s of 2.5 s inside B
        (1, -2.0, -1.0),  # before the clip
        (1, 10.0, 11.0),  # after it
        (1, 0.0, 1.0),
    ]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    case = Case(reference, {0.5: Events.sort(np.zeros(5), *columns)})
    parameters = replace(PUBLISHED, psds=(PAPER,))
    statistics = collect(reference, case.points[0.5], case.points, parameters=parameters)
    found = {int(column): int(change) for column, _, _, change in statistics.psds[PAPER].entries()}
    # class * (K + 2) + slot: A true, A false, A for B, B false
    assert found == {0: 1, 1: 1, 3: 1, 5: 1}
    judge = evaluator(case)
    table = judge._init_det_table(frame(case.points[0.5], reference))
    counts, *_ = judge._evaluate_detections(table)
    np.testing.assert_array_equal(counts[:2], [[1, 1, 1], [0, 0, 1]])


def test_one_class_has_no_cross_triggers() -> None:
    reference = Reference(
        ("a.wav",), np.array([ONE_HOUR_S]), ("A",), Events.sort([0], [0], [0.0], [5.0])
    )
    points = {0.5: Events.sort([0, 0], [0, 0], [0.0, 50], [5.0, 60])}
    for definition in (Definition(), Definition(over="K")):
        assert score(Case(reference, points), definition)[0] == pytest.approx(0.99, abs=1e-15)


def test_nothing_to_find_is_undefined() -> None:
    reference = Reference(("a.wav",), np.array([10.0]), ("A",), Events.sort([], [], [], []))
    assert np.isnan(score(Case(reference, {0.5: Events.sort([], [], [], [])}), Definition())[0])


def test_curves_are_those_of_psds_eval_and_hold_the_score() -> None:
    case = random_case(5)
    definition = Definition(alpha_ct=1.0, alpha_st=0.7, max_efpr=1200.0)
    statistics = collect(case.reference, case.points[0.5], case.points)
    roc = psd_roc(statistics, definition)
    judge = evaluator(case)
    for events in case.points.values():
        judge.add_operating_point(frame(events, case.reference))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = judge.psds(alpha_ct=1.0, alpha_st=0.7, max_efpr=1200.0).plt
    inside_X = expected.xp <= 1200.0
    np.testing.assert_allclose(roc.efpr_X[:-1], expected.xp[inside_X], rtol=1e-12)
    np.testing.assert_allclose(roc.etpr_X[:-1], expected.yp[inside_X], atol=1e-12)
    area = (np.diff(roc.efpr_X) * roc.etpr_X[:-1]).sum() / 1200.0
    assert psds(statistics, definition=definition)[0] == pytest.approx(area, abs=1e-12)


def test_weights_of_one_are_the_set_and_many_draws_equal_single_ones() -> None:
    case = random_case(2)
    weights_BN = (
        np.random.default_rng(0).multinomial(12, np.full(12, 1 / 12), size=100).astype(np.int16)
    )
    weights_BN[77] = 1
    definition = Definition(max_efpr=900.0, alpha_st=0.3)
    values_B = score(case, definition, weights_BN)
    assert values_B[77] == score(case, definition)[0]
    single = [score(case, definition, weights_BN[b : b + 1])[0] for b in range(100)]
    np.testing.assert_array_equal(values_B, single)


@pytest.mark.parametrize("definition", list(DEFINITIONS.values()), ids=list(DEFINITIONS))
def test_clips_of_one_weight_in_a_tile_are_counted_as_others(definition: Definition) -> None:
    case = random_case(5)
    weights_BN = np.tile(np.array([0, 1, 2, 1, 1, 3, 1, 1, 0, 1, 1, 1], np.int16), (32, 1))
    weights_BN[:, 4] = np.arange(32) % 3  # the only clip whose weights differ
    alone_B = [score(case, definition, row_N[None])[0] for row_N in weights_BN]
    np.testing.assert_array_equal(score(case, definition, weights_BN), alone_B)


def test_lost_classes_are_found_among_many_clips_of_a_class() -> None:
    case = random_case(1)
    counted = collect(case.reference, next(iter(case.points.values())))
    statistics = replace(counted, n_gt_NK=np.ones((100, 1), np.int32))
    weights_BN = np.zeros((3, 100), np.uint8)
    weights_BN[0, 99], weights_BN[1, 0] = 1, 2
    np.testing.assert_array_equal(lost_classes(statistics, weights_BN), [0, 0, 1])


def test_more_false_positives_never_raise_the_score() -> None:
    case = random_case(4)
    worse = {
        threshold: Events.sort(
            *(np.append(a, b) for a, b in zip(vars(e).values(), (0, 0, 0.0, 0.001), strict=True))
        )
        for threshold, e in case.points.items()
    }
    definition = Definition(max_efpr=900.0)
    assert score(Case(case.reference, worse), definition)[0] < score(case, definition)[0]


def test_wrong_requests_are_refused() -> None:
    case = random_case(0)
    statistics = collect(case.reference, case.points[0.5], case.points)
    with pytest.raises(ValueError, match="statistics hold counts for"):
        psds(statistics, definition=Definition(PsdsCriteria(0.3, 0.3, None)))
    with pytest.raises(ValueError, match="not integers"):
        psds(statistics, np.ones((2, 12)))
    with pytest.raises(ValueError, match="12 clips"):
        psds(statistics, np.ones((2, 11), np.int16))
    for values in ({"alpha_ct": 1.5}, {"alpha_st": -1.0}, {"max_efpr": np.inf}, {"max_efpr": 0.0}):
        with pytest.raises(ValueError, match=next(iter(values))):
            Definition(**values)


@pytest.mark.parametrize("name", list(DEFINITIONS))
def test_the_classes_areas_are_those_of_their_own_curves(name: str) -> None:
    """Each is the mean height of the class's curve; without the cost of instability their mean is the PSDS."""
    case = random_case(3)
    statistics = collect(case.reference, next(iter(case.points.values())), case.points)
    found_K, roc = class_psds(statistics, definition=name)[0], psd_roc(statistics, name)
    expected_K = (np.diff(roc.efpr_X) * roc.tpr_KX[:, :-1]).sum(axis=1) / roc.efpr_X[-1]
    np.testing.assert_allclose(found_K, expected_K, atol=1e-12)
    stable = replace(DEFINITIONS[name], alpha_st=0.0)
    mean = np.nanmean(class_psds(statistics, definition=stable)[0])
    assert mean == pytest.approx(psds(statistics, definition=stable)[0], abs=1e-12)


def test_the_classes_of_resamples_are_those_of_the_sets_drawn() -> None:
    """Also over more resamples than are computed at once, and where a class is lost."""
    case = random_case(3)
    statistics = collect(case.reference, next(iter(case.points.values())), case.points)
    weights_BN = np.random.default_rng(0).integers(0, 3, (70, statistics.n_clips)).astype(np.int16)
    first = np.flatnonzero(statistics.n_gt_NK[:, 0])
    weights_BN[5, first] = 0
    stable = replace(DEFINITIONS["psds2"], alpha_st=0.0)
    found_BK = class_psds(statistics, weights_BN, definition=stable)
    assert np.isnan(found_BK[5, 0]) and found_BK.shape == (70, len(statistics.classes))
    expected_B = psds(statistics, weights_BN, definition=stable)
    np.testing.assert_allclose(np.nanmean(found_BK, axis=1), expected_B, atol=1e-12)
