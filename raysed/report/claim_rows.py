"""The rows of the table of claims as texts: Markdown and LaTeX lay out the same differences and verdicts."""

from dataclasses import dataclass

from raysed.report.table_metrics import TABLE_METRICS, number, signed
from raysed.report.table_rows import DifferenceText, difference_text
from raysed.report.verdicts import JudgedClaim, JudgedComparison
from raysed.run.run_plan import RunPlan


@dataclass(frozen=True)
class ComparisonRow:
    """One comparison of a claim in one metric."""

    symbols: str
    metric: str
    title: str
    ours: DifferenceText
    """Our difference, marked with its verdict."""
    published: str


@dataclass(frozen=True)
class ClaimRow:
    """One claim with its verdict."""

    id: str
    text: str
    evaluation: str
    verdict: str
    seeds: str
    """`5`, or `3 of 5` where some seeds are missing."""
    is_on_one_seed: bool
    """True where a comparison rests on a single seed."""
    remarks: tuple[str, ...]
    comparisons: tuple[ComparisonRow, ...]


def claim_rows(plan: RunPlan, claims: list[JudgedClaim]) -> list[ClaimRow]:
    """Return a row for each claim."""
    return [
        ClaimRow(
            id=claim.id,
            text=claim.text,
            evaluation=claim.evaluation,
            verdict=claim.verdict,
            seeds=_seeds(claim, len(plan.seeds)),
            is_on_one_seed=claim.fewest_seeds == 1,
            remarks=tuple(_remarks(claim)),
            comparisons=tuple(_comparison_row(c) for c in claim.comparisons),
        )
        for claim in claims
    ]


def _seeds(claim: JudgedClaim, planned: int) -> str:
    return str(planned) if claim.seeds == planned else f"{claim.seeds} of {planned}"


def _comparison_row(comparison: JudgedComparison) -> ComparisonRow:
    metric, known = comparison.metric, comparison.published
    return ComparisonRow(
        symbols=comparison.symbols,
        metric=metric,
        title=TABLE_METRICS[metric].column,
        ours=difference_text(comparison.found, comparison.verdict),
        published="" if known is None else signed(known, metric),
    )


def _remarks(claim: JudgedClaim) -> list[str]:
    """Return remarks on comparisons that the paper's own values do not show, and on what is still missing."""
    found = []
    for comparison in claim.comparisons:
        if comparison.published is None or not comparison.remark:
            continue
        metric = comparison.metric
        known = f"{TABLE_METRICS[metric].column.removesuffix(' %')} {signed(comparison.published, metric)}"
        what = f"published {comparison.cell} less {comparison.against}, {known}"
        if comparison.remark == "against":
            found.append(f"{what}, disagrees with the claim")
        else:
            stated = number(comparison.significance or 0.0, metric)
            found.append(f"{what}, is within the stated {stated}: judged as no difference")
    if claim.waiting_for:
        found.append(f"waiting for {', '.join(claim.waiting_for)}")
    return found
