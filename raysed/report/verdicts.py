"""The paper's claims in this run: for each comparison, does the sentence hold, and do the numbers agree?

* Whether the sentence holds is judged by its claimed relation and the simultaneous interval of the difference alone
  (raysed.evaluation.intervals.answers.holds), whatever the published numbers show.
* Whether the numbers agree is judged by equivalence: the published values were measured on these clips, so that two
  runs differ by their seeds, and the interval over seeds has to lie within the margin of the published difference.

A claim holds if all its comparisons do, and does not if any does not; the same for agreement.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from raysed.config.table import Comparison
from raysed.evaluation.intervals.answers import agrees, holds
from raysed.report.contrasts import ContrastValue
from raysed.report.published import SIGNIFICANCE, margin_of, published_difference
from raysed.report.results import Measured
from raysed.report.table_metrics import TABLE_METRICS, number
from raysed.run.run_plan import RunPlan

SYMBOLS = {
    "higher": ">",
    "lower": "<",
    "far_higher": ">>",
    "far_lower": "<<",
    "equal": "=",
    "not_higher": "<=",
}
YES, NO, OPEN, WAITING = "yes", "no", "open", "waiting"
NOTHING = ""
"""The answer to whether numbers agree where the paper has none."""
VERDICTS = {YES: "reproduced", NO: "contradicted", OPEN: "undecided", WAITING: "waiting"}
"""The words of a verdict on a sentence, as CSV and JSON have them beside its answer."""


@dataclass(frozen=True)
class JudgedComparison:
    """One pair of cells on one evaluation set in one metric; fractions."""

    cell: str
    against: str
    evaluation: str
    metric: str
    expect: str
    """The claimed relation: a key of SYMBOLS."""
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
    def margin(self) -> float:
        """Return the difference that does not count."""
        return margin_of(self.expect, self.metric, self.published, self.significance)

    @property
    def rule(self) -> str:
        """Return the rule that the sentence is judged by, for people."""
        margin = number(self.margin, self.metric)
        return {
            "higher": "all of the interval above 0",
            "lower": "all of the interval below 0",
            "far_higher": f"all of the interval above {margin}",
            "far_lower": f"all of the interval below -{margin}",
            "equal": f"all of the interval within {margin} of 0",
            "not_higher": f"all of the interval at most {margin}",
        }[self.expect]

    @property
    def holds(self) -> str:
        """Return yes, no, open or waiting: does the sentence hold?"""
        if self.found is None:
            return WAITING
        low, high = self.found.simultaneous_low, self.found.simultaneous_high
        return holds(low, high, self.expect, self.margin)

    @property
    def agrees(self) -> str:
        """Return yes, no, open, waiting or nothing: is the difference the published one?"""
        if self.published is None:
            return NOTHING
        return WAITING if self.found is None else agreement(self.found, self.published)

    @property
    def remark(self) -> str:
        """Return "against" or "insignificant" where the published values do not support the claim, else an
        empty text.
        """
        if self.published is None or self.significance is None:
            return ""
        # Published values have four digits; digits beyond are binary rounding.
        if round(abs(self.published), 6) <= self.significance:
            return "" if self.expect in ("equal", "not_higher") else "insignificant"
        shown = "higher" if self.published > 0 else "lower"
        supports = self.expect.removeprefix("far_") == shown
        supports |= (self.expect, shown) == ("not_higher", "lower")
        return "" if supports else "against"

    def as_row(self) -> dict[str, Any]:
        """Return a row for CSV or JSON."""
        keys = (
            *("difference", "simultaneous_low", "simultaneous_high", "about"),
            *("seeds_low", "seeds_high", "p", "seeds", "trials", "tie"),
        )
        found = self.found.as_row() if self.found else {}
        return {
            "cell": self.cell,
            "against": self.against,
            "evaluation": self.evaluation,
            "metric": self.metric,
            "expect": self.expect,
            "rule": self.rule,
            "margin": self.margin,
            "holds": self.holds,
            "verdict": VERDICTS[self.holds],
            "agrees": self.agrees,
            "agreement_margin": TABLE_METRICS[self.metric].margin,
            **{key: found.get(key) for key in keys},
            "published": self.published,
            "remark": self.remark,
            "waiting_for": list(self.waiting_for),
        }


@dataclass(frozen=True)
class JudgedClaim:
    """One claim of the paper with its two answers."""

    id: str
    text: str
    evaluation: str
    """Its evaluation sets, joined by commas."""
    comparisons: tuple[JudgedComparison, ...]

    @property
    def holds(self) -> str:
        """Return yes, no, open or waiting: does the sentence hold?"""
        return _of_all(comparison.holds for comparison in self.comparisons)

    @property
    def agrees(self) -> str:
        """Return yes, no, open, waiting or nothing: do the numbers agree with the published ones?"""
        return _of_all(comparison.agrees for comparison in self.comparisons)

    @property
    def verdict(self) -> str:
        """Return the word for `holds`: reproduced, contradicted, undecided or waiting."""
        return VERDICTS[self.holds]

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
            "holds": self.holds,
            "verdict": self.verdict,
            "agrees": self.agrees,
            "seeds": self.seeds,
            "waiting_for": self.waiting_for,
            "comparisons": [comparison.as_row() for comparison in self.comparisons],
        }


def _of_all(answers: Iterable[str]) -> str:
    """Return the answer that several comparisons give together: no if any does, yes if all do."""
    found = [answer for answer in answers if answer != NOTHING]
    for decisive in (NO, WAITING, OPEN):
        if decisive in found:
            return decisive
    return YES if found else NOTHING


def judge(plan: RunPlan, measured: Measured, contrasts: list[ContrastValue]) -> list[JudgedClaim]:
    """Judge every claim of the plan."""
    found = {(c.cell, c.against, c.evaluation, c.metric): c for c in contrasts}
    claims = []
    for claim in plan.claims:
        comparisons = [
            _judged(plan, measured, asked, (evaluation, metric), found)
            for asked in claim.comparisons
            for evaluation in claim.evaluations
            for metric in claim.metrics
        ]
        sets = ", ".join(claim.evaluations)
        claims.append(JudgedClaim(claim.id, claim.text, sets, tuple(comparisons)))
    return claims


def _judged(
    plan: RunPlan,
    measured: Measured,
    asked: Comparison,
    measure: tuple[str, str],
    found: dict[tuple[str, str, str, str], ContrastValue],
) -> JudgedComparison:
    """Return one comparison of a claim on one evaluation set in one metric, the two of `measure`."""
    pair, (evaluation, metric) = (asked.cell, asked.against), measure
    value = found.get((*pair, *measure))
    empty = tuple(cell for cell in pair if not measured.by_seed(cell, evaluation, metric))
    return JudgedComparison(
        cell=pair[0],
        against=pair[1],
        evaluation=evaluation,
        metric=metric,
        expect=asked.expect,
        published=published_difference(plan, pair, evaluation, metric),
        significance=SIGNIFICANCE.get(evaluation, {}).get(metric),
        found=value,
        waiting_for=() if value else empty or pair,
    )


def agreement(found: ContrastValue, published: float) -> str:
    """Return yes, no or open: is our difference the published one, up to the metric's margin?"""
    if np.isnan(found.seeds_low):
        return OPEN
    margin = TABLE_METRICS[found.metric].margin
    return agrees(found.seeds_low, found.seeds_high, published, margin)


def published_answers(
    plan: RunPlan, found: ContrastValue
) -> tuple[float | None, str | None, str | None]:
    """Return the published difference of a contrast, whether ours has its sign, and whether it agrees.

    All are None where the paper has no value of one of the cells.
    """
    known = published_difference(plan, (found.cell, found.against), found.evaluation, found.metric)
    if known is None:
        return None, None, None
    expect = "equal" if known == 0 else "higher" if known > 0 else "lower"
    low, high = found.simultaneous_low, found.simultaneous_high
    sign = holds(low, high, expect, TABLE_METRICS[found.metric].margin)
    return known, found.tie or VERDICTS[sign], agreement(found, known)
