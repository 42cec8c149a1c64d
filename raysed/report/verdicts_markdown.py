"""The verdicts on the paper's claims as a Markdown table: a row for each comparison, then the claims' texts."""

from collections.abc import Iterable

from raysed.report.claim_rows import ClaimRow, ComparisonRow
from raysed.report.markdown import aligned, without_empty_columns
from raysed.report.table_metrics import TABLE_METRICS, number
from raysed.report.table_rows import spaced
from raysed.report.verdicts import NO, OPEN, WAITING, YES

ANSWERS = (YES, NO, OPEN, WAITING)


def claims_lines(claims: list[ClaimRow], job: str | None) -> list[str]:
    """Return summary, table and notes; nothing for a space without claims. `job` names the data."""
    if not claims:
        return []
    data = f" (job {job})" if job else ""
    metrics = dict.fromkeys(row.metric for claim in claims for row in claim.comparisons)
    heads = [
        (f"{TABLE_METRICS[metric].column} less [simultaneous 95 %]", "published, agrees")
        for metric in metrics
    ]
    flat = (head for pair in heads for head in pair)
    rows = [["claim", "holds", "agrees", "seeds", "comparison", *flat]]
    for claim in claims:
        about = [claim.id, claim.holds, claim.agrees, claim.seeds]
        for symbols in dict.fromkeys(row.symbols for row in claim.comparisons):
            of = {row.metric: row for row in claim.comparisons if row.symbols == symbols}
            found = [text for metric in metrics for text in _metric_texts(of.get(metric))]
            rows.append([*about, symbols, *found])
            about = ["", "", "", ""]
    return [
        f"Claims: the sentence holds: {_counted(claim.holds for claim in claims)};"
        f" the numbers agree: {_counted(claim.agrees for claim in claims)}",
        "",
        *aligned(without_empty_columns(rows)),
        "",
        *(line for claim in claims for line in _notes(claim)),
        "",
        f"The answers are about the data{data} and seeds of this run. A claim holds if all its comparisons do (yes), and",
        "does not if any does not (no), by simultaneous intervals: > and < beyond 0, >> and << beyond the margin,",
        f"<= up to the margin, which is {_margins(metrics)}, or what the paper itself calls nothing if that is more.",
        "Numbers agree where the interval of our difference over seeds, on these clips, lies within the margin of the",
        "published difference.",
        *_few_seeds(claims),
        "",
    ]


def _counted(answers: Iterable[str]) -> str:
    """Return how often each answer is given: `6 yes, 1 no, 10 open`."""
    found = list(answers)
    words = [f"{found.count(word)} {word}" for word in ANSWERS if word in found]
    return ", ".join(words) or "nothing published"


def _margins(metrics: Iterable[str]) -> str:
    """Return the margins of the metrics that are claimed: `2.4 points and 0.030`, each once."""
    found = dict.fromkeys(
        number(TABLE_METRICS[metric].margin, metric)
        + (" points" if TABLE_METRICS[metric].scale == 100 else "")
        for metric in metrics
    )
    return " and ".join(found)


def _few_seeds(claims: list[ClaimRow]) -> list[str]:
    """Say which claims are about the trained models alone."""
    alone = [claim.id for claim in claims if claim.is_on_one_seed]
    few = [claim.id for claim in claims if claim.is_on_few_seeds]
    lines = [f"Judged on one seed: {', '.join(alone)}; other seeds may differ."] if alone else []
    if few:
        lines.append(
            f"Judged on two or three seeds: {', '.join(few)}; what holds for these trained models need not hold for"
            " other seeds."
        )
    return lines


def _notes(claim: ClaimRow) -> list[str]:
    where = f" ({claim.evaluation})"
    return [
        f"{claim.id}{where}: {claim.text}",
        *(f"    {remark}" for remark in claim.remarks),
    ]


def _metric_texts(row: ComparisonRow | None) -> tuple[str, str]:
    """Return our difference with its answer, and the published difference with whether ours agrees."""
    if row is None:
        return "", ""
    ours = spaced(row.ours.value, row.ours.interval, row.ours.mark)
    return ours, ", ".join(text for text in (row.published, row.agrees) if text)
