"""The output of `raysed score --systems`: a ranking for each metric, and the classes' values."""

from typing import Any

from rich.markup import escape
from rich.table import Table

from raysed.cli.console import console
from raysed.cli.score_text import begin, estimate_text, number_text, span_text
from raysed.evaluation.metrics.registry import METRICS


def show_ranking(found: dict[str, Any], *, as_json: bool) -> None:
    """Print what `score_systems` found; warnings go to standard error."""
    if not begin(found, as_json=as_json):
        return
    out = console()
    out.print(
        f"{found['clips']} clips, {len(found['classes'])} classes, {len(found['systems'])} systems;"
        " ranks and differences hold together with 95 % in each metric",
        markup=False,
    )
    for name, compared in found["metrics"].items():
        if compared is not None:
            out.print(_ranking(METRICS[name].title, compared))
    for name, classes in found["per_class"].items():
        out.print(_classes(METRICS[name].title, classes))


def _ranking(title: str, compared: dict[str, Any]) -> Table:
    table = Table("rank", "95 %", "system", "value", title=title, title_justify="left")
    best = compared["ranking"][0]["system"]
    table.add_column(f"less {escape(best)}")
    table.add_column("p", justify="right")
    less_best = {row["against"]: row for row in compared["differences"] if row["system"] == best}
    for row in compared["ranking"]:
        cells = [str(row["rank"]), f"{row['rank_low']} to {row['rank_high']}"]
        cells += [escape(row["system"]), estimate_text(row)]
        if found := less_best.get(row["system"]):
            ends = {"low": 0.0 - found["high"], "high": 0.0 - found["low"]}  # no -0.0
            difference = number_text(0.0 - found["difference"], "+")
            cells += [f"{difference} {span_text(ends, '+')}", number_text(found["p"])]
        table.add_row(*cells)
    return table


def _classes(title: str, classes: dict[str, dict[str, Any]]) -> Table:
    table = Table("class", title=f"{title} of each class", title_justify="left")
    for system in next(iter(classes.values())):
        table.add_column(escape(system))
    for label, values in classes.items():
        table.add_row(escape(label), *(number_text(v["value"], digits=3) for v in values.values()))
    return table
