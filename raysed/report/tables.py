"""The tables of a run: ours beside published, with intervals over clips and seeds, and paired differences.

Plain Markdown, aligned, so that the terminal and the file show the same.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from raysed.evaluation.significance import seed_difference, seed_interval
from raysed.report.results import METRICS, Result, by_seed, values

SCALE = {"event_f1": 100.0, "psds": 1.0}
TITLE = {"event_f1": "event F1 %", "psds": "PSDS"}


@dataclass(frozen=True)
class CellValue:
    """One metric of one cell on one evaluation set: the mean over seeds, in the table's unit."""

    table: str
    cell: str
    column: str
    evaluation: str
    metric: str
    value: float
    low: float
    high: float
    seeds: tuple[float, ...]
    published: float | None


@dataclass(frozen=True)
class ContrastValue:
    """A paired difference of two cells, in the table's unit, and what it settles."""

    cell: str
    against: str
    evaluation: str
    metric: str
    difference: float
    low: float
    high: float
    seeds: tuple[float, ...]
    outcome: str
    """higher, lower or undecided."""


def cell_values(plan: dict[str, Any], results: list[Result]) -> list[CellValue]:
    """Every finished cell, metric and evaluation set."""
    rows = []
    for cell in plan["cells"]:
        for evaluation in _evaluations(results):
            seeds = by_seed(results, cell["id"], evaluation)
            if not seeds:
                continue
            published = cell["published"].get(evaluation) or {}
            for name, metric in METRICS.items():
                found = seed_interval(metric, list(seeds.values()), draws=plan["bootstrap_draws"])
                scale, known = SCALE[name], published.get(name)
                rows.append(
                    CellValue(
                        table=cell["table"],
                        cell=cell["id"],
                        column=cell["column"],
                        evaluation=evaluation,
                        metric=name,
                        value=found.value * scale,
                        low=found.low * scale,
                        high=found.high * scale,
                        seeds=tuple(values(metric, seeds) * scale),
                        published=None if known is None else known * scale,
                    )
                )
    return rows


def contrast_values(plan: dict[str, Any], results: list[Result]) -> list[ContrastValue]:
    """Every contrast of which both cells have a seed in common."""
    rows = []
    for contrast in plan["contrasts"]:
        for evaluation in _evaluations(results):
            ours = by_seed(results, contrast["cell"], evaluation)
            theirs = by_seed(results, contrast["against"], evaluation)
            shared = [seed for seed in ours if seed in theirs]
            if not shared:
                continue
            a, b = [ours[s] for s in shared], [theirs[s] for s in shared]
            for name, metric in METRICS.items():
                found = seed_difference(metric, a, b, draws=plan["bootstrap_draws"])
                each = np.array(
                    [metric(x, None)[0] - metric(y, None)[0] for x, y in zip(a, b, strict=True)]
                )
                rows.append(
                    ContrastValue(
                        cell=contrast["cell"],
                        against=contrast["against"],
                        evaluation=evaluation,
                        metric=name,
                        difference=found.value * SCALE[name],
                        low=found.low * SCALE[name],
                        high=found.high * SCALE[name],
                        seeds=tuple(each * SCALE[name]),
                        outcome=outcome(found.low, found.high, each),
                    )
                )
    return rows


def outcome(low: float, high: float, difference_S: np.ndarray) -> str:
    """What a difference settles: nothing where seeds disagree in sign or the interval holds 0."""
    agree = bool((difference_S > 0).all() or (difference_S < 0).all())
    if not agree or low <= 0 <= high:
        return "undecided"
    return "higher" if low > 0 else "lower"


def render(cells: list[CellValue], contrasts: list[ContrastValue]) -> dict[str, list[str]]:
    """Markdown lines of every table, by its name."""
    tables = {}
    for table in dict.fromkeys(cell.table for cell in cells):
        lines = []
        for evaluation in dict.fromkeys(cell.evaluation for cell in cells):
            rows = [c for c in cells if (c.table, c.evaluation) == (table, evaluation)]
            if not rows:
                continue
            here = [c for c in contrasts if c.evaluation == evaluation]
            lines += [f"Table {table}, {evaluation}", "", *_table(rows, here), ""]
        tables[table] = lines
    return tables


def _table(cells: list[CellValue], contrasts: list[ContrastValue]) -> list[str]:
    columns = dict.fromkeys(cell.cell for cell in cells)
    heads = {cell.cell: cell.column for cell in cells}
    rows: list[list[str]] = [["", *(heads[c] for c in columns)]]
    for metric in METRICS:
        found = {cell.cell: cell for cell in cells if cell.metric == metric}
        if not found:
            continue
        digits = 1 if SCALE[metric] == 100 else 3
        rows.append(
            [f"{TITLE[metric]} [95 %]"]
            + [
                f"{v.value:.{digits}f} [{v.low:.{digits}f}, {v.high:.{digits}f}]"
                for v in found.values()
            ]
        )
        rows.append(
            ["  each seed"]
            + [" / ".join(f"{s:.{digits}f}" for s in v.seeds) for v in found.values()]
        )
        if any(v.published is not None for v in found.values()):
            rows.append(
                ["  published"]
                + [
                    "" if v.published is None else f"{v.published:.{digits}f}"
                    for v in found.values()
                ]
            )
        rows += _contrast_rows(list(columns), [c for c in contrasts if c.metric == metric], digits)
    return aligned(rows)


def _contrast_rows(
    columns: list[str], contrasts: list[ContrastValue], digits: int
) -> list[list[str]]:
    rows = []
    for against in dict.fromkeys(c.against for c in contrasts if c.cell in columns):
        found = {c.cell: c for c in contrasts if c.against == against}
        row = [f"  less {against}"]
        for column in columns:
            c = found.get(column)
            row.append(
                f"{c.difference:+.{digits}f} [{c.low:+.{digits}f}, {c.high:+.{digits}f}] {c.outcome}"
                if c
                else ""
            )
        rows.append(row)
    return rows


def aligned(rows: list[list[str]]) -> list[str]:
    """Rows of text as an aligned Markdown table; the first row is the head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return [lines[0], rule, *lines[1:]]


def as_frame(rows: list[CellValue] | list[ContrastValue]) -> pd.DataFrame:
    """Rows as a table for CSV; seeds are joined by spaces."""
    frame = pd.DataFrame([vars(row) for row in rows])
    if len(frame):
        frame["seeds"] = [" ".join(f"{s:.6f}" for s in row.seeds) for row in rows]
    return frame


def _evaluations(results: list[Result]) -> list[str]:
    return list(dict.fromkeys(result.evaluation for result in results))
