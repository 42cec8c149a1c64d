"""What so many clips and seeds can tell apart."""

import numpy as np
import pytest
from scipy.special import ndtr, stdtrit

from raysed.evaluation.intervals.power import (
    Asked,
    Spread,
    chances,
    critical_value,
    half_width,
    resolvable,
    seeds_needed,
    seeds_to_agree,
)
from raysed.evaluation.intervals.seed_noise import ClipNoise


def test_one_difference_has_the_normal_quantile_and_several_a_larger_one() -> None:
    one = critical_value(np.array([[1.0, -1.0]]))
    assert one == pytest.approx(1.96, abs=0.05)
    # Twenty against one baseline: Dunnett's 2.9 or so; twenty copies of one difference are one.
    many = np.hstack((-np.ones((20, 1)), np.eye(20)))
    assert 2.75 < critical_value(many) < 3.05
    assert critical_value(np.tile([1.0, -1.0], (20, 1))) == one
    # A cell compared with its own system has no difference.
    assert critical_value(np.zeros((1, 2))) == pytest.approx(1.96, abs=1e-3)


def spread(clip_se: float, seed_sd: float, cross_sd: float = 0.0, trainings: int = 1) -> Spread:
    return Spread(ClipNoise(clip_se, cross_sd), seed_sd, trainings)


def test_half_widths_by_hand() -> None:
    alone = spread(0.012, 0.0)
    assert half_width(alone, 2, 3.0) == half_width(alone, 9, 3.0) == pytest.approx(0.036)
    both = spread(0.012, 0.018)
    assert half_width(both, 3, 3.0) == pytest.approx(0.036)  # over clips alone
    # 4 seeds: .009 from seeds, .015 together; 3 * (.015 / .009) ** 4 = 23.1 degrees of freedom of one training.
    expected = stdtrit(3 * (0.015 / 0.009) ** 4, ndtr(3.0))
    assert expected == pytest.approx(3.36, abs=0.01)
    assert half_width(both, 4, 3.0) == pytest.approx(expected * 0.015)
    assert half_width(both, 100, 3.0) == pytest.approx(3.0 * 0.012, rel=0.02)
    # Many trainings know the variance between seeds as if it were given.
    assert half_width(spread(0.012, 0.018, trainings=500), 4, 3.0) == pytest.approx(0.045, rel=1e-3)


def test_what_a_seed_does_to_single_clips_falls_with_the_seeds_and_counts_once() -> None:
    cross = spread(0.0, 0.01, 0.01, trainings=10**6)
    assert half_width(cross, 2, 3.0) == pytest.approx(3.0 * 0.01 / np.sqrt(2))
    assert half_width(cross, 4, 3.0) == pytest.approx(3.0 * 0.01 / 2, rel=1e-3)
    assert cross.se(4) == pytest.approx(0.005)


def test_what_is_resolved_is_decided_with_the_stated_probability() -> None:
    known = spread(0.012, 0.01)
    size = resolvable(known, 5, 3.0)
    found = chances(Asked("higher", 0.024, size), known, 5, 3.0)
    assert found["yes"] == pytest.approx(0.8, abs=0.01) and found["no"] == 0.0
    assert chances(Asked("lower", 0.024, size), known, 5, 3.0)["no"] == found["yes"]
    assert chances(Asked("higher", 0.024, 0.0), known, 5, 3.0)["yes"] < 0.01


def test_seeds_help_down_to_what_the_clips_leave() -> None:
    known = spread(0.01, 0.03)
    needed = seeds_needed(Asked("higher", 0.024, 0.05), known, 3.0)
    assert needed is not None and needed > 4
    for seeds, enough in ((needed - 1, False), (needed, True)):
        found = chances(Asked("higher", 0.024, 0.05), known, seeds, 3.0)
        assert (found["yes"] >= 0.8) == enough
    # 3 + .84 standard errors of the clips are .0384: what is smaller is never decided.
    assert seeds_needed(Asked("higher", 0.024, 0.035), known, 3.0) is None
    assert seeds_needed(Asked("equal", 0.024, 0.0), known, 3.0) is None


def test_seeds_until_equal_numbers_can_agree() -> None:
    # t(.975, 4) = 2.776, / sqrt(5) = 1.2415; t(.975, 3) / 2 = 1.591.
    assert seeds_to_agree(spread(1.0, 0.02), 1.25 * 0.02) == 5
    assert seeds_to_agree(spread(1.0, 0.02), 1.24 * 0.02) == 6
    assert seeds_to_agree(spread(1.0, 0.0), 0.01) == 2
    assert seeds_to_agree(spread(1.0, 10.0), 0.01) is None
