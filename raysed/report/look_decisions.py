"""A look at a run whose seeds grow: which questions are answered, which more seeds may answer, and where those go.

The decision is a function of the stored statistics of the rounds that are complete, and of the looks before.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from raysed.evaluation.intervals.answers import holds, possible
from raysed.evaluation.intervals.looks import (
    HOPELESS,
    AtLook,
    Relation,
    both,
    chance,
    critical_values,
    last_half_C,
    spent,
    still_moves_C,
)
from raysed.evaluation.intervals.seed_noise import NORMAL_95
from raysed.report.contrasts import family
from raysed.report.paired_seeds import CellPair, Measure, family_noise, paired_seeds
from raysed.report.published import SIGNIFICANCE, margin_of, published_difference
from raysed.report.results import Measured
from raysed.run.run_plan import RunPlan
from raysed.run.seed_looks import (
    Look,
    LookedDifference,
    LookedFamily,
    LookedQuestion,
    QuestionState,
    SeedLooks,
)

Key = tuple[str, str, str, str]
"""(cell, against, evaluation set, metric)."""


def next_look(
    plan: RunPlan, measured: Measured, before: SeedLooks, failed: Sequence[str] = ()
) -> Look:
    """Return the look at a run of which every trial of the plan is finished, or is among those that `failed` for good.

    Raises ValueError where the space now asks other questions than at the look before.
    """
    last = before.done[-1] if before.done else None
    seeds = before.planned[len(before.done)]
    at_last = seeds == before.planned[-1]
    families, standings = [], {}
    for evaluation in plan.evaluations:
        for metric in plan.all_metrics:
            found = _Family(plan, measured, (evaluation, metric), before)
            if found.found:
                families.append(found.looked())
                standings |= found.standings(families[-1], seeds)
    asked = [
        q
        for q in questions(plan)
        if _key(q) in standings or (failed and _is_trained(plan, measured, q))
    ]
    if last and [q.asked for q in asked] != [q.asked for q in last.questions]:
        raise ValueError(
            "the space asks other questions (claims, contrasts, metrics) than at the look before, after"
            f" {last.seeds} seeds: its error is spent on those. Ask as before, or give another folder with --run"
        )
    judged = _judged(asked, standings, last, at_last)
    return Look(
        seeds=seeds,
        spent=float(spent(before.planned)[len(before.done)]),
        families=tuple(families),
        questions=tuple(judged),
        further=() if at_last else _further(plan, judged),
        failed=tuple(failed),
    )


def _is_trained(plan: RunPlan, measured: Measured, asked: LookedQuestion) -> bool:
    """Tell whether results of a question can only be missing for trials that failed.

    Another set or metric than its cells have, as a system from elsewhere may lack, is no question.
    """
    for cell in (plan.cell(asked.cell), plan.cell(asked.against)):
        known = cell.predictions and not measured.by_seed(cell.id, asked.evaluation, asked.metric)
        if asked.evaluation not in cell.evaluation or known:
            return False
    return True


def _further(plan: RunPlan, judged: list[LookedQuestion]) -> tuple[str, ...]:
    """Return the trainings behind the questions that are open."""
    cells = {cell for q in judged if q.state == "open" for cell in (q.cell, q.against)}
    return tuple(t.id for t in plan.trainings if cells.intersection(plan.cells_of(t.id)))


def questions(plan: RunPlan) -> Iterator[LookedQuestion]:
    """Yield what the space asks: its contrasts (is it higher or lower?) and the comparisons of its claims."""
    for evaluation in plan.evaluations:
        for metric in plan.all_metrics:
            for pair in plan.contrasts:
                yield _question("", (pair.cell, pair.against), (evaluation, metric), "higher", 0.0)
    for claim in plan.claims:
        for asked in claim.comparisons:
            for evaluation in claim.evaluations:
                for metric in claim.metrics:
                    pair = (asked.cell, asked.against)
                    known = published_difference(plan, pair, evaluation, metric)
                    stated = SIGNIFICANCE.get(evaluation, {}).get(metric)
                    margin = margin_of(asked.expect, metric, known, stated)
                    yield _question(claim.id, pair, (evaluation, metric), asked.expect, margin)


def _question(
    claim: str, pair: CellPair, measure: tuple[str, str], expect: str, margin: float
) -> LookedQuestion:
    return LookedQuestion(
        claim=claim,
        cell=pair[0],
        against=pair[1],
        evaluation=measure[0],
        metric=measure[1],
        expect=expect,
        margin=margin,
        answer="open",
        state="open",
    )


def _key(asked: LookedQuestion) -> Key:
    return asked.cell, asked.against, asked.evaluation, asked.metric


def _judged(
    asked: list[LookedQuestion],
    standings: dict[Key, AtLook],
    last: Look | None,
    at_last: bool,
) -> list[LookedQuestion]:
    """Return the questions with their answers and states."""
    answers = [
        holds(*standings[_key(q)].interval, q.expect, q.margin) if _key(q) in standings else "open"
        for q in asked
    ]
    denied = {q.claim for q, answer in zip(asked, answers, strict=True) if answer == "no"} - {""}
    judged = []
    for place, (q, answer) in enumerate(zip(asked, answers, strict=True)):
        state: QuestionState = "open"
        found = None
        given_up = last is not None and last.questions[place].state == "hopeless"
        if answer != "open":
            state = "decided"
        elif q.claim in denied:
            state = "not needed"
        elif _key(q) not in standings:
            state = "failed"
        elif not at_last:
            found = chance(Relation(q.expect, q.margin), standings[_key(q)])
            state = "hopeless" if given_up or found < HOPELESS else "open"
        elif given_up:
            state = "hopeless"
        judged.append(q.model_copy(update={"answer": answer, "state": state, "chance": found}))
    return judged


class _Family:
    """The differences on one evaluation set in one metric, read from what is stored."""

    def __init__(
        self, plan: RunPlan, measured: Measured, measure: Measure, before: SeedLooks
    ) -> None:
        self.measure, self.looks, self.before = measure, before.planned, before.done
        compared = (paired_seeds(measured, pair, measure) for pair in family(plan, *measure))
        self.found = [each for each in compared if each]
        if not self.found:
            return
        try:
            self.noise, pairs = family_noise(plan, measured, measure, self.found)
        except ValueError:  # no training has two seeds here, the others have failed
            self.found = []
            return
        passed = [
            each.critical
            for look in self.before
            for each in look.families
            if (each.evaluation, each.metric) == measure
        ]
        self.critical_L = critical_values(self.noise, pairs, self.looks, passed)

    def looked(self) -> LookedFamily:
        """Return the differences over the seeds that are there; those that got none since the last look stay as they were."""
        number = len(self.before)
        before = self._before()
        seeds_C = np.array([len(each.seeds) for each in self.found])
        halves = [self.noise.half_C(seeds_C, c) for c in (self.critical_L[number], NORMAL_95)]
        found = []
        for place, each in enumerate(self.found):
            old = before.get(each.pair)
            if old is not None and len(each.seeds) == old.seeds:
                found.append(old)
                continue
            value = float(each.value_S.mean())
            ends = tuple(possible(value - half[place], value + half[place]) for half in halves)
            together = both((old.low, old.high), ends[0]) if old else ends[0]
            found.append(
                LookedDifference(
                    cell=each.pair[0],
                    against=each.pair[1],
                    seeds=len(each.seeds),
                    seed_numbers=each.seeds,
                    difference=value,
                    low=together[0],
                    high=together[1],
                    alone_low=ends[1][0],
                    alone_high=ends[1][1],
                )
            )
        return LookedFamily(
            evaluation=self.measure[0],
            metric=self.measure[1],
            critical=float(self.critical_L[number]),
            differences=tuple(found),
        )

    def standings(self, looked: LookedFamily, seeds: int) -> dict[Key, AtLook]:
        """Return each difference with what its last interval may be."""
        last = self.looks[-1]
        half_C = last_half_C(self.noise, seeds, last, float(self.critical_L[-1]))
        moves_C = still_moves_C(self.noise, seeds, last)
        return {
            (each.cell, each.against, *self.measure): AtLook(
                each.difference, (each.low, each.high), float(half), float(moves)
            )
            for each, half, moves in zip(looked.differences, half_C, moves_C, strict=True)
        }

    def _before(self) -> dict[CellPair, LookedDifference]:
        return {
            (each.cell, each.against): each
            for look in self.before[-1:]
            for of in look.families
            if (of.evaluation, of.metric) == self.measure
            for each in of.differences
        }
