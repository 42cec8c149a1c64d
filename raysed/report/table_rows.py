"""The rows of the tables as texts: Markdown and LaTeX lay out the same numbers, intervals and marks."""

from collections.abc import Iterator
from dataclasses import dataclass

from raysed.report.cells import CellValue
from raysed.report.contrasts import ContrastValue
from raysed.report.table_metrics import (
    TABLE_METRICS,
    interval_text,
    number,
    signed,
    signed_interval,
)
from raysed.run.run_plan import RunPlan


@dataclass(frozen=True)
class DifferenceText:
    """A difference of two cells with its simultaneous interval; both are empty where there is none yet."""

    value: str
    interval: str
    mark: str
    """The outcome of a contrast, or the verdict on a comparison of a claim."""
    tie: str = ""
    """Instead of value and interval: why the two are the same."""


@dataclass(frozen=True)
class CellRow:
    """One cell in one metric."""

    cell: str
    column: str
    training: str
    value: str
    """The mean over seeds, or why there is none: failed or not finished."""
    interval: str
    """The 95 % interval over clips and seeds; empty where there is no value."""
    missing: str
    """`3 of 5` where only three of five seeds have a value, `not trained` where x-valid F1 was always 0; else empty."""
    published: str
    recipe: str
    """Ours by the paper's own recipe, with its 90 % interval; empty where it is not asked for."""
    seeds: tuple[str, ...]
    """The value of each seed that it is to have, or the state of its trial; empty for a system from elsewhere."""
    differences: dict[str, DifferenceText]
    """By the cell that this one is compared with."""


@dataclass(frozen=True)
class MetricTable:
    """One metric of one table on one evaluation set."""

    table: str
    evaluation: str
    title: str
    againsts: tuple[str, ...]
    """The cells that others of this table are compared with, in the plan's order."""
    rows: tuple[CellRow, ...]


def metric_tables(
    plan: RunPlan, cells: list[CellValue], contrasts: list[ContrastValue]
) -> list[MetricTable]:
    """Return every table of the plan, evaluation set by evaluation set and metric by metric.

    Comparisons that only claims ask for are in no table.
    """
    asked = {(pair.cell, pair.against) for pair in plan.contrasts}
    listed = [c for c in contrasts if (c.cell, c.against) in asked]
    return [
        _metric_table(here, [c for c in listed if (c.evaluation, c.metric) == _measure(here[0])])
        for here in _grouped(cells)
    ]


def _grouped(cells: list[CellValue]) -> Iterator[list[CellValue]]:
    """Yield the cells of each table, evaluation set and metric, in order of first appearance."""
    for table in dict.fromkeys(cell.table for cell in cells):
        here = [cell for cell in cells if cell.table == table]
        for evaluation in dict.fromkeys(cell.evaluation for cell in here):
            for metric in dict.fromkeys(cell.metric for cell in here):
                if found := [cell for cell in here if _measure(cell) == (evaluation, metric)]:
                    yield found


def _measure(cell: CellValue) -> tuple[str, str]:
    return cell.evaluation, cell.metric


def _metric_table(cells: list[CellValue], contrasts: list[ContrastValue]) -> MetricTable:
    rows = tuple(_cell_row(cell, [c for c in contrasts if c.cell == cell.cell]) for cell in cells)
    shown = {against for row in rows for against in row.differences}
    return MetricTable(
        table=cells[0].table,
        evaluation=cells[0].evaluation,
        title=TABLE_METRICS[cells[0].metric].column,
        againsts=tuple(dict.fromkeys(c.against for c in contrasts if c.against in shown)),
        rows=rows,
    )


def _cell_row(cell: CellValue, contrasts: list[ContrastValue]) -> CellRow:
    metric = cell.metric
    value, interval, missing = _hole(cell), "", ""
    if cell.value is not None and cell.low is not None and cell.high is not None:
        value, interval = number(cell.value, metric), interval_text(cell.low, cell.high, metric)
        missing = _remark(cell)
    return CellRow(
        cell=cell.cell,
        column=cell.column,
        training=cell.training,
        value=value,
        interval=interval,
        missing=missing,
        published="" if cell.published is None else number(cell.published, metric),
        recipe=_recipe_text(cell),
        seeds=_seed_texts(cell),
        differences={c.against: difference_text(c, c.outcome) for c in contrasts},
    )


def _remark(cell: CellValue) -> str:
    """Return what has to be said of the seeds behind a value."""
    known, planned = cell.seeds, len(cell.trials)
    remarks = [] if known == planned else [f"{known} of {planned}"]
    if cell.untrained:
        remarks.append(
            "not trained" if cell.untrained == known else f"{cell.untrained} not trained"
        )
    return ", ".join(remarks)


def _recipe_text(cell: CellValue) -> str:
    if cell.recipe is None:
        return ""
    value, low, high = cell.recipe
    return f"{number(value, cell.metric)} {interval_text(low, high, cell.metric)}"


def _hole(cell: CellValue) -> str:
    if all(t.state == "finished" for t in cell.trials):
        if cell.is_external:
            return "-"  # its predictions do not have this metric
        if TABLE_METRICS[cell.metric].needs == "scores":
            return "no scores"  # two thresholds, boxes, or choices that differ from clip to clip
    return "failed" if all(t.state == "failed" for t in cell.trials) else "not finished"


def _seed_texts(cell: CellValue) -> tuple[str, ...]:
    if cell.is_external:
        return ()
    pairs = zip(cell.seed_values, cell.trials, strict=True)
    return tuple(
        trial.brief if value is None else number(value, cell.metric) for value, trial in pairs
    )


def difference_text(contrast: ContrastValue | None, mark: str) -> DifferenceText:
    """Return the texts of a difference with this mark; only the mark where there is no difference yet."""
    if contrast is None:
        return DifferenceText("", "", mark)
    if contrast.tie:
        words = dict.fromkeys((contrast.tie, mark))
        return DifferenceText("", "", ", ".join(words), contrast.tie)
    low, high = contrast.simultaneous_low, contrast.simultaneous_high
    return DifferenceText(
        signed(contrast.difference, contrast.metric),
        signed_interval(low, high, contrast.metric),
        mark,
    )


def spaced(*texts: str) -> str:
    """Return the texts with a space between them, without those that are empty."""
    return " ".join(text for text in texts if text)
