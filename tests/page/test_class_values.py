"""The values of every class: those of the metrics, with intervals that hold them."""

import numpy as np

from raysed.evaluation.metrics.event_f1 import event_f1, segment_f1
from raysed.page.class_values import CLASS_METRICS, values_of_classes
from tests.page.test_rates import counted


def test_they_are_the_metrics_of_each_class():
    statistics = [counted(0.6, seed) for seed in (0, 1)]
    found = values_of_classes(statistics)
    assert [*found] == [*CLASS_METRICS] and CLASS_METRICS["segment_f1"] == "segment (1 s) F1 %"
    for name, metric in (("event_f1", event_f1), ("segment_f1", segment_f1)):
        mean_K = np.mean([metric(each)[1][0] for each in statistics], axis=0)
        np.testing.assert_allclose(found[name][:, 0], mean_K)
    for row_K3 in found.values():
        value_K, low_K, high_K = row_K3.T
        known_K = ~np.isnan(value_K)
        assert (low_K[known_K] <= value_K[known_K] + 1e-9).all()
        assert (value_K[known_K] <= high_K[known_K] + 1e-9).all()


def test_precision_and_recall_by_hand():
    statistics = counted(0.6)
    counts = statistics.event
    found = values_of_classes([statistics])
    tp_K, n_sys_K, n_ref_K = (each.sum(axis=0) for each in vars(counts).values())
    np.testing.assert_allclose(found["event_precision"][:, 0], tp_K / n_sys_K)
    np.testing.assert_allclose(found["event_recall"][:, 0], tp_K / n_ref_K)
