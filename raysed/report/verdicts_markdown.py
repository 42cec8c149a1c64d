"""The verdicts on the paper's claims as a Markdown table: a row for each comparison, then the claims' texts."""

from collections.abc import Iterable

from raysed.report.claim_rows import ClaimRow, ComparisonRow
from raysed.report.markdown import aligned, without_empty_columns
from raysed.report.table_metrics import TABLE_METRICS, number
from raysed.report.table_rows import spaced
from raysed.report.verdicts import CONTRADICTED, REPRODUCED, UNDECIDED, WAITING

ANSWERS = {REPRODUCED: "yes", CONTRADICTED: "no", UNDECIDED: "open", WAITING: "waiting"}


def claims_lines(claims: list[ClaimRow], job: str | None) -> list[str]:
    """Return summary, table and notes; nothing for a space without claims. `job` names the data."""
    if not claims:
        return []
    counts = {word: sum(claim.verdict == word for claim in claims) for word in ANSWERS}
    data = f" (job {job})" if job else ""
    metrics = dict.fromkeys(row.metric for claim in claims for row in claim.comparisons)
    heads = [
        (f"{TABLE_METRICS[metric].column} less [simultaneous 95 %]", "published")
        for metric in metrics
    ]
    rows = [["claim", "verdict", "seeds", "comparison", *(head for pair in heads for head in pair)]]
    for claim in claims:
        about = [claim.id, claim.verdict, claim.seeds]
        for symbols in dict.fromkeys(row.symbols for row in claim.comparisons):
            of = {row.metric: row for row in claim.comparisons if row.symbols == symbols}
            found = [text for metric in metrics for text in _metric_texts(of.get(metric))]
            rows.append([*about, symbols, *found])
            about = ["", "", ""]
    return [
        f"Claims: {', '.join(f'{count} {word}' for word, count in counts.items() if count)}",
        "",
        *aligned(without_empty_columns(rows)),
        "",
        *(line for claim in claims for line in _notes(claim)),
        "",
        f"The verdicts are about the data{data} and seeds of this run. A claim is reproduced if all its comparisons",
        "are (yes), contradicted if any is (no). What the paper calls no difference, and <=, is judged within"
        f" {_margins(metrics)}.",
        *_one_seed(claims),
        "",
    ]


def _margins(metrics: Iterable[str]) -> str:
    """Return the margins of the metrics that are claimed: `2.4 points and 0.030`, each once."""
    found = dict.fromkeys(
        number(TABLE_METRICS[metric].margin, metric)
        + (" points" if TABLE_METRICS[metric].scale == 100 else "")
        for metric in metrics
    )
    return " and ".join(found)


def _one_seed(claims: list[ClaimRow]) -> list[str]:
    alone = [claim.id for claim in claims if claim.is_on_one_seed]
    return [f"Judged on one seed: {', '.join(alone)}; other seeds may differ."] if alone else []


def _notes(claim: ClaimRow) -> list[str]:
    where = f" ({claim.evaluation})"
    return [
        f"{claim.id}{where}: {claim.text}",
        *(f"    {remark}" for remark in claim.remarks),
    ]


def _metric_texts(row: ComparisonRow | None) -> tuple[str, str]:
    """Return our difference with its answer, and the published difference."""
    if row is None:
        return "", ""
    return spaced(row.ours.value, row.ours.interval, ANSWERS[row.ours.mark]), row.published
