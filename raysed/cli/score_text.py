"""The output of `raysed score`: tables or one JSON object on standard output, warnings on standard error."""

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from raysed.cli.console import console
from raysed.evaluation.metrics.registry import METRICS


def show(found: dict[str, Any], *, as_json: bool) -> None:
    """Print what `score` found; warnings go to standard error."""
    for warning in found["warnings"]:
        Console(stderr=True, soft_wrap=True).print(f"warning: {warning}", markup=False)
    if as_json:
        print(json.dumps(found, allow_nan=False))
        return
    out = console()
    threshold = found["threshold"]
    at = "operating point unknown" if threshold is None else f"F1 at threshold {threshold}"
    out.print(f"{found['clips']} clips, {len(found['classes'])} classes, {at}", markup=False)
    out.print(_metrics(found))
    out.print(_classes(found["per_class"]))
    if found["versus"] is not None:
        out.print(_versus(found["versus"], found["draws"]))


def _metrics(found: dict[str, Any]) -> Table:
    exact = found["all_thresholds"]
    table = Table(
        "metric", "value", "95 % interval", "se", "jackknife se", title="Metrics (fractions)"
    )
    if exact is not None:
        table.add_column("all thresholds")
    for name in [name for name in METRICS if name in found]:
        title, value = METRICS[name].title, found[name]
        if value is None:
            table.add_row(title, "-")
            continue
        row = [
            title,
            _number(value["value"]),
            _span(value),
            *map(_number, (value["se"], value["jackknife_se"])),
        ]
        if exact is not None:
            row.append(_number(exact[name]) if name in exact else "")
        table.add_row(*row)
    return table


def _classes(per_class: dict[str, dict[str, Any]]) -> Table:
    table = Table("class", "events", title="Classes, with 95 % intervals")
    names = [name for name in METRICS if name in next(iter(per_class.values()))]
    for name in names:
        table.add_column(METRICS[name].title, no_wrap=True)
    for label, values in per_class.items():
        cells = [
            f"{_number(values[name]['value'], digits=3)} {_span(values[name], digits=3)}"
            for name in names
        ]
        table.add_row(escape(label), str(values["events"]), *cells)
    return table


def _versus(versus: dict[str, Any], draws: int) -> Table:
    title = f"Less the other system, clip by clip (p from {draws} exchanges)"
    table = Table("metric", "difference", "95 % interval", "p", title=title)
    for name, value in versus.items():
        if value is not None:
            table.add_row(
                METRICS[name].title,
                _number(value["difference"], "+"),
                _span(value, "+"),
                _number(value["p"]),
            )
    return table


def _number(value: float | None, sign: str = "", digits: int = 4) -> str:
    return "-" if value is None else f"{value:{sign}.{digits}f}"


def _span(value: dict[str, float | None], sign: str = "", digits: int = 4) -> str:
    low, high = (_number(value[end], sign, digits) for end in ("low", "high"))
    return f"\\[{low}, {high}]"  # escaped: rich reads [..] as markup
