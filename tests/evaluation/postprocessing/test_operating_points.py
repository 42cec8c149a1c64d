"""Thresholds for a wanted precision or recall: chosen where they should be, and judged on other clips."""

import numpy as np
import pytest

from raysed.evaluation.postprocessing.operating_points import (
    CHOICE_OF_THRESHOLDS,
    Rate,
    ThresholdSearch,
    WantedRate,
    operating_points,
)
from raysed.evaluation.postprocessing.setting_search import OwnSettings
from tests.evaluation.postprocessing.test_setting_search import case

OWN = OwnSettings(0.5, 1)


def search(n_clips: int = 20, **about: object) -> ThresholdSearch:
    return ThresholdSearch.of(*case(n_clips, **about), OWN)


def test_a_recall_takes_the_highest_threshold_that_keeps_it() -> None:
    """Cat's events score 0.3 and Dog's 0.9 (float16): above the noise all thresholds up to these are perfect."""
    found = {
        p.label: p for p in operating_points(None, search(), WantedRate("recall", 0.9), draws=100)
    }
    assert (found["Cat"].threshold, found["Dog"].threshold) == (0.3, 0.9)
    for point in found.values():
        assert point.reached and point.recall.value == point.precision.value == 1.0
        # 20 of 20 clips are right: Clopper and Pearson's lower end, 0.025 ** (1 / 20).
        assert point.recall == Rate(1.0, pytest.approx(0.8316, abs=1e-4), 1.0)
        assert point.kept(WantedRate("recall", 0.9)) == "open"
        assert point.kept(WantedRate("recall", 0.8)) == "yes"


def test_what_cannot_be_reached_is_said() -> None:
    found = operating_points(
        None, search(informative=False), WantedRate("precision", 0.9), draws=100
    )
    assert not any(point.reached for point in found)
    for point in found:
        assert point.kept(WantedRate("precision", 0.9)) == "no" or np.isnan(point.precision.value)


def test_another_set_chooses() -> None:
    tuned, judged = search(10, level=0.9, seed=1), search(20)
    found = {
        p.label: p for p in operating_points(tuned, judged, WantedRate("recall", 0.8), draws=100)
    }
    assert found["Cat"].threshold == 0.9  # where the other set's Cats are
    assert found["Cat"].reached and found["Cat"].recall.value == 0.0
    assert found["Cat"].recall.high == pytest.approx(1 - 0.025 ** (1 / 20))
    assert found["Cat"].kept(WantedRate("recall", 0.8)) == "no"
    assert np.isnan(found["Cat"].precision.value) and found["Dog"].recall.value == 1.0


def test_the_choice_is_that_of_a_plain_search() -> None:
    mixed = search(15, level=0.5, seed=3)
    kept_N = np.arange(15) < 9
    wanted = WantedRate("precision", 0.7)
    place_K, reached_K = mixed.choose(wanted, kept_N)
    counts = mixed.counts
    for k in range(2):
        best = None
        for t in range(len(CHOICE_OF_THRESHOLDS)):
            tp, n_sys = counts.tp_TNK[t, kept_N, k].sum(), counts.n_sys_TNK[t, kept_N, k].sum()
            if n_sys and tp / n_sys >= 0.7:
                best = max(best or (0, 0, 0), (tp, tp / n_sys, t))
        assert best is not None and reached_K[k] and place_K[k] == best[2]


@pytest.mark.parametrize("value", [0.0, 1.01, -1.0])
def test_shares_only(value: float) -> None:
    with pytest.raises(ValueError, match=r"--precision .* expected a share above 0, up to 1"):
        WantedRate("precision", value).check()
