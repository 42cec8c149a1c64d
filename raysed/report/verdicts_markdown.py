"""The verdicts on the paper's claims as a Markdown table: a row for each comparison, then the claims' texts."""

from raysed.report.markdown import aligned, without_empty_columns
from raysed.report.shown import TABLE_METRICS, number, signed, signed_interval
from raysed.report.verdicts import (
    CONTRADICTED,
    MARGIN,
    REPRODUCED,
    UNDECIDED,
    WAITING,
    JudgedClaim,
    JudgedComparison,
)
from raysed.run.run_plan import RunPlan

ANSWERS = {REPRODUCED: "yes", CONTRADICTED: "no", UNDECIDED: "open", WAITING: "waiting"}


def claims_lines(plan: RunPlan, claims: list[JudgedClaim]) -> list[str]:
    """Return summary, table and notes; nothing for a space without claims."""
    if not claims:
        return []
    counts = {word: sum(claim.verdict == word for claim in claims) for word in ANSWERS}
    job = f" (job {plan.job})" if plan.job else ""
    heads = [
        (f"{TABLE_METRICS[metric].title} less [simultaneous 95 %]", "published")
        for metric in TABLE_METRICS
    ]
    rows = [["claim", "verdict", "seeds", "comparison", *(head for pair in heads for head in pair)]]
    for claim in claims:
        pairs = dict.fromkeys((c.cell, c.against) for c in claim.comparisons)
        for index, pair in enumerate(pairs):
            of = {c.metric: c for c in claim.comparisons if (c.cell, c.against) == pair}
            about = (
                [claim.id, claim.verdict, seed_count_text(claim, plan)] if index == 0 else [""] * 3
            )
            found = [text for m in TABLE_METRICS for text in _metric_texts(of.get(m))]
            rows.append([*about, next(iter(of.values())).symbols, *found])
    return [
        f"Claims: {', '.join(f'{count} {word}' for word, count in counts.items() if count)}",
        "",
        *aligned(without_empty_columns(rows)),
        "",
        *(line for claim in claims for line in _notes(claim)),
        "",
        f"The verdicts are about the data{job} and seeds of this run. A claim is reproduced if all its comparisons",
        "are (yes), contradicted if any is (no). What the paper calls no difference, and <=, is judged within"
        f" {number(MARGIN['event_f1'], 'event_f1')} points and {number(MARGIN['psds'], 'psds')}.",
        *_one_seed(claims),
        "",
    ]


def _one_seed(claims: list[JudgedClaim]) -> list[str]:
    alone = [claim.id for claim in claims if claim.fewest_seeds == 1]
    return [f"Judged on one seed: {', '.join(alone)}; other seeds may differ."] if alone else []


def seed_count_text(claim: JudgedClaim, plan: RunPlan) -> str:
    """Return `5`, or `3 of 5` where some seeds are missing."""
    planned = len(plan.seeds)
    return str(planned) if claim.seeds == planned else f"{claim.seeds} of {planned}"


def remarks(claim: JudgedClaim) -> list[str]:
    """Return notes on claims that the paper's own values do not show, and on what is still missing."""
    found = []
    for comparison in claim.comparisons:
        if comparison.published is None or not comparison.remark:
            continue
        metric = comparison.metric
        known = f"{TABLE_METRICS[metric].title.removesuffix(' %')} {signed(comparison.published, metric)}"
        what = f"published {comparison.cell} less {comparison.against}, {known}"
        if comparison.remark == "against":
            found.append(f"{what}, disagrees with the claim")
        else:
            stated = number(comparison.significance or 0.0, metric)
            found.append(f"{what}, is within the stated {stated}: judged as no difference")
    if claim.waiting_for:
        found.append(f"waiting for {', '.join(claim.waiting_for)}")
    return found


def _notes(claim: JudgedClaim) -> list[str]:
    where = f" ({claim.evaluation})"
    return [f"{claim.id}{where}: {claim.text}", *(f"    {remark}" for remark in remarks(claim))]


def _metric_texts(comparison: JudgedComparison | None) -> tuple[str, str]:
    """Return our difference with its answer, and the published difference."""
    if comparison is None:
        return "", ""
    metric, found = comparison.metric, comparison.found
    known = "" if comparison.published is None else signed(comparison.published, metric)
    answer = ANSWERS[comparison.verdict]
    if found is None:
        return answer, known
    ends = signed_interval(found.simultaneous_low, found.simultaneous_high, metric)
    return f"{signed(found.difference, metric)} {ends} {answer}", known
