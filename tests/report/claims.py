"""Judged claims made by hand."""

from types import SimpleNamespace

from raysed.report.verdicts import JudgedClaim, JudgedComparison


def found(low, high, seeds=(0, 1), metric="event_f1"):
    return SimpleNamespace(
        metric=metric,
        difference=(low + high) / 2,
        simultaneous_low=low,
        simultaneous_high=high,
        seeds=seeds,
        seeds_low=low,
        seeds_high=high,
        tie="",
    )


def compare(interval=(0.01, 0.05), *, metric="event_f1", **changes):
    fields = {
        "cell": "a",
        "against": "b",
        "evaluation": "val",
        "metric": metric,
        "expect": "higher",
        "published": None,
        "significance": 0.012,
        "found": None if interval is None else found(*interval, metric=metric),
        "waiting_for": () if interval else ("a",),
    }
    return JudgedComparison(**{**fields, **changes})


def claim(name="K1", *comparisons):
    return JudgedClaim(name, f"what {name} says", "val", comparisons or (compare(),))
