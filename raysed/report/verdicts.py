"""Verdicts on the paper's claims in this run, from simultaneous intervals alone.

A comparison is judged on each of its claim's metrics by one of four rules:
* higher, lower: reproduced where the interval excludes 0 with that sign, contradicted with the other;
* equal: reproduced where the interval lies within the margin on both sides, contradicted where all of it
  lies beyond on one side. It also judges a "higher" or "lower" whose published difference is not larger
  than the significance that the paper states: the paper itself then shows no difference;
* not_higher: reproduced where the whole interval is at most the margin (non-superiority), else
  contradicted where all of it is above 0.
A claim is reproduced if all its comparisons are, and contradicted if any is.
"""

from dataclasses import dataclass
from typing import Any

from raysed.evaluation.intervals.significance import not_higher, verdict
from raysed.report.contrasts import CellPair, ContrastValue
from raysed.report.results import Measured
from raysed.report.table_metrics import TABLE_METRICS
from raysed.run.run_plan import RunPlan

SIGNIFICANCE = {
    "val": {"event_f1": 0.012, "psds": 0.015},
    "eval": {"event_f1": 0.013, "psds": 0.018},
}
"""The significance that the paper states (half its published intervals), by evaluation set and metric."""

SIGNS = {"higher": 1, "lower": -1, "equal": 0}
SYMBOLS = {"higher": ">", "lower": "<", "equal": "=", "not_higher": "<="}
REPRODUCED, CONTRADICTED, UNDECIDED, WAITING = (
    "reproduced",
    "contradicted",
    "undecided",
    "waiting",
)


@dataclass(frozen=True)
class JudgedComparison:
    """One pair of cells in one metric; fractions."""

    cell: str
    against: str
    metric: str
    expect: str
    """The claimed relation: higher, lower, not_higher or equal."""
    rule: str
    """The rule that judges it: `expect`, or equal where the published difference is not significant."""
    published: float | None
    """The paper's difference, where it has both values."""
    significance: float | None
    found: ContrastValue | None
    waiting_for: tuple[str, ...]

    @property
    def symbols(self) -> str:
        """Return the comparison in symbols: `B > T1-SW`."""
        return f"{self.cell} {SYMBOLS[self.expect]} {self.against}"

    @property
    def verdict(self) -> str:
        """Return reproduced, contradicted, undecided or waiting."""
        if self.found is None:
            return WAITING
        return _verdict(self.found, self.rule, self.metric)

    @property
    def remark(self) -> str:
        """Return "against" or "insignificant" where the published values do not support the claim, else an
        empty text.
        """
        if self.published is None or self.significance is None:
            return ""
        if _within(self.published, self.significance):
            return "insignificant" if self.rule != self.expect else ""
        shown = "higher" if self.published > 0 else "lower"
        agrees = shown == self.expect or (self.expect, shown) == ("not_higher", "lower")
        return "" if agrees else "against"

    def as_row(self) -> dict[str, Any]:
        """Return a row for CSV or JSON."""
        keys = ("difference", "simultaneous_low", "simultaneous_high", "p", "seeds", "trials")
        found = self.found.as_row() if self.found else {}
        return {
            "cell": self.cell,
            "against": self.against,
            "metric": self.metric,
            "expect": self.expect,
            "rule": self.rule,
            "margin": TABLE_METRICS[self.metric].margin
            if self.rule in ("equal", "not_higher")
            else None,
            "verdict": self.verdict,
            **{key: found.get(key) for key in keys},
            "published": self.published,
            "remark": self.remark,
            "waiting_for": list(self.waiting_for),
        }


@dataclass(frozen=True)
class JudgedClaim:
    """One claim of the paper and its verdict."""

    id: str
    text: str
    evaluation: str
    comparisons: tuple[JudgedComparison, ...]

    @property
    def verdict(self) -> str:
        """Return reproduced, contradicted, undecided or waiting: see the module."""
        found = [comparison.verdict for comparison in self.comparisons]
        for decisive in (CONTRADICTED, WAITING, UNDECIDED):
            if decisive in found:
                return decisive
        return REPRODUCED

    @property
    def waiting_for(self) -> list[str]:
        """Return the cells without the results that an open comparison needs."""
        return list(dict.fromkeys(cell for c in self.comparisons for cell in c.waiting_for))

    @property
    def seeds(self) -> int:
        """Return the fewest seeds behind any of its comparisons, 0 where one is waiting."""
        return min(len(c.found.seeds) if c.found else 0 for c in self.comparisons)

    @property
    def fewest_seeds(self) -> int:
        """Return the fewest seeds behind the comparisons that are there, 0 without any."""
        return min((len(c.found.seeds) for c in self.comparisons if c.found), default=0)

    def as_json(self) -> dict[str, Any]:
        """Return the claim as JSON, with its comparisons as rows."""
        return {
            "id": self.id,
            "text": self.text,
            "evaluation": self.evaluation,
            "verdict": self.verdict,
            "seeds": self.seeds,
            "waiting_for": self.waiting_for,
            "comparisons": [comparison.as_row() for comparison in self.comparisons],
        }


def judge(plan: RunPlan, measured: Measured, contrasts: list[ContrastValue]) -> list[JudgedClaim]:
    """Judge every claim of the plan."""
    found = {(c.cell, c.against, c.evaluation, c.metric): c for c in contrasts}
    claims = []
    for claim in plan.claims:
        evaluation, comparisons = claim.evaluation, []
        for asked in claim.comparisons:
            pair = (asked.cell, asked.against)
            for metric in claim.metrics:
                empty = tuple(c for c in pair if not measured.by_seed(c, evaluation, metric))
                value = found.get((*pair, evaluation, metric))
                known = _published_difference(plan, pair, evaluation, metric)
                significance = SIGNIFICANCE.get(evaluation, {}).get(metric)
                comparisons.append(
                    JudgedComparison(
                        cell=pair[0],
                        against=pair[1],
                        metric=metric,
                        expect=asked.expect,
                        rule=_rule(asked.expect, known, significance),
                        published=known,
                        significance=significance,
                        found=value,
                        waiting_for=() if value else empty or pair,
                    )
                )
        claims.append(JudgedClaim(claim.id, claim.text, evaluation, tuple(comparisons)))
    return claims


def published_verdict(plan: RunPlan, found: ContrastValue) -> tuple[float | None, str | None]:
    """Return the published difference of a contrast and the verdict on it, as if the paper claimed it.

    Both are None where the paper has no value of one of the cells.
    """
    pair = (found.cell, found.against)
    known = _published_difference(plan, pair, found.evaluation, found.metric)
    if known is None:
        return None, None
    expect = "equal" if known == 0 else "higher" if known > 0 else "lower"
    significance = SIGNIFICANCE.get(found.evaluation, {}).get(found.metric)
    return known, _verdict(found, _rule(expect, known, significance), found.metric)


def _published_difference(
    plan: RunPlan, pair: CellPair, evaluation: str, metric: str
) -> float | None:
    a, b = (plan.cell(cell).published_value(evaluation, metric) for cell in pair)
    return None if a is None or b is None else round(a - b, 6)


def _verdict(found: ContrastValue, rule: str, metric: str) -> str:
    low, high, margin = (
        found.simultaneous_low,
        found.simultaneous_high,
        TABLE_METRICS[metric].margin,
    )
    return (
        not_higher(low, high, margin)
        if rule == "not_higher"
        else verdict(low, high, SIGNS[rule], margin)
    )


def _rule(expect: str, known: float | None, significance: float | None) -> str:
    if expect == "not_higher" or known is None or significance is None:
        return expect
    return "equal" if _within(known, significance) else expect


def _within(difference: float, significance: float) -> bool:
    """Tell whether a published difference is not significant. Published values have four digits; digits
    beyond are binary rounding.
    """
    return round(abs(difference), 6) <= significance
