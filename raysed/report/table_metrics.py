"""The metrics of the tables, the page and the figures, and how they are written."""

from dataclasses import dataclass

import numpy as np

from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.intervals import bootstrap
from raysed.evaluation.intervals.bootstrap import Metric


@dataclass(frozen=True)
class TableMetric:
    """A metric in 0 to 1 as a column of a table; calling it computes the metric."""

    metric: Metric
    title: str
    scale: float
    """The factor that a value is multiplied by where it is written."""
    digits: int

    def __call__(self, statistics: Statistics, weights_BN: np.ndarray | None) -> np.ndarray:
        """Return values (B,), as any metric of `raysed.evaluation.intervals.bootstrap`."""
        return self.metric(statistics, weights_BN)


TABLE_METRICS = {
    "event_f1": TableMetric(bootstrap.METRICS["event_f1"], "event F1 %", 100.0, 1),
    "psds": TableMetric(bootstrap.METRICS["psds_2020"], "PSDS", 1.0, 3),
}
"""The paper's two; PSDS as psds_eval computed it in 2020 (cross-triggers averaged over K)."""


def number(value: float, metric: str) -> str:
    """Format a value: 34.1 or 0.502."""
    return f"{value * TABLE_METRICS[metric].scale:.{TABLE_METRICS[metric].digits}f}"


def signed(difference: float, metric: str) -> str:
    """Format a difference: +2.4 or -0.031."""
    return f"{difference * TABLE_METRICS[metric].scale:+.{TABLE_METRICS[metric].digits}f}"


def interval_text(low: float, high: float, metric: str) -> str:
    """Format an interval: [31.9, 36.5]."""
    return f"[{number(low, metric)}, {number(high, metric)}]"


def signed_interval(low: float, high: float, metric: str) -> str:
    """Format the interval of a difference: [+0.3, +4.5]."""
    return f"[{signed(low, metric)}, {signed(high, metric)}]"
