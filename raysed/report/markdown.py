"""The tables as aligned Markdown, so that the terminal and the file show the same; a row is a cell."""

from raysed.report.contrasts import ContrastValue
from raysed.report.table_metrics import TABLE_METRICS
from raysed.report.table_rows import DifferenceText, MetricTable, spaced


def tables(found: list[MetricTable]) -> dict[str, list[str]]:
    """Return the Markdown lines of every table, by its name."""
    lines: dict[str, list[str]] = {}
    last = None
    for each in found:
        here = lines.setdefault(each.table, [])
        if last != (last := (each.table, each.evaluation)):
            here += [f"Table {each.table}, {each.evaluation}", ""]
        here += [*_table(each), ""]
    return lines


def _table(found: MetricTable) -> list[str]:
    """Return one metric of one table on one evaluation set."""
    heads = [
        found.title,
        "ours [95 %]",
        "published",
        "ours by the paper's recipe [90 %]",
        *(f"less {against} [simultaneous 95 %]" for against in found.againsts),
        "each seed",
        "training",
    ]
    rows = [
        [
            row.cell if row.cell == row.column else f"{row.cell}: {row.column}",
            spaced(row.value, row.interval, row.missing and f"({row.missing})"),
            row.published,
            row.recipe,
            *(_difference(row.differences.get(against)) for against in found.againsts),
            " / ".join(row.seeds),
            row.training,
        ]
        for row in found.rows
    ]
    return aligned(without_empty_columns([heads, *rows]))


def _difference(found: DifferenceText | None) -> str:
    return spaced(found.value, found.interval, found.mark) if found else ""


def without_empty_columns(rows: list[list[str]]) -> list[list[str]]:
    """Return the rows without the columns that have nothing but a head."""
    kept = [i for i in range(len(rows[0])) if any(row[i] for row in rows[1:])]
    return [[row[i] for i in kept] for row in rows]


def aligned(rows: list[list[str]]) -> list[str]:
    """Return rows of text as an aligned Markdown table; the first row is the head, and a `|` in a text stays one."""
    rows = [[text.replace("|", "\\|") for text in row] for row in rows]
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
            f"  {evaluation}, {TABLE_METRICS[metric].column.removesuffix(' %')}: {count}"
            for (evaluation, metric), count in families.items()
        ),
        "",
    ]
