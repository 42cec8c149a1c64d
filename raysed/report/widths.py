"""The largest half-widths of our intervals beside those that the paper states for all of its results."""

from raysed.report.cells import CellValue
from raysed.report.published import SIGNIFICANCE
from raysed.report.table_metrics import TABLE_METRICS, number


def width_lines(cells: list[CellValue]) -> list[str]:
    """Return a line for each evaluation set and metric of which the paper states a half-width."""
    lines = []
    for evaluation, metric in dict.fromkeys((c.evaluation, c.metric) for c in cells):
        stated = SIGNIFICANCE.get(evaluation, {}).get(metric)
        here = [c for c in cells if (c.evaluation, c.metric) == (evaluation, metric)]
        ours = [(c.high - c.low) / 2 for c in here if c.low is not None and c.high is not None]
        recipes = [(c.recipe[2] - c.recipe[1]) / 2 for c in here if c.recipe]
        if stated is None or not ours:
            continue
        by_recipe = f", by the paper's recipe {number(max(recipes), metric)}" if recipes else ""
        lines.append(
            f"  {evaluation}, {TABLE_METRICS[metric].column.removesuffix(' %')}: ours {number(max(ours), metric)}"
            f" (95 %){by_recipe}; the paper states {number(stated, metric)} (90 %)"
        )
    return ["Largest half-width of an interval:", *lines, ""] if lines else []
