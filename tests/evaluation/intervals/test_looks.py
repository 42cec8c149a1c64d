"""Looks at growing seeds: the error is shared, and the noise and the chances are those worked out by hand."""

import numpy as np
import pytest
from scipy.special import ndtri

from raysed.evaluation.intervals.looks import (
    AtLook,
    Relation,
    both,
    chance,
    critical_values,
    last_half_C,
    spent,
    still_moves_C,
)
from raysed.evaluation.intervals.seed_noise import ClipNoise, Noise, SystemSeeds, noise_of

PAIRS = [(1, 0), (2, 0)]


def noise(clip_se=0.01, seed_sd=0.02, freedom=6, count=2):
    return Noise(np.full(count, clip_se), np.full(count, seed_sd), np.full(count, freedom))


def test_all_error_is_spent_at_the_last_look():
    assert spent((3, 6, 10)) == pytest.approx([0.05 * 0.3**1.5, 0.05 * 0.6**1.5, 0.05])


def test_one_look_at_one_difference_is_the_normal_value():
    (critical,) = critical_values(noise(count=1), [(1, 0)], (5,))
    assert critical == pytest.approx(ndtri(0.975), abs=0.03)


def test_critical_values_fall_and_cost_little_where_the_clips_decide():
    critical = critical_values(noise(seed_sd=0.03), PAIRS, (3, 6, 10))
    assert critical[0] > critical[1] > critical[2] > ndtri(1 - 0.05 / 2)
    still = critical_values(noise(seed_sd=1e-6), PAIRS, (3, 6, 10))
    alone = critical_values(noise(seed_sd=1e-6), PAIRS, (10,))
    assert still[2] == pytest.approx(alone[0], abs=0.02)


@pytest.mark.parametrize("seed_sd", [0.005, 0.02, 0.08])
def test_all_looks_together_make_the_error_that_is_allowed(seed_sd):
    """Other draws than those that the critical values come from; three systems, two differences, three looks."""
    looks, ours = (3, 6, 10), noise(seed_sd=seed_sd)
    critical = critical_values(ours, PAIRS, looks)
    random = np.random.default_rng(7)
    clips = random.standard_normal((40_000, 3)) * 0.01 / np.sqrt(2)
    seeds = random.standard_normal((40_000, 3, 10)) * seed_sd / np.sqrt(2)
    crossed = np.zeros(40_000, bool)
    for look, bound in zip(looks, critical, strict=True):
        value = clips + seeds[:, :, :look].mean(axis=2)
        se = np.hypot(0.01, seed_sd / np.sqrt(look))
        crossed |= (np.abs(value[:, 1:] - value[:, :1]) / se > bound).any(axis=1)
    assert crossed.mean() == pytest.approx(0.05, abs=0.005)


def test_later_values_take_those_that_were_used_as_they_were():
    strict = critical_values(noise(), PAIRS, (3, 6, 10), (9.0, 9.0))
    loose = critical_values(noise(), PAIRS, (3, 6, 10), (2.8, 2.8))
    assert tuple(strict[:2]) == (9.0, 9.0)
    assert strict[2] == pytest.approx(critical_values(noise(), PAIRS, (10,))[0], abs=0.02)
    assert loose[2] > strict[2]


def test_a_system_and_itself_is_no_difference():
    systems = [SystemSeeds(name, dict(enumerate(v))) for name, v in (("a", (0.1, 0.2, 0.3)), ("b", (0.3, 0.1, 0.2)))]  # fmt: skip
    found = noise_of(systems, [(0, 0), (1, 0)], [ClipNoise(0.0, 0.0), ClipNoise(0.01, 0.0)])
    assert found.seed_sd_C[0] == 0 and found.half_C(3, 2.0)[0] == 0
    assert np.isfinite(critical_values(found, [(0, 0)], (3, 5))).all()
    assert np.isfinite(critical_values(found, [(0, 0), (1, 0)], (3, 5))).all()


def test_the_last_value_moves_by_the_seeds_that_are_still_to_come():
    assert still_moves_C(noise(seed_sd=0.02), 3, 10) == pytest.approx(
        [0.02 * np.sqrt(1 / 3 - 1 / 10)] * 2
    )
    assert still_moves_C(noise(), 10, 10) == pytest.approx([0, 0])


def test_the_last_look_knows_the_variance_between_seeds_better():
    now, then = noise(freedom=4), noise(freedom=18)  # two trainings after 3 and after 10 seeds
    assert last_half_C(now, 3, 10, 2.3) == pytest.approx(then.half_C(10, 2.3))
    assert last_half_C(now, 10, 10, 2.3) == pytest.approx(now.half_C(10, 2.3))


def test_intervals_of_two_looks_hold_together():
    assert both((-0.1, 0.3), (0.0, 0.5)) == (0.0, 0.3)
    assert both((0.1, 0.3), (0.4, 0.5)) == (0.1, 0.3)


@pytest.mark.parametrize(
    ("expect", "value", "half", "moves", "expected"),
    [
        ("higher", 0.0, 0.05, 0.001, 0.0),
        ("higher", 0.05, 0.05, 0.01, 0.5),
        ("higher", 0.06, 0.05, 0.001, 1.0),
        ("lower", -0.06, 0.05, 0.001, 1.0),
        ("equal", 0.0, 0.01, 0.001, 1.0),
        ("equal", 0.0, 0.03, 0.001, 0.0),
    ],
)
def test_the_chance_of_an_answer(expect, value, half, moves, expected):
    at = AtLook(value, (-1.0, 1.0), half, moves)
    assert chance(Relation(expect, 0.024), at) == pytest.approx(expected, abs=0.02)


def test_an_answer_that_stands_has_the_chance_one():
    at = AtLook(0.0, (0.01, 0.2), 0.5, 0.01)
    assert chance(Relation("higher", 0.0), at) == 1.0
