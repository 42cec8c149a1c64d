"""What the paper published about differences, and which it calls none."""

import pytest

from raysed.report.published import margin_of, published_difference
from raysed.run.run_plan import RunPlan


def test_differences_of_published_values(claimed):
    plan = RunPlan.require(claimed)
    assert published_difference(plan, ("good", "fair"), "val", "event_f1") == 0.1
    assert published_difference(plan, ("good", "fair"), "eval", "event_f1") is None


def test_the_margin_is_the_metrics_or_what_the_paper_calls_nothing():
    assert margin_of("higher", "psds", 0.2, 0.015) == 0.03
    assert margin_of("not_higher", "psds", 0.041, 0.015) == pytest.approx(0.056)
    assert margin_of("not_higher", "event_f1", -0.2, 0.012) == 0.024
    assert margin_of("not_higher", "event_f1", None, None) == 0.024
