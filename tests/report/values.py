"""Values of cells and their differences, made by hand."""

from raysed.config.table import Contrast
from raysed.report.cells import CellValue
from raysed.report.contrasts import ContrastValue
from raysed.run.run_plan import RunPlan
from raysed.run.trial_state import Standing

PLAN = RunPlan(
    space="s",
    seeds=(0,),
    cells=(),
    contrasts=(Contrast(cell="a", against="b"),),
    bootstrap_draws=100,
    trainings=(),
    trials=1,
)
DONE = Standing("t-seed0", "finished")


def value(name, evaluation, *, published=None, seeds=(0.5,), trials=(DONE,)):
    known = [seed for seed in seeds if seed is not None]
    mean = sum(known) / len(known) if known else None
    return CellValue(
        table="1",
        cell=name,
        column=name,
        training="abc",
        xvalid="dry",
        evaluation=evaluation,
        metric="event_f1",
        value=mean,
        low=None if mean is None else mean - 0.1,
        high=None if mean is None else mean + 0.1,
        seed_values=seeds,
        trials=trials,
        published=published,
    )


def contrast(evaluation, difference, *, family=2):
    return ContrastValue(
        cell="a",
        against="b",
        evaluation=evaluation,
        metric="event_f1",
        difference=difference,
        low=difference - 0.01,
        high=difference + 0.01,
        simultaneous_low=difference - 0.02,
        simultaneous_high=difference + 0.02,
        p=0.01,
        seeds=(0,),
        seed_differences=(difference,),
        trials=(),
        about="",
        seeds_low=difference,
        seeds_high=difference,
        family=family,
        family_planned=2,
    )
