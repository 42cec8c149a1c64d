"""The rows of the table of claims as texts: Markdown and LaTeX lay out the same differences and answers."""

from dataclasses import dataclass

from raysed.evaluation.intervals.significance import FEW_SEEDS
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
    """Our difference, marked with whether the sentence holds."""
    published: str
    agrees: str
    """The answer to whether our difference is the published one; empty where there is none."""
    rule: str
    """The rule that the sentence is judged by."""


@dataclass(frozen=True)
class ClaimRow:
    """One claim with its two answers."""

    id: str
    text: str
    evaluation: str
    holds: str
    agrees: str
    seeds: str
    """`5`, or `3 of 5` where some seeds are missing."""
    is_on_one_seed: bool
    """True where a comparison rests on a single seed."""
    is_on_few_seeds: bool
    """True where a comparison has no interval over other seeds."""
    remarks: tuple[str, ...]
    comparisons: tuple[ComparisonRow, ...]


def claim_rows(plan: RunPlan, claims: list[JudgedClaim]) -> list[ClaimRow]:
    """Return a row for each claim."""
    return [
        ClaimRow(
            id=claim.id,
            text=claim.text,
            evaluation=claim.evaluation,
            holds=claim.holds,
            agrees=claim.agrees,
            seeds=str(claim.seeds) if plan.looks else _seeds(claim, len(plan.seeds)),
            is_on_one_seed=claim.fewest_seeds == 1,
            is_on_few_seeds=not plan.looks and 1 < claim.fewest_seeds <= FEW_SEEDS,
            remarks=tuple(_remarks(claim)),
            comparisons=tuple(
                _comparison_row(c, several=", " in claim.evaluation) for c in claim.comparisons
            ),
        )
        for claim in claims
    ]


def _seeds(claim: JudgedClaim, planned: int) -> str:
    return str(planned) if claim.seeds == planned else f"{claim.seeds} of {planned}"


def _symbols(comparison: JudgedComparison, several: bool) -> str:
    """Return the comparison in symbols, with its evaluation set where the claim has several."""
    return f"{comparison.symbols} ({comparison.evaluation})" if several else comparison.symbols


def _comparison_row(comparison: JudgedComparison, several: bool) -> ComparisonRow:
    metric, known = comparison.metric, comparison.published
    return ComparisonRow(
        symbols=_symbols(comparison, several),
        metric=metric,
        title=TABLE_METRICS[metric].column,
        ours=difference_text(comparison.found, comparison.holds),
        published="" if known is None else signed(known, metric),
        agrees=comparison.agrees,
        rule=comparison.rule,
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
            found.append(
                f"{what}, is within the stated {stated}: the paper itself does not show it"
            )
    if claim.waiting_for:
        found.append(f"waiting for {', '.join(claim.waiting_for)}")
    return found
