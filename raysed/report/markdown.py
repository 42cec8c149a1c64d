"""The tables as aligned Markdown, so that the terminal and the file show the same; a row is a cell."""

from raysed.report.cells import CellValue
from raysed.report.contrasts import ContrastValue
from raysed.report.shown import TABLE_METRICS, interval_text, number, signed, signed_interval
from raysed.run.run_plan import RunPlan


def tables(
    plan: RunPlan, cells: list[CellValue], contrasts: list[ContrastValue]
) -> dict[str, list[str]]:
    """Return the Markdown lines of every table of the plan, by its name."""
    asked = {(pair.cell, pair.against) for pair in plan.contrasts}
    listed = [c for c in contrasts if (c.cell, c.against) in asked]
    found = {}
    for table in dict.fromkeys(cell.table for cell in cells):
        lines = []
        here = [cell for cell in cells if cell.table == table]
        for evaluation in dict.fromkeys(cell.evaluation for cell in here):
            lines += [f"Table {table}, {evaluation}", ""]
            for metric in dict.fromkeys(cell.metric for cell in here):
                of = (evaluation, metric)
                rows = [cell for cell in here if (cell.evaluation, cell.metric) == of]
                beside = [c for c in listed if (c.evaluation, c.metric) == of]
                lines += [*_table(rows, beside), ""]
        found[table] = lines
    return found


def _table(cells: list[CellValue], contrasts: list[ContrastValue]) -> list[str]:
    """Return one metric of one table on one evaluation set; contrasts of other tables leave no column."""
    metric = cells[0].metric
    againsts = list(dict.fromkeys(c.against for c in contrasts))
    rows = [
        [
            TABLE_METRICS[metric].title,
            "ours [95 %]",
            "published",
            *(f"less {against} [simultaneous 95 %]" for against in againsts),
            "each seed",
            "training",
        ]
    ]
    for cell in cells:
        found = {c.against: c for c in contrasts if c.cell == cell.cell}
        known = cell.published
        rows.append(
            [
                label(cell),
                value_text(cell),
                "" if known is None else number(known, metric),
                *(difference_text(found.get(against)) for against in againsts),
                seed_values_text(cell),
                cell.training,
            ]
        )
    return aligned(without_empty_columns(rows))


def label(cell: CellValue) -> str:
    """Return a cell's label: `T1-S: synthetic only`."""
    return cell.cell if cell.cell == cell.column else f"{cell.cell}: {cell.column}"


def value_text(cell: CellValue) -> str:
    """Return `34.1 [31.9, 36.5]`, followed by `(3 of 5)` where only three of five seeds have a value."""
    if cell.value is None or cell.low is None or cell.high is None:
        failed = all(trial.state == "failed" for trial in cell.trials)
        return "failed" if failed else "not finished"
    text = f"{number(cell.value, cell.metric)} {interval_text(cell.low, cell.high, cell.metric)}"
    planned = len(cell.trials)
    return text if cell.seeds == planned else f"{text} ({cell.seeds} of {planned})"


def seed_values_text(cell: CellValue) -> str:
    """Return the seeds' values, `33.0 / 37.3`, with the state of a trial that has none."""
    pairs = zip(cell.seed_values, cell.trials, strict=True)
    return " / ".join(
        trial.brief if value is None else number(value, cell.metric) for value, trial in pairs
    )


def difference_text(contrast: ContrastValue | None) -> str:
    """Return a difference: `-12.7 [-20.3, -3.5] lower`."""
    if contrast is None:
        return ""
    low, high = contrast.simultaneous_low, contrast.simultaneous_high
    difference = signed(contrast.difference, contrast.metric)
    return f"{difference} {signed_interval(low, high, contrast.metric)} {contrast.outcome}"


def without_empty_columns(rows: list[list[str]]) -> list[list[str]]:
    """Return the rows without the columns that have nothing but a head."""
    kept = [i for i in range(len(rows[0])) if any(row[i] for row in rows[1:])]
    return [[row[i] for i in kept] for row in rows]


def aligned(rows: list[list[str]]) -> list[str]:
    """Return rows of text as an aligned Markdown table; the first row is the head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return [lines[0], rule, *lines[1:]]


def family_lines(contrasts: list[ContrastValue]) -> list[str]:
    """Return a line for each family: the differences that its simultaneous intervals cover together."""
    families = {
        (c.evaluation, c.metric): f"{c.family} of {c.family_planned} planned differences"
        if c.family < c.family_planned
        else f"all {c.family} planned differences"
        for c in contrasts
    }
    if not families:
        return []
    return [
        "Simultaneous intervals (max-T) hold together with 95 %:",
        *(
            f"  {evaluation}, {TABLE_METRICS[metric].title.removesuffix(' %')}: {count}"
            for (evaluation, metric), count in families.items()
        ),
        "",
    ]
