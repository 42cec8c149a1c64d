"""The whole set's value from the clips that are left: variance, exact cases, and a reference that helps."""

from dataclasses import replace

import numpy as np
import pytest

from raysed.evaluation.counts.clip_counts import Counts
from raysed.evaluation.counts.some_clips import some_clips
from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.intervals.missing_clips import (
    controlled_estimate,
    refilled_weights,
    whole_set_estimate,
)
from raysed.evaluation.metrics.registry import METRICS
from tests.evaluation.oracles import random_case

F1 = METRICS["event_f1"]


@pytest.fixture(scope="module")
def systems() -> list[Statistics]:
    case = random_case(0, n_clips=40, n_points=6)
    return [collect(case.reference, events, case.points) for events in case.points.values()]


@pytest.fixture(scope="module")
def kept() -> np.ndarray:
    return np.random.default_rng(0).random(40) < 0.7


def test_refilled_sets_have_all_clips_and_those_that_are_left_at_least_once() -> None:
    weights_BN = refilled_weights("key", 30, 12, 400, 0)
    assert weights_BN.shape == (400, 30)
    assert (weights_BN.sum(axis=1) == 42).all()
    assert weights_BN.min() == 1
    np.testing.assert_array_equal(refilled_weights("key", 30, 12, 100, 0), weights_BN[:100])
    assert (refilled_weights("key", 30, 12, 100, 1) != weights_BN[:100]).any()


def test_the_variance_of_a_mean_is_that_of_drawing_without_replacement() -> None:
    """(1 - n/N) s^2/n: 40 of 60 clips are left."""
    value_N = np.random.default_rng(1).normal(size=40)
    mean_B = refilled_weights("key", 40, 20, 100_000, 0) @ value_N / 60
    assert mean_B.var() == pytest.approx((1 - 40 / 60) * value_N.var() / 40, rel=0.02)
    assert mean_B.mean() == pytest.approx(value_N.mean(), abs=0.001)


@pytest.mark.parametrize("name", ["event_f1", "psds", "psds1"])
def test_without_missing_clips_the_value_is_known(systems: list[Statistics], name: str) -> None:
    metric, whole = METRICS[name], systems[1]
    value = float(metric(whole, None)[0])
    found = whole_set_estimate(metric, whole, 40, draws=100)
    assert (found.value, found.low, found.high) == pytest.approx([value] * 3)
    assert found.se == pytest.approx(0, abs=1e-12)
    controlled = controlled_estimate(metric, whole, systems[3], np.ones(40, bool), draws=100)
    assert (controlled.value, controlled.low, controlled.high) == pytest.approx([value] * 3)


def test_a_reference_that_is_the_system_itself_tells_the_value(
    systems: list[Statistics], kept: np.ndarray
) -> None:
    whole = systems[2]
    found = controlled_estimate(F1, some_clips(whole, kept), whole, kept, draws=200)
    value = float(F1(whole, None)[0])
    assert (found.slope, found.correlation) == pytest.approx((1, 1))
    assert (found.value, found.low, found.high) == pytest.approx([value] * 3, abs=1e-9)
    assert found.reference_whole == value


def test_a_reference_makes_the_interval_narrower(
    systems: list[Statistics], kept: np.ndarray
) -> None:
    """The reference is the system itself, but on every fifth clip another one."""
    of_other_N = np.arange(40)[:, None] % 5 == 0
    mixed = {
        field: np.where(of_other_N, getattr(systems[3].event, field), array)
        for field, array in vars(systems[2].event).items()
    }
    left, reference = some_clips(systems[2], kept), replace(systems[2], event=Counts(**mixed))
    plain = whole_set_estimate(F1, left, 40, draws=2000)
    found = controlled_estimate(F1, left, reference, kept, draws=2000)
    assert 0.5 < found.correlation < 1
    expected = np.sqrt(1 - found.correlation**2)
    assert found.se / plain.se == pytest.approx(expected, abs=0.2)
    lost = found.reference_left - found.reference_whole
    assert found.value == pytest.approx(plain.value - found.slope * lost)
    assert plain.low < plain.value < plain.high


def test_a_reference_that_never_varies_changes_nothing(
    systems: list[Statistics], kept: np.ndarray
) -> None:
    nothing = replace(
        systems[2].event,
        tp_NK=np.zeros_like(systems[2].event.tp_NK),
        n_sys_NK=np.zeros_like(systems[2].event.n_sys_NK),
    )
    left = some_clips(systems[1], kept)
    reference = replace(systems[2], event=nothing)
    found = controlled_estimate(F1, left, reference, kept, draws=200)
    plain = whole_set_estimate(F1, left, 40, draws=200)
    assert (found.slope, found.correlation) == (0.0, 0.0)
    assert (found.value, found.low, found.high) == (plain.value, plain.low, plain.high)


def test_systems_on_other_points_are_not_compared(
    systems: list[Statistics], kept: np.ndarray
) -> None:
    left = some_clips(systems[0], kept)
    with pytest.raises(ValueError, match="different parameters"):
        controlled_estimate(F1, left, systems[1].without_psds(), kept)
