"""The tables as LaTeX source in the paper's orientation, a column a cell; needs booktabs and longtable.

`tables.tex` is a document that shows them all.
"""

from collections.abc import Iterable

from raysed.report.claim_rows import ClaimRow, ComparisonRow
from raysed.report.table_rows import MetricTable, spaced

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


def cell_table(found: list[MetricTable], seeds: Iterable[int], drawn: str) -> str:
    """Return one table of the plan, with a float for each of its evaluation sets; `drawn` is what intervals draw."""
    floats = []
    for evaluation in dict.fromkeys(each.evaluation for each in found):
        floats.append(
            _float([each for each in found if each.evaluation == evaluation], seeds, drawn)
        )
    return "\n".join(floats)


def _float(found: list[MetricTable], seeds: Iterable[int], drawn: str) -> str:
    """Return the float of one evaluation set of one table, metric by metric."""
    columns = {row.cell: row.column for each in found for row in each.rows}
    width = rf"p{{{0.7 / len(columns):.3f}\linewidth}}"
    title = f"Table {found[0].table}, {found[0].evaluation}"
    lines = [
        r"\begin{table}[htbp]",
        r"\centering\small",
        rf"\caption{{{escape(title)}: ours beside published. Intervals are 95\,\% over {drawn}, and over seeds of four or more,"
        r" those of differences simultaneous.}",
        rf"\begin{{tabular}}{{l*{{{len(columns)}}}{{{width}}}}}",
        r"\toprule",
        _row("", [rf"\raggedright {escape(column)}" for column in columns.values()]),
    ]
    for each in found:
        lines += [r"\midrule", *_metric_rows(each, seeds)]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]) + "\n"


def _metric_rows(found: MetricTable, seeds: Iterable[int]) -> list[str]:
    cells = found.rows
    rows = [
        _row(escape(found.title), [spaced(c.value, c.missing and f"({c.missing})") for c in cells]),
        _row(r"\quad 95\,\% interval", [_bracketed(c.interval) for c in cells]),
    ]
    if any(cell.published for cell in cells):
        rows.append(_row(r"\quad published", [cell.published for cell in cells]))
    if any(cell.recipe for cell in cells):
        rows.append(
            _row(r"\quad ours by its recipe, 90\,\%", [_bracketed(c.recipe) for c in cells])
        )
    for index, seed in enumerate(seeds):
        rows.append(
            _row(
                rf"\quad seed {seed}",
                [escape(cell.seeds[index]) if index < len(cell.seeds) else "" for cell in cells],
            )
        )
    for against in found.againsts:
        less = [cell.differences.get(against) for cell in cells]
        rows.append(
            _row(
                rf"\quad less {escape(against)}",
                [_math(d.value) or escape(d.tie) if d else "" for d in less],
            )
        )
        rows.append(
            _row(r"\quad simultaneous", [_bracketed(d.interval) if d else "" for d in less])
        )
    return rows


def _math(number: str) -> str:
    return f"${number}$" if number else ""


def _bracketed(interval: str) -> str:
    """Return an interval; braces keep its bracket from being read as an option of the row before."""
    return f"{{${interval}$}}" if interval else ""


def _row(label: str, texts: list[str]) -> str:
    return " & ".join([label, *texts]) + _END


def claims_table(claims: list[ClaimRow], planned: int) -> str:
    """Return a table of every comparison of every claim in every metric, with its answers.

    `planned` is the number of seeds that the plan has.
    """
    lines = [
        r"{\small",
        r"\begin{longtable}{lp{0.4\linewidth}lllll}",
        r"\caption{Claims of the paper against this run; differences with simultaneous 95\,\% intervals.}"
        + _END,
        r"\toprule",
        _row("", ["", "metric", "ours", "", "published", "holds, agrees"]),
        r"\midrule\endhead",
        r"\bottomrule\endfoot",
    ]
    for claim in claims:
        noted = "; ".join([f"{claim.text} ({claim.evaluation})", *claim.remarks])
        seeds = f"{claim.seeds} seed{'' if planned == 1 else 's'}"
        verdict = rf"\textbf{{holds: {claim.holds}}} ({seeds})" + (
            f"; agrees: {claim.agrees}" if claim.agrees else ""
        )
        lines.append(_row(escape(claim.id), [escape(noted), "", "", "", "", verdict]))
        lines += [_comparison_row(comparison) for comparison in claim.comparisons]
    return "\n".join([*lines, r"\end{longtable}", "}"]) + "\n"


def _comparison_row(row: ComparisonRow) -> str:
    symbols = escape(row.symbols.replace("<=", "\N{LESS-THAN OR EQUAL TO}"))
    texts = [
        rf"\quad {symbols}",
        escape(row.title),
        _math(row.ours.value),
        _bracketed(row.ours.interval),
        _math(row.published),
        ", ".join(text for text in (row.ours.mark, row.agrees) if text),
    ]
    return _row("", texts)
