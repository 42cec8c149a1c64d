"""Precision and recall over the threshold: the counts' own, and a band that holds them."""

import numpy as np

from raysed.evaluation.counts.point_counts import PointCounts
from raysed.evaluation.counts.statistics import Parameters, collect
from raysed.evaluation.detections.postprocess import THRESHOLDS
from raysed.evaluation.postprocessing.methods import MedianSettings, decoders
from raysed.page.rates import STEP, has_rates, rate_bands
from tests.evaluation.postprocessing.test_setting_search import case


def counted(level, seed=0):
    reference, scores = case(20, level=level, seed=0)
    noise_NTK = np.random.default_rng(seed).uniform(-0.1, 0.1, scores.scores_NTK.shape)
    noisy = type(scores)(np.clip(scores.scores_NTK + noise_NTK, 0, 1), scores.edges_NT1)
    (decode,) = decoders(noisy, (MedianSettings(1),))
    return collect(reference, decode(0.5), {t: decode(t) for t in THRESHOLDS})


def test_rates_are_those_of_the_counts():
    statistics = counted(0.6)
    assert has_rates(statistics)
    thresholds, precision, recall = rate_bands([statistics])
    assert thresholds == THRESHOLDS[::STEP]
    whole = PointCounts.of_statistics(statistics).rates(np.ones((1, 20), np.int16))
    for band, rate_BTK in zip((precision, recall), whole, strict=True):
        np.testing.assert_array_equal(band.value_TK, rate_BTK[0, ::STEP])
        known = ~np.isnan(band.value_TK)
        assert (band.low_TK[known] <= band.value_TK[known] + 1e-12).all()
        assert (band.value_TK[known] <= band.high_TK[known] + 1e-12).all()
        assert np.isnan(band.low_TK[~known]).all()
    assert (np.diff(recall.value_TK[:, 1]) <= 0.5).all() and np.ptp(recall.high_TK - recall.low_TK)


def test_the_mean_is_over_seeds_that_are_defined():
    """A seed that finds nothing has no precision, and recall 0."""
    one = counted(0.6)
    nothing = collect(
        case(20, level=0.6)[0], counted_none(), {t: counted_none() for t in THRESHOLDS}
    )
    _, precision, recall = rate_bands([one, nothing])
    _, alone_precision, alone_recall = rate_bands([one])
    np.testing.assert_allclose(precision.value_TK, alone_precision.value_TK)
    np.testing.assert_allclose(recall.value_TK, alone_recall.value_TK / 2)


def counted_none():
    from raysed.evaluation.detections.events import Events

    return Events.sort([], [], [], [])


def test_counts_without_operating_points_have_none():
    reference, _ = case(20)
    assert not has_rates(collect(reference, counted_none(), None, parameters=Parameters(psds=())))
