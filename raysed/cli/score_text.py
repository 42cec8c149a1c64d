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
    if not begin(found, as_json=as_json):
        return
    out = console()
    threshold = found["threshold"]
    at = "operating point unknown" if threshold is None else f"F1 at threshold {threshold}"
    out.print(f"{found['clips']} clips, {len(found['classes'])} classes, {at}", markup=False)
    out.print(_metrics(found))
    out.print(_classes(found["per_class"]))
    exchanges = f"clip by clip (p from {found['draws']} exchanges)"
    if found["versus"] is not None:
        out.print(_versus(found["versus"], f"Less the other system, {exchanges}"))
    if found["engine"] is not None:
        out.print(_engine(found["engine"]))
    if found["missing"] is not None:
        out.print(_whole_set(found))
        if found["missing"]["same_clips"] is not None:
            title = f"Less the reference system on the same clips, {exchanges}"
            out.print(_versus(found["missing"]["same_clips"], title))


def begin(found: dict[str, Any], *, as_json: bool) -> bool:
    """Print the warnings, and the document where JSON is asked for; tell whether tables are still to come."""
    for warning in found["warnings"]:
        Console(stderr=True, soft_wrap=True).print(f"warning: {warning}", markup=False)
    if as_json:
        print(json.dumps(found, allow_nan=False))
    return not as_json


def _metrics(found: dict[str, Any]) -> Table:
    exact = found["all_thresholds"]
    # The published recipe's value is the mean of its sub-samples.
    as_published = found.get("method") == "paper"
    table = Table(
        "metric",
        "mean of sub-samples" if as_published else "value",
        "90 % interval, published recipe" if as_published else "95 % interval",
        "se",
        "jackknife se",
        title="Metrics (fractions)",
    )
    if exact is not None:
        table.add_column("all thresholds", no_wrap=True)
    for name in [name for name in METRICS if name in found]:
        title, value = METRICS[name].title, found[name]
        if value is None:
            table.add_row(title, "-")
            continue
        row = [
            title,
            number_text(value["value"]),
            span_text(value),
            *map(number_text, (value["se"], value["jackknife_se"])),
        ]
        if exact is not None:
            known = exact.get(name)
            row.append(f"{number_text(known['value'])} {span_text(known)}" if known else "")
        table.add_row(*row)
    return table


def _classes(per_class: dict[str, dict[str, Any]]) -> Table:
    table = Table("class", "events", title="Classes, with 95 % intervals")
    names = [name for name in METRICS if name in next(iter(per_class.values()))]
    for name in names:
        table.add_column(METRICS[name].title, no_wrap=True)
    for label, values in per_class.items():
        cells = [
            f"{number_text(values[name]['value'], digits=3)} {span_text(values[name], digits=3)}"
            for name in names
        ]
        table.add_row(escape(label), str(values["events"]), *cells)
    return table


def _engine(engine: dict[str, Any]) -> Table:
    alike = any(row["remark"] for row in engine["metrics"].values())
    verdict = "the same values" + (", where defined alike" if alike else "")
    verdict = verdict if engine["agrees"] else "OTHER VALUES"
    title = f"By {engine['name']} {engine['version']}: {verdict}"
    table = Table("metric", "ours", engine["name"], "difference", "remark", title=title)
    for name, row in engine["metrics"].items():
        difference = "-" if row["difference"] is None else f"{row['difference']:.1e}"
        numbers = (number_text(row[key], digits=6) for key in ("ours", "package"))
        table.add_row(METRICS[name].title, *numbers, difference, row["remark"])
    return table


def _whole_set(found: dict[str, Any]) -> Table:
    missing, controlled = found["missing"], found["missing"]["controlled"]
    count = f"{missing['clips']} clips, of which {missing['left']} are left"
    table = Table("metric", "on those left", title=f"The whole set: {count} (95 % intervals)")
    table.add_column("estimate")
    if controlled is not None:
        for head in ("with the reference", "reference: left, whole", "correlation"):
            table.add_column(head)
    for name, value in missing["estimate"].items():
        row = [METRICS[name].title, "-", "-"]
        if value is not None:
            row = [METRICS[name].title, number_text(found[name]["value"]), estimate_text(value)]
        if controlled is not None and (value := controlled[name]) is not None:
            both = ", ".join(number_text(value[f"reference_{of}"]) for of in ("left", "whole"))
            row += [estimate_text(value), both, number_text(value["correlation"], digits=2)]
        table.add_row(*row)
    return table


def estimate_text(value: dict[str, float | None]) -> str:
    """Return a value with its interval."""
    return f"{number_text(value['value'])} {span_text(value)}"


def _versus(versus: dict[str, Any], title: str) -> Table:
    table = Table("metric", "difference", "95 % interval", "p", title=title)
    for name, value in versus.items():
        if value is not None:
            table.add_row(
                METRICS[name].title,
                number_text(value["difference"], "+"),
                span_text(value, "+"),
                number_text(value["p"]),
            )
    return table


def number_text(value: float | None, sign: str = "", digits: int = 4) -> str:
    """Return a number, or a dash for what is not known."""
    return "-" if value is None else f"{value:{sign}.{digits}f}"


def span_text(value: dict[str, float | None], sign: str = "", digits: int = 4) -> str:
    """Return the interval of a value."""
    low, high = (number_text(value[end], sign, digits) for end in ("low", "high"))
    return f"\\[{low}, {high}]"  # escaped: rich reads [..] as markup
