"""The benchmark's simulated sets are what it says: real clips, drawn and dealt."""

import numpy as np
import pytest

from benchmarks.real_systems import Pool
from benchmarks.statistics_simulation import cells, coverage, family, proportion, seeds
from raysed.evaluation.counts.clip_counts import PAPER
from raysed.evaluation.counts.stacked import stack
from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.metrics.registry import METRICS
from tests.evaluation.oracles import random_case


@pytest.fixture(scope="module")
def systems() -> list[Statistics]:
    case = random_case(0, n_clips=20)
    return [collect(case.reference, case.points[t], case.points) for t in list(case.points)[:3]]


@pytest.mark.parametrize("name", ["event_f1", "psds", "psds_2020"])
def test_a_drawn_set_has_the_value_of_its_weights(systems: list[Statistics], name: str) -> None:
    pool = Pool.of(systems, PAPER)
    clip_I = np.random.default_rng(0).integers(20, size=20)
    drawn = pool.draw("key", clip_I, np.full(20, 2))
    weights_BN = np.bincount(clip_I, minlength=20)[None]
    assert METRICS[name](drawn, None) == METRICS[name](systems[2], weights_BN)


def test_systems_are_dealt_clip_by_clip(systems: list[Statistics]) -> None:
    pool = Pool.of(systems[:2], PAPER)
    system_I = np.arange(20) % 2
    drawn = pool.draw("key", np.arange(20), system_I)
    weights_BN = np.concatenate((1 - system_I, system_I))[None]
    for name in ("event_f1", "psds"):
        expected = METRICS[name](stack(*systems[:2]), weights_BN)
        assert METRICS[name](drawn, None) == expected


def test_parts_count_what_they_say(systems: list[Statistics]) -> None:
    pool = Pool.of(systems, None)
    found = coverage("event_f1", pool, 60, 200)
    assert found["truth"] == METRICS["event_f1"](systems[0], None)[0]
    assert 70 < found["bca"]["percent"] <= 100
    assert found["paper"]["mean_width"] < 0.7 * found["bca"]["mean_width"]
    assert seeds("event_f1", pool, 5, 200, 3)["sets"] == 5
    equal = cells("event_f1", pool, 4, 200, 4)
    assert equal["max_t"]["sets"] == 4 and equal["max_t"]["percent"] <= 25
    wide = Pool.of([systems[s % 3] for s in range(21)], None)
    errors = family("event_f1", wide, 10, 200)
    assert errors["max_t"]["percent"] <= errors["any_of_20_uncorrected"]["percent"]


def test_a_proportion_has_its_monte_carlo_error() -> None:
    found = proportion([True] * 3 + [False], 95)
    assert found == {"percent": 75.0, "monte_carlo_se": 21.65, "nominal": 95, "sets": 4}
