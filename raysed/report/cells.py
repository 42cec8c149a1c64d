"""The values of the tables: one metric of one cell on one evaluation set, with what is still missing."""

from dataclasses import dataclass, replace
from typing import Any

from raysed.evaluation.intervals.significance import FEW_SEEDS, mean_value
from raysed.report.contrasts import about_given, about_of
from raysed.report.results import Measured, Result
from raysed.run.folders import external_folder, trial_name
from raysed.run.run_plan import PlannedCell, RunPlan
from raysed.run.trial_state import Standing

OF_THIS_SIZE = "other sets of as many"
"""The beginning of an interval's subject where draws were moved to the value (`interval_ends`)."""
_OWN_PLACE = ("trials", "recipe", "about")
"""The fields that stand elsewhere in a row."""


@dataclass(frozen=True)
class CellValue:
    """The mean over the finished seeds, as fractions. A cell without a finished seed has no value."""

    table: str
    cell: str
    column: str
    training: str
    xvalid: str
    evaluation: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    """`low` and `high` are the ends of the 95 % interval that `about` describes."""
    seed_values: tuple[float | None, ...]
    """One value for each seed that it is to have, None where its trial has no result."""
    trials: tuple[Standing, ...]
    """The trial of each of these seeds."""
    published: float | None
    untrained: int = 0
    """The number of its seeds whose x-valid F1 was 0 after every epoch."""
    about: str = ""
    """The subject of the interval; empty without a value."""
    recipe: tuple[float, float, float] | None = None
    """Our mean and ends of the 90 % interval by the paper's own recipe: like with like beside `published`."""

    @property
    def seeds(self) -> int:
        """Return the number of seeds that have a value."""
        return sum(value is not None for value in self.seed_values)

    @property
    def is_external(self) -> bool:
        """Tell whether it is a system from elsewhere, which has no seeds: its one value stands under the first."""
        return not self.xvalid

    def as_row(self) -> dict[str, Any]:
        """Return a row for CSV or JSON, traceable to the trials' folders."""
        kept = {key: value for key, value in vars(self).items() if key not in _OWN_PLACE}
        ends = self.recipe or (None, None, None)
        kept |= dict(zip(("recipe", "recipe_low", "recipe_high"), ends, strict=True))
        return kept | {
            "seeds": self.seeds,
            "about": self.about,
            "seed_values": list(self.seed_values),
            "states": [trial.state for trial in self.trials],
            "trials": [trial.name for trial in self.trials],
        }


def cell_values(
    plan: RunPlan, measured: Measured, trials: dict[str, Standing], *, recipes: bool = False
) -> list[CellValue]:
    """Return the values of every cell, evaluation set and metric of the plan, in its order; by the paper's recipe too
    where there is a published value, or everywhere with `recipes`.
    """
    values = [
        _cell_value(
            plan, cell, (evaluation, metric), measured, _trials_of(cell, plan, trials, measured)
        )
        for cell in plan.cells
        for evaluation in cell.evaluation
        for metric in plan.all_metrics
    ]
    return [
        replace(value, recipe=measured.recipe(value.cell, value.evaluation, value.metric))
        if value.value is not None and (recipes or value.published is not None)
        else value
        for value in values
    ]


def _trials_of(
    cell: PlannedCell, plan: RunPlan, trials: dict[str, Standing], measured: Measured
) -> dict[int, Standing]:
    """Return the trial of each seed; of a system from elsewhere one that stands for all."""
    if cell.predictions:
        scored = any(measured.by_seed(cell.id, evaluation) for evaluation in cell.evaluation)
        standing = Standing(external_folder(cell.training), "finished" if scored else "not started")
        return {plan.seeds[0]: standing}
    return {seed: trials[trial_name(cell.training, seed)] for seed in plan.seeds_of(cell.training)}


def _cell_value(
    plan: RunPlan,
    cell: PlannedCell,
    measure: tuple[str, str],
    measured: Measured,
    trials: dict[int, Standing],
) -> CellValue:
    evaluation, metric = measure
    results = {
        seed: result
        for seed, result in measured.by_seed(cell.id, evaluation, metric).items()
        if seed in trials
    }
    by_seed = {seed: measured.drawn(result, metric) for seed, result in results.items()}
    few = len(by_seed) <= FEW_SEEDS
    found = mean_value(list(by_seed.values()), seeds_fixed=few) if by_seed else None
    about = about_given(plan) if cell.predictions else about_of(plan, len(by_seed))
    if found and found.rule == "moved":
        about = f"{OF_THIS_SIZE} {about.removeprefix('other ')}"
    return CellValue(
        table=cell.table,
        cell=cell.id,
        column=cell.column,
        training=cell.training,
        xvalid=cell.xvalid,
        evaluation=evaluation,
        metric=metric,
        value=found.value if found else None,
        # With few seeds an interval may reach beyond the range of a fraction.
        low=max(found.low, 0.0) if found else None,
        high=min(found.high, 1.0) if found else None,
        seed_values=tuple(by_seed[s].value if s in by_seed else None for s in trials),
        trials=tuple(trials.values()),
        published=cell.published_value(evaluation, metric),
        about=about if found else "",
        untrained=sum(map(_is_untrained, results.values())),
    )


def _is_untrained(result: Result) -> bool:
    return result.about is not None and result.about.selected[result.xvalid].is_untrained
