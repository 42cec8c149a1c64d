"""The published difference of two cells, and the differences that the paper calls none."""

from raysed.report.table_metrics import TABLE_METRICS
from raysed.run.run_plan import RunPlan

SIGNIFICANCE = {
    "val": {"event_f1": 0.012, "psds": 0.015},
    "eval": {"event_f1": 0.013, "psds": 0.018},
}
"""The significance that the paper states (half its published intervals), by evaluation set and metric."""


def published_difference(
    plan: RunPlan, pair: tuple[str, str], evaluation: str, metric: str
) -> float | None:
    """Return the published difference of two cells, None where the paper has no value of one of them."""
    a, b = (plan.cell(cell).published_value(evaluation, metric) for cell in pair)
    return None if a is None or b is None else round(a - b, 6)


def margin_of(
    expect: str, metric: str, published: float | None, significance: float | None
) -> float:
    """Return the difference that does not count: the metric's margin. For "not higher" it is what the paper itself
    calls nothing, if that is more: the lead that it published, and the significance that it stated.
    """
    margin = TABLE_METRICS[metric].margin
    if expect != "not_higher" or published is None:
        return margin
    return max(margin, round(published + (significance or 0.0), 6))
