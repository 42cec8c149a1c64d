"""The tables as LaTeX source in the paper's orientation, a column a cell; needs booktabs and longtable.

`tables.tex` is a document that shows them all.
"""

from collections.abc import Callable, Iterable

from raysed.report.cells import CellValue
from raysed.report.contrasts import ContrastValue
from raysed.report.shown import TABLE_METRICS, interval_text, number, signed, signed_interval
from raysed.report.verdicts import JudgedClaim, JudgedComparison
from raysed.report.verdicts_markdown import remarks, seed_count_text
from raysed.run.run_plan import RunPlan

_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "\N{INFINITY}": r"$\infty$",
        "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
        "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
        "\N{PLUS-MINUS SIGN}": r"$\pm$",
        "\N{MULTIPLICATION SIGN}": r"$\times$",
        "\N{MINUS SIGN}": "$-$",
        "\N{EN DASH}": "--",
        **{character: f"\\{character}" for character in "%&_#$" + "{}"},
    }
)

_END = r" \tabularnewline"


def escape(text: str) -> str:
    """Escape text so that LaTeX prints it as it is."""
    return text.translate(_ESCAPES)


def document(names: Iterable[str]) -> str:
    """Return a document of the tables in files of these names beside it."""
    lines = [
        r"\documentclass[10pt]{article}",
        r"\usepackage[T1]{fontenc}",
        r"\usepackage[utf8]{inputenc}",
        r"\usepackage[a4paper,landscape,margin=15mm]{geometry}",
        r"\usepackage{booktabs,longtable}",
        r"\begin{document}",
        *(rf"\input{{{name}}}\clearpage" for name in names),
        r"\end{document}",
    ]
    return "\n".join(lines) + "\n"


def cell_table(plan: RunPlan, cells: list[CellValue], contrasts: list[ContrastValue]) -> str:
    """Return one table, with a float for each of its evaluation sets."""
    asked = {(pair.cell, pair.against) for pair in plan.contrasts}
    ids = {cell.cell for cell in cells}
    listed = [c for c in contrasts if c.cell in ids and (c.cell, c.against) in asked]
    floats = []
    for evaluation in dict.fromkeys(cell.evaluation for cell in cells):
        here = [cell for cell in cells if cell.evaluation == evaluation]
        floats.append(_float(plan, here, [c for c in listed if c.evaluation == evaluation]))
    return "\n".join(floats)


def _float(plan: RunPlan, cells: list[CellValue], contrasts: list[ContrastValue]) -> str:
    """Return the float of one evaluation set of one table."""
    columns = {cell.cell: cell.column for cell in cells}
    width = rf"p{{{0.7 / len(columns):.3f}\linewidth}}"
    title = f"Table {cells[0].table}, {cells[0].evaluation}"
    lines = [
        r"\begin{table}[htbp]",
        r"\centering\small",
        rf"\caption{{{escape(title)}: ours beside published. Intervals are 95\,\% over clips and seeds,"
        r" those of differences simultaneous.}",
        rf"\begin{{tabular}}{{l*{{{len(columns)}}}{{{width}}}}}",
        r"\toprule",
        _row("", [rf"\raggedright {escape(column)}" for column in columns.values()]),
    ]
    for metric in dict.fromkeys(cell.metric for cell in cells):
        here = [cell for cell in cells if cell.metric == metric]
        beside = [c for c in contrasts if c.metric == metric]
        lines += [r"\midrule", *_metric_rows(plan, here, beside)]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]) + "\n"


def _metric_rows(
    plan: RunPlan, cells: list[CellValue], contrasts: list[ContrastValue]
) -> list[str]:
    metric = cells[0].metric
    rows = [
        _row(escape(TABLE_METRICS[metric].title), [_value(c) for c in cells]),
        _row(r"\quad 95\,\% interval", [_each(c.low, c.high, metric) for c in cells]),
    ]
    if any(cell.published is not None for cell in cells):
        known = ["" if c.published is None else number(c.published, metric) for c in cells]
        rows.append(_row(r"\quad published", known))
    for index, seed in enumerate(plan.seeds):
        rows.append(_row(rf"\quad seed {seed}", [_seed(cell, index) for cell in cells]))
    for against in dict.fromkeys(c.against for c in contrasts):
        found = {c.cell: c for c in contrasts if c.against == against}
        rows += [
            _row(label, [text(found[c.cell]) if c.cell in found else "" for c in cells])
            for label, text in _difference_rows(escape(against))
        ]
    return rows


def _difference_rows(against: str) -> list[tuple[str, Callable[[ContrastValue], str]]]:
    return [
        (rf"\quad less {against}", lambda c: f"${signed(c.difference, c.metric)}$"),
        (
            r"\quad simultaneous",
            lambda c: _math(signed_interval(c.simultaneous_low, c.simultaneous_high, c.metric)),
        ),
    ]


def _value(cell: CellValue) -> str:
    if cell.value is None:
        return "failed" if all(t.state == "failed" for t in cell.trials) else "not finished"
    missing = "" if cell.seeds == len(cell.trials) else f" ({cell.seeds} of {len(cell.trials)})"
    return number(cell.value, cell.metric) + missing


def _each(low: float | None, high: float | None, metric: str) -> str:
    return "" if low is None or high is None else _math(interval_text(low, high, metric))


def _seed(cell: CellValue, index: int) -> str:
    value = cell.seed_values[index]
    return escape(cell.trials[index].brief) if value is None else number(value, cell.metric)


def _math(text: str) -> str:
    """Return text in math mode; braces keep a bracket from being read as an option of the row before."""
    return f"{{${text}$}}"


def _row(label: str, texts: list[str]) -> str:
    return " & ".join([label, *texts]) + _END


def claims_table(plan: RunPlan, claims: list[JudgedClaim]) -> str:
    """Return a table of every comparison of every claim in every metric, with its verdict."""
    lines = [
        r"{\small",
        r"\begin{longtable}{lp{0.4\linewidth}lllll}",
        r"\caption{Claims of the paper against this run; differences with simultaneous 95\,\% intervals.}"
        + _END,
        r"\toprule",
        _row("", ["", "metric", "ours", "", "published", "verdict"]),
        r"\midrule\endhead",
        r"\bottomrule\endfoot",
    ]
    for claim in claims:
        noted = "; ".join([f"{claim.text} ({claim.evaluation})", *remarks(claim)])
        seeds = f"{seed_count_text(claim, plan)} seed{'' if len(plan.seeds) == 1 else 's'}"
        verdict = rf"\textbf{{{escape(claim.verdict)}}} ({seeds})"
        lines.append(_row(escape(claim.id), [escape(noted), "", "", "", "", verdict]))
        lines += [_comparison_row(comparison) for comparison in claim.comparisons]
    return "\n".join([*lines, r"\end{longtable}", "}"]) + "\n"


def _comparison_row(comparison: JudgedComparison) -> str:
    metric, found = comparison.metric, comparison.found
    ours, ends, known = "", "", ""
    if found:
        ours = f"${signed(found.difference, metric)}$"
        ends = _math(signed_interval(found.simultaneous_low, found.simultaneous_high, metric))
    if comparison.published is not None:
        known = f"${signed(comparison.published, metric)}$"
    symbols = escape(comparison.symbols.replace("<=", "\N{LESS-THAN OR EQUAL TO}"))
    texts = [
        rf"\quad {symbols}",
        escape(TABLE_METRICS[metric].title),
        ours,
        ends,
        known,
        comparison.verdict,
    ]
    return _row("", texts)
