"""The metrics of the tables, the page and the figures, and how they are written."""

from dataclasses import replace

from raysed.evaluation.metrics.registry import METRICS, Metrics

TABLE_METRICS = Metrics(METRICS | {"psds": replace(METRICS["psds_2020"], name="psds")})
"""All metrics by name. In tables, published values and claims `psds` is the paper's, as psds_eval computed it in 2020
(cross-triggers averaged over K)."""


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
