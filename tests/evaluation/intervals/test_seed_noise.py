"""The noise of differences: pooled variances between seeds, by hand; and what the clips do."""

import numpy as np
import pytest
from scipy.special import fdtrc, ndtr, ndtri, stdtrit

from raysed.evaluation.intervals.seed_noise import (
    ClipNoise,
    Noise,
    SeedVariances,
    SystemSeeds,
    as_normal,
    clip_noise,
    design,
    noise_of,
    students,
)

NONE = ClipNoise(0.0, 0.0)


def system(training, *values):
    return SystemSeeds(training, dict(enumerate(values)))


A, B = system("a", 0.0, 0.2, 0.4), system("b", 0.4, 0.0, 0.2)  # variances of .04
C = system("c", 0.0, 0.1, 0.2, 0.3, 0.4)  # .025 with 4 degrees of freedom
OUTSIDE = system("", 0.5)


def test_trainings_that_vary_alike_share_a_variance():
    pooled = (2 * 0.04 + 2 * 0.04 + 4 * 0.025) / 8
    found = SeedVariances.of([A, B, C, OUTSIDE], [])
    assert (found.total, found.pooled) == (8, pytest.approx(pooled))
    # A and B move together or apart: nothing is taken off or added for three seeds of one pair.
    for pair in ((A, B), (A, C), (A, system("new", 0.1))):
        assert found.of_pair(*pair) == (pytest.approx(2 * pooled), 8)
    assert found.of_pair(A, OUTSIDE) == (pytest.approx(pooled), 8)
    assert found.of_pair(OUTSIDE, OUTSIDE) == (0, 8)


CALM = [system(f"t{n}", 0.5, 0.51, 0.49, 0.5) for n in range(8)]
WILD = system("w", 0.2, 0.6, 0.4, 0.8)


def test_an_unstable_training_keeps_its_own_variance():
    found = SeedVariances.of([*CALM, WILD], [])
    assert found.is_unstable("w") and not any(found.is_unstable(each.training) for each in CALM)
    own, pooled = np.var([0.2, 0.6, 0.4, 0.8], ddof=1), found.pooled
    # It stays in the pool.
    assert pooled == pytest.approx((own + 8 * np.var([0.5, 0.51, 0.49, 0.5], ddof=1)) / 9)
    # Of its variance 3 degrees of freedom are known, of the pooled one 27.
    freedom = (own + pooled) ** 2 / (own**2 / 3 + pooled**2 / 27)
    assert found.of_pair(WILD, CALM[0]) == pytest.approx((own + pooled, freedom))
    assert found.of_pair(WILD, OUTSIDE) == pytest.approx((own, 3))
    assert found.of_pair(*CALM[:2]) == pytest.approx((2 * pooled, 27))
    # With nothing to compare it with, and where all others never vary.
    assert not SeedVariances.of([WILD], []).is_unstable("w")
    assert SeedVariances.of([WILD, system("flat", 0.1, 0.1, 0.1)], []).is_unstable("w")


def test_a_baseline_is_sooner_suspected():
    # Its variance is 3 times the others': by Fisher with 3 and 6 degrees of freedom, 11.7 % by chance.
    systems = [system("base", *np.array([0, 1, 2, 3]) * 3**0.5), system("a", 0, 1, 2, 3), system("b", 3, 2, 1, 0)]  # fmt: skip
    assert fdtrc(3, 6, 3.0) == pytest.approx(0.117, abs=1e-3)
    assert SeedVariances.of(systems, [(1, 0), (2, 0)]).is_unstable("base")
    assert not SeedVariances.of(systems, [(1, 2), (1, 0)]).is_unstable("base")
    assert not SeedVariances.of(systems, []).is_unstable("base")


def test_a_baseline_is_in_more_than_half_of_the_distinct_differences_between_trainings():
    again = system("a", 0.1, 0.3, 0.6)  # another cell of the training
    systems = [A, B, C, OUTSIDE, again]
    # Of a with b, c and the system from elsewhere, however often and whichever way round.
    pairs = [(0, 1), (1, 0), (4, 1), (0, 2), (0, 3), (0, 4), (3, 3)]
    assert SeedVariances.of(systems, pairs).baselines == {"a"}
    assert SeedVariances.of(systems, [(0, 1), (1, 2)]).baselines == {"b"}
    assert SeedVariances.of(systems, [(0, 1)]).baselines == {"a", "b"}
    assert SeedVariances.of(systems, []).baselines == frozenset()


@pytest.mark.parametrize("trainings", [4, 22])
def test_how_often_trainings_that_vary_alike_are_taken_for_unstable(trainings):
    random = np.random.default_rng(1)
    alone, baseline = [], []
    for _ in range(400):
        systems = [system(f"t{g}", *v) for g, v in enumerate(random.standard_normal((trainings, 4)))]  # fmt: skip
        every = SeedVariances.of(systems, [])
        alone.append(np.mean([every.is_unstable(f"t{g}") for g in range(trainings)]))
        compared = SeedVariances.of(systems, [(g, 0) for g in range(1, trainings)])
        baseline.append(compared.is_unstable("t0"))
    assert np.mean(alone) == pytest.approx(0.05, abs=0.015)
    assert np.mean(baseline) == pytest.approx(0.25, abs=0.07)


def test_cells_of_one_training_are_paired_by_its_seeds():
    two = system("a", 0.1, 0.3, 0.6)
    found = SeedVariances.of([A, two, B], [])
    # The training's luck is that of both cells: it counts once.
    assert found.total == 4 and found.own["a"] == pytest.approx((0.04 + np.var([0.1, 0.3, 0.6], ddof=1)) / 2)  # fmt: skip
    assert found.of_pair(two, A) == (pytest.approx(np.var([0.1, 0.1, 0.2], ddof=1)), 2)
    assert found.of_pair(system("a", 0.1), A) == (0.0, 1.0)


def test_seeds_are_paired_by_their_numbers():
    late = SystemSeeds("a", {1: 0.3, 2: 0.5, 7: 0.9})
    variance, freedom = SeedVariances.of([A, late, B], []).of_pair(late, A)
    assert (variance, freedom) == (pytest.approx(np.var([0.1, 0.1], ddof=1)), 1)


def test_what_seeds_do_to_single_clips_is_the_least_that_they_do():
    found = noise_of([A, B], [(0, 1), (0, 0)], [ClipNoise(0.01, 0.5), NONE])
    assert found.seed_sd_C == pytest.approx([0.5, 0.0])
    assert noise_of([A, B], [(0, 1)], [ClipNoise(0.01, 0.1)]).seed_sd_C == pytest.approx(
        [0.08**0.5]
    )
    # On average over the pairs of trainings, a side each; cells of one training have their own.
    pairs, cross = [(0, 1), (0, 2), (0, 3)], (0.6, 0.2, 0.4)
    clips = [ClipNoise(0.0, sd) for sd in cross]
    found = noise_of([A, B, OUTSIDE, system("a", 0.0, 0.2, 0.4)], pairs, clips)
    side = (0.18 + 0.04) / 2
    assert found.seed_sd_C**2 == pytest.approx([2 * side, side, 0.16])
    with pytest.raises(ValueError, match="no system has two seeds"):
        noise_of([OUTSIDE, OUTSIDE], [(0, 1)], [NONE])


def test_clips_that_all_seeds_share_and_those_that_each_has_to_itself():
    random = np.random.default_rng(2)
    shared_B, own_SB = random.normal(0, 0.03, 40_000), random.normal(0, 0.04, (5, 40_000))
    found = clip_noise(shared_B + own_SB)
    assert found.shared_se == pytest.approx(0.03, rel=0.02)
    assert found.cross_sd == pytest.approx(0.04, rel=0.02)
    assert found.given_se(5) == pytest.approx((shared_B + own_SB.mean(axis=0)).std(), rel=1e-3)
    assert clip_noise(shared_B[None]).shared_se == pytest.approx(shared_B.std(ddof=1))


def test_draws_without_a_value_are_left_out():
    value_SB = np.random.default_rng(3).normal(size=(2, 50))
    holes_SB = np.concatenate((value_SB, [[np.nan, 9.0], [1.0, np.nan]]), axis=1)
    assert clip_noise(holes_SB) == clip_noise(value_SB)
    assert clip_noise(np.full((2, 5), np.nan)) == NONE


def test_half_widths_are_students_by_satterthwaite():
    ours = Noise(np.array([0.01, 0.02]), np.array([0.02, 0.0]), np.array([6, 6]))
    of_seeds = 0.02**2 / 4
    freedom = 6 * ((0.01**2 + of_seeds) / of_seeds) ** 2
    expected = stdtrit(freedom, ndtr(2.5)) * np.sqrt(0.01**2 + of_seeds)
    assert ours.half_C(4, 2.5) == pytest.approx([expected, 0.05])
    assert ours.half_C(np.array([4, 9]), 2.5) == pytest.approx([expected, 0.05])


def test_students_values_and_normal_ones_have_the_same_tails():
    freedom_C = np.array([3.0, 30.0, np.inf])
    t_C = students(2.5, freedom_C)
    assert t_C[0] > t_C[1] > t_C[2] == 2.5
    assert as_normal(t_C, freedom_C) == pytest.approx([2.5, 2.5, 2.5])
    assert students(ndtri(0.975), np.array([4.0])) == pytest.approx([2.776], abs=1e-3)
    np.testing.assert_array_equal(as_normal(np.array([np.inf, 0.0]), np.array([3.0, 3.0])), [np.inf, 0.0])  # fmt: skip


def test_the_design_has_rows_of_length_one():
    np.testing.assert_allclose(design([(1, 0), (2, 2)]), [[-(0.5**0.5), 0.5**0.5, 0], [0, 0, 0]])
