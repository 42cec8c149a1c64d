from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.config.trial import PostProcessing
from raysed.evaluation.intervals.bootstrap import clip_weights
from raysed.evaluation.metrics.psds import DEFINITIONS, psd_roc, psds
from raysed.page.curves import heights, roc_band
from raysed.training.scoring import statistics_of
from tests.page.made_up import MadeUp, reference, scores


def system(error, seed=0):
    truth = reference(MadeUp())
    return statistics_of(scores(truth, error, seed), truth, PostProcessing(median_window=1))


@settings(max_examples=15, deadline=None)
@given(error=st.floats(0, 1), definition=st.sampled_from(["psds", "psds_2020", "psds2"]))
def test_the_curve_is_psd_rocs_at_every_rate(error, definition):
    statistics = system(error)
    exact = psd_roc(statistics, definition)
    efpr_X = np.linspace(0, DEFINITIONS[definition].max_efpr, 37)
    ours_X = heights(statistics, np.ones((1, statistics.n_clips), np.int16), definition, efpr_X)[0]
    step = np.searchsorted(exact.efpr_X, efpr_X, side="right") - 1
    assert ours_X == pytest.approx(exact.etpr_X[step], abs=1e-12)


def test_the_area_of_every_draw_is_its_psds():
    statistics = system(0.4)
    weights_BN = clip_weights(statistics.key, statistics.n_clips, 40, 3)
    efpr_X = np.linspace(0, 100, 20_001)
    heights_BX = heights(statistics, weights_BN, "psds_2020", efpr_X)
    areas_B = heights_BX[:, :-1].mean(axis=1)
    assert areas_B == pytest.approx(psds(statistics, weights_BN, definition="psds_2020"), abs=2e-3)


def test_the_band_holds_the_curve_and_seeds_are_averaged():
    a, b = system(0.2), system(0.6, seed=1)
    alone, both = roc_band([a], "psds_2020"), roc_band([a, b], "psds_2020")
    other = roc_band([b], "psds_2020")
    assert both.etpr_X == pytest.approx((alone.etpr_X + other.etpr_X) / 2)
    for band in (alone, both):
        assert (band.low_X <= band.etpr_X + 0.05).all() and (
            band.etpr_X <= band.high_X + 0.05
        ).all()
        assert (np.diff(band.etpr_X) >= 0).all()
    assert (alone.high_X - alone.low_X).max() > 0.05  # 30 clips decide something


def test_a_class_without_events_has_no_curve():
    statistics = system(0.3)
    kept_K = np.array([1, 1, 0])
    fewer = replace(
        statistics, n_gt_NK=statistics.n_gt_NK * kept_K, gt_s_NK=statistics.gt_s_NK * kept_K
    )
    exact = psd_roc(fewer, "psds_2020")
    ours = roc_band([fewer], "psds_2020", draws=4)
    step = np.searchsorted(exact.efpr_X, ours.efpr_X, side="right") - 1
    assert ours.etpr_X == pytest.approx(exact.etpr_X[step], abs=1e-12)
