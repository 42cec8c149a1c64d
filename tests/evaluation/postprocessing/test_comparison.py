"""The columns of one table: which there are, what they hold, and what they are compared with."""

import numpy as np
import pytest

from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.evaluation.postprocessing.comparison import (
    AS_IT_IS,
    CROSS_FITTED,
    ON_XVALID,
    JudgedSet,
    compare_methods,
)
from raysed.evaluation.postprocessing.methods import METHODS
from raysed.evaluation.postprocessing.setting_search import OwnSettings, SettingSearch
from tests.evaluation.postprocessing.test_setting_search import case

OWN = OwnSettings(0.5, 7)


def test_columns() -> None:
    xvalid, judged = JudgedSet(*case(10, seed=1)), JudgedSet(*case(20))
    found = compare_methods(xvalid, judged, OWN, "event_f1", methods=("median", "boxes"), draws=100)
    assert [(c.method, c.how) for c in found] == [
        ("median", AS_IT_IS),
        ("boxes", ON_XVALID),
        ("boxes", CROSS_FITTED),
    ]
    own, tuned, crossed = found
    assert own.values["event_f1"].gain is None and own.values["event_f1"].optimism is None
    assert own.values["event_f1"].value == float(event_f1(own.statistics)[0][0]) == 0.5
    assert set(tuned.chosen) == {"Cat", "Dog"} and crossed.chosen == {}
    for column in (tuned, crossed):
        value = column.values["event_f1"]
        assert value.gain is not None and value.low <= value.value <= value.high
        assert value.gain.difference == pytest.approx(value.value - 0.5)
        assert value.gain.low > 0
    assert tuned.values["event_f1"].optimism is None
    assert crossed.values["psds1"].optimism is not None


def test_optimism_is_what_the_fit_to_the_same_clips_adds() -> None:
    """Each clip's events score otherwise: a threshold that fits some says little about the others."""
    reference, scores = case(10, level=1.0)
    level_N = np.random.default_rng(0).uniform(0.25, 1, 10)
    mixed_NTK = (scores.scores_NTK * level_N[:, None, None]).astype(np.float16)
    judged = JudgedSet(reference, FrameScores(mixed_NTK, scores.edges_NT1))
    (found,) = compare_methods(None, judged, OWN, "event_f1", methods=("hysteresis",), draws=100)
    search = SettingSearch.of(METHODS["hysteresis"], *judged, OWN)
    fitted = search.choose("event_f1", [np.ones(10, bool)])[0]
    claimed = float(event_f1(search.statistics(fitted))[0][0])
    value = found.values["event_f1"]
    assert value.optimism == pytest.approx(claimed - value.value) and value.optimism > 0.01


def test_unknown_methods_are_named() -> None:
    with pytest.raises(
        ValueError, match="no method smoothing; known are raw, median, class_median"
    ):
        compare_methods(None, JudgedSet(*case(10)), OWN, "event_f1", methods=("smoothing",))
