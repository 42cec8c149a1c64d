"""Ranks by hand, and against single pairs."""

import numpy as np
import pytest

from raysed.evaluation.counts.statistics import collect
from raysed.evaluation.intervals.significance import Drawn, drawn, max_t
from raysed.evaluation.intervals.system_ranks import all_differences, ranks
from raysed.evaluation.metrics.registry import METRICS
from tests.evaluation.oracles import random_case


def made(value: float, spread: float, seed: int) -> Drawn:
    """A system whose draws spread around its value; nothing else of it is used."""
    draws_B = value + spread * np.random.default_rng(seed).normal(size=4000)
    return Drawn(None, value, draws_B, np.zeros(3))  # type: ignore[arg-type]


def test_ranks_by_hand() -> None:
    """A leads surely; B and C cannot be told apart; D is surely the last."""
    systems = [made(0.5, 0.01, 2), made(0.9, 0.01, 1), made(0.51, 0.01, 3), made(0.1, 0.01, 4)]
    assert ranks(all_differences(systems)).tolist() == [[3, 2, 3], [1, 1, 1], [2, 2, 3], [4, 4, 4]]


def test_equal_systems_share_their_rank() -> None:
    system = made(0.5, 0.01, 0)
    found_SS4 = all_differences([system, system, made(0.9, 0.01, 1)])
    assert ranks(found_SS4).tolist() == [[2, 2, 3], [2, 2, 3], [1, 1, 1]]
    assert found_SS4[0, 1].tolist() == [0, 0, 0, 1]


def test_differences_are_antisymmetric_and_those_of_max_t() -> None:
    case = random_case(0, n_clips=30, n_points=4)
    metric = METRICS["event_f1"]
    systems = [
        drawn(metric, collect(case.reference, events), draws=500) for events in case.points.values()
    ]
    found_SS4 = all_differences(systems)
    np.testing.assert_allclose(found_SS4[..., 0], -found_SS4[..., 0].T)
    np.testing.assert_allclose(found_SS4[..., 1], -found_SS4[..., 2].T)
    np.testing.assert_allclose(found_SS4[..., 3], found_SS4[..., 3].T)
    pairs = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    expected_C3 = max_t(
        np.array([systems[a].value - systems[b].value for a, b in pairs]),
        np.stack([systems[a].values_B - systems[b].values_B for a, b in pairs]),
    )
    np.testing.assert_allclose([found_SS4[a, b, 1:] for a, b in pairs], expected_C3)


def test_one_system_is_the_first() -> None:
    assert ranks(all_differences([made(0.3, 0.01, 0)])).tolist() == [[1, 1, 1]]


@pytest.mark.parametrize("spread", [0.001, 0.2])
def test_certain_ranks_hold_the_ranks(spread: float) -> None:
    systems = [made(value, spread, n) for n, value in enumerate((0.2, 0.5, 0.3, 0.4))]
    rank_S3 = ranks(all_differences(systems))
    assert rank_S3[:, 0].tolist() == [4, 1, 3, 2]
    assert (rank_S3[:, 1] <= rank_S3[:, 0]).all() and (rank_S3[:, 0] <= rank_S3[:, 2]).all()


def test_one_clip_ranks_nobody() -> None:
    systems = [Drawn(None, value, np.full(9, value), np.zeros(1)) for value in (0.2, 0.9)]  # type: ignore[arg-type]
    found_SS4 = all_differences(systems)
    assert found_SS4[1, 0].tolist() == [pytest.approx(0.7), -1, 1, 1]
    assert ranks(found_SS4).tolist() == [[2, 1, 2], [1, 1, 2]]
