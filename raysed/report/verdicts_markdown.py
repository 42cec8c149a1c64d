"""The verdicts on the paper's claims as a Markdown table: a row for each comparison, then the claims' texts."""

from raysed.report.claim_rows import ClaimRow, ComparisonRow
from raysed.report.markdown import aligned, without_empty_columns
from raysed.report.table_metrics import TABLE_METRICS, number
from raysed.report.table_rows import spaced
from raysed.report.verdicts import CONTRADICTED, MARGIN, REPRODUCED, UNDECIDED, WAITING

ANSWERS = {REPRODUCED: "yes", CONTRADICTED: "no", UNDECIDED: "open", WAITING: "waiting"}


def claims_lines(claims: list[ClaimRow], job: str | None) -> list[str]:
    """Return summary, table and notes; nothing for a space without claims. `job` names the data."""
    if not claims:
        return []
    counts = {word: sum(claim.verdict == word for claim in claims) for word in ANSWERS}
    data = f" (job {job})" if job else ""
    heads = [
        (f"{metric.title} less [simultaneous 95 %]", "published")
        for metric in TABLE_METRICS.values()
    ]
    rows = [["claim", "verdict", "seeds", "comparison", *(head for pair in heads for head in pair)]]
    for claim in claims:
        about = [claim.id, claim.verdict, claim.seeds]
        for symbols in dict.fromkeys(row.symbols for row in claim.comparisons):
            of = {row.metric: row for row in claim.comparisons if row.symbols == symbols}
            found = [text for metric in TABLE_METRICS for text in _metric_texts(of.get(metric))]
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
        f" {number(MARGIN['event_f1'], 'event_f1')} points and {number(MARGIN['psds'], 'psds')}.",
        *_one_seed(claims),
        "",
    ]


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
