"""The DCASE 2020 baseline's predictions (1168 clips, 50 points): third-party values."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.detections.baselines import always_on, permuted_clips
from raysed.evaluation.detections.event_table import read_durations_tsv, read_events_tsv
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.intervals.bootstrap import clip_weights, interval
from raysed.evaluation.intervals.significance import paired_difference
from raysed.evaluation.metrics.event_f1 import event_f1, intersection_f1
from raysed.evaluation.metrics.psds import DEFINITIONS, psds
from raysed.evaluation.metrics.registry import COUNT_METRICS, METRICS
from tests.evaluation.oracles import AnyEvents, Case, OverK, psds_eval_score, resample, sed_eval_f1
from tests.paths import SHARED

BASELINE = SHARED / "data" / "dcase2020_baseline"
TRUTH_2020 = BASELINE / "ground_truth.tsv"
TRUTH_2022 = SHARED / "data" / "desed_metadata" / "validation" / "validation.tsv"

pytestmark = pytest.mark.skipif(
    not BASELINE.exists(), reason="the baseline's predictions are not here"
)


def load(truth: Path) -> tuple[Case, Events]:
    """The set with its operating points, and the detections at 0.5."""
    table = read_events_tsv(truth)
    classes = sorted(set(table["event_label"].dropna()))
    reference = Reference.from_frame(table, read_durations_tsv(BASELINE / "durations.tsv"), classes)

    def detections(path: Path) -> Events:
        return Events.from_frame(read_events_tsv(path), reference.filenames, classes)

    points = {
        float(path.stem): detections(path) for path in sorted((BASELINE / "predictions").iterdir())
    }
    return Case(reference, points), detections(BASELINE / "predictions_default_threshold.tsv")


@pytest.fixture(scope="module")
def original() -> tuple[Case, Statistics]:
    case, default = load(TRUTH_2020)
    return case, collect(case.reference, default, case.points)


@pytest.fixture(scope="module")
def revised() -> tuple[Case, Statistics]:
    case, default = load(TRUTH_2022)
    return case, collect(case.reference, default, case.points)


def values(statistics: Statistics) -> dict[str, float]:
    return {name: float(METRICS[name](statistics, None)[0]) for name in COUNT_METRICS}


def weighing(alpha_ct: float, alpha_st: float, **changes: str) -> dict:
    return {
        "definition": replace(DEFINITIONS["psds"], alpha_ct=alpha_ct, alpha_st=alpha_st, **changes)
    }


@pytest.mark.slow
def test_original_ground_truth(original: tuple[Case, Statistics]) -> None:
    case, statistics = original
    assert (statistics.n_clips, len(case.points), len(case.reference.events)) == (1168, 50, 4236)
    found = values(statistics)
    assert found["event_f1"] == pytest.approx(0.341593, abs=5e-7)
    assert found["psds"] == pytest.approx(0.514266063493, abs=1e-12)
    assert found["psds_2020"] == pytest.approx(0.5220578486140858, abs=1e-12)
    assert found["psds1"] == pytest.approx(0.303302862278, abs=1e-12)
    assert found["psds2"] == pytest.approx(0.464586018127, abs=1e-12)
    assert psds(statistics, **weighing(0, 0))[0] == pytest.approx(0.607442279525, abs=1e-12)
    assert psds(statistics, **weighing(0, 1))[0] == pytest.approx(0.428657179821, abs=1e-12)
    assert psds(statistics, **weighing(1, 1))[0] == pytest.approx(0.327790684327, abs=1e-12)
    assert psds(statistics, **weighing(1, 1, over="K"))[0] == pytest.approx(
        0.3367647818809981, abs=1e-12
    )
    over_k = replace(DEFINITIONS["psds2"], over="K")
    assert psds(statistics, definition=over_k)[0] == pytest.approx(0.4704616566050231, abs=1e-12)


def test_revised_ground_truth(revised: tuple[Case, Statistics]) -> None:
    case, statistics = revised
    found = values(statistics)
    assert found["event_f1"] == pytest.approx(0.342019, abs=5e-7)
    assert found["intersection_f1"] == pytest.approx(0.593891, abs=5e-7)
    assert found["psds"] == pytest.approx(0.514140, abs=5e-7)
    assert found["psds_2020"] == pytest.approx(0.521947, abs=5e-7)
    assert psds(statistics, **weighing(0, 0))[0] == pytest.approx(0.607547, abs=5e-7)
    assert psds(statistics, **weighing(0, 1))[0] == pytest.approx(0.429703, abs=5e-7)
    for threshold, expected in ((0.49, 0.340021), (0.51, 0.340144)):
        point = collect(case.reference, case.points[threshold])
        assert event_f1(point)[0][0] == pytest.approx(expected, abs=5e-7)


def test_statistics_are_small_and_whole(original: tuple[Case, Statistics]) -> None:
    _, statistics = original
    stream = io.BytesIO()
    statistics.save(stream)
    assert len(stream.getvalue()) <= 200_000
    stream.seek(0)
    assert values(Statistics.load(stream)) == values(statistics)


def test_a_detector_that_has_learnt_nothing(revised: tuple[Case, Statistics]) -> None:
    case, statistics = revised
    assert event_f1(collect(case.reference, always_on(case.reference)))[0][0] == pytest.approx(
        0.041, abs=5e-4
    )
    moved = collect(case.reference, permuted_clips(case.points[0.49], 1168, 0))
    assert event_f1(moved)[0][0] < 0.03
    assert intersection_f1(moved)[0][0] < intersection_f1(statistics)[0][0] / 2


def test_paired_interval_is_narrower_than_either(revised: tuple[Case, Statistics]) -> None:
    case, statistics = revised
    metric = METRICS["event_f1"]
    near = collect(case.reference, case.points[0.49], case.points)
    alone = interval(metric, statistics)
    assert alone.se == pytest.approx(alone.jackknife_se, rel=0.05)
    assert (alone.high - alone.low) / 2 == pytest.approx(0.0234, abs=0.001)
    result = paired_difference(metric, statistics, near, permutations=2000)
    assert result.se < alone.se / 5
    assert result.difference == pytest.approx(0.342019 - 0.340021, abs=1e-6)
    assert result.low < result.difference < result.high


@pytest.mark.slow
def test_resample_equals_both_packages(revised: tuple[Case, Statistics]) -> None:
    case, statistics = revised
    weights_BN = clip_weights(case.reference.key, 1168, 1, 0)
    drawn = resample(case, weights_BN[0])
    for cls, name in ((AnyEvents, "psds"), (OverK, "psds_2020")):
        expected = psds_eval_score(drawn, cls=cls, alpha_ct=1.0)
        assert METRICS[name](statistics, weights_BN)[0] == pytest.approx(expected, abs=1e-12)
    point = collect(case.reference, case.points[0.51])
    macro, per_class = sed_eval_f1(drawn, drawn.points[0.51])
    macro_B, per_class_BK = event_f1(point, weights_BN)
    assert macro_B[0] == pytest.approx(macro, abs=1e-12)
    np.testing.assert_allclose(per_class_BK[0], per_class, atol=1e-12)
