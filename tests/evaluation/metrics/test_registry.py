"""Every name of the registry is a metric that can be computed, and every other name is refused."""

from dataclasses import replace

import numpy as np
import pytest

from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.evaluation.metrics.registry import (
    COUNT_METRICS,
    METRICS,
    known_metric,
    metric_names,
)
from tests.evaluation.metrics.test_event_f1 import one_clip


def test_names_and_functions_are_there() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert callable(metric._function)
        assert 0 < metric.margin < 0.2 and metric.scale in (1.0, 100.0)
    columns = [metric.column for metric in METRICS.values()]
    assert len(set(columns)) == len(columns)


def test_a_metric_is_its_function_with_its_options() -> None:
    statistics = one_clip([(0, 1.0, 2.0), (1, 4.0, 5.0)], [(0, 1.0, 2.0)])
    metric = METRICS["event_f1"]
    macro_B, per_class_BK = event_f1(statistics)
    assert metric(statistics).tolist() == macro_B.tolist() == [0.5]
    found_BK = metric.per_class(statistics)
    assert found_BK is not None and found_BK.tolist() == per_class_BK.tolist() == [[1.0, 0.0]]
    weights_BN = np.array([[2], [0]], np.int16)
    assert metric(statistics, weights_BN)[0] == 0.5 and np.isnan(metric(statistics, weights_BN)[1])


def test_options_reach_the_function() -> None:
    statistics = one_clip([(0, 1.0, 2.0)], [])
    plain = METRICS["intersection_f1"]
    other = replace(plain, options={"missed": np.nan})
    assert plain(statistics)[0] == 0.0 and np.isnan(other(statistics)[0])


def test_the_stored_counts_serve_the_metrics_that_there_were() -> None:
    before = [
        "event_f1",
        "intersection_f1",
        "segment_f1",
        "tagging_f1",
        "psds",
        "psds_2020",
        "psds1",
        "psds2",
    ]
    assert set(before) <= set(COUNT_METRICS) and len(set(METRICS)) == len(METRICS)


def test_unknown_names_are_refused_with_the_nearest() -> None:
    assert known_metric("psds1") == "psds1"
    with pytest.raises(ValueError, match=r"'psds_1' is no metric; did you mean psds1\? known are"):
        known_metric("psds_1")
    with pytest.raises(ValueError, match="'xyzzy' is no metric; known are event_f1, "):
        known_metric("xyzzy")
    with pytest.raises(ValueError, match="no metric is named"):
        metric_names(())
    assert metric_names(["psds", "event_f1", "psds"]) == ("psds", "event_f1")
