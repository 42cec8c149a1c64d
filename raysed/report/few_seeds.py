"""Sentences on what values are about: few seeds, sets of this size, and trainings that have learnt nothing to choose by."""

from collections import Counter

from raysed.evaluation.intervals.significance import FEW_SEEDS
from raysed.report.cells import OF_THIS_SIZE, CellValue
from raysed.run.folders import NOT_TRAINED
from raysed.run.run_plan import RunPlan


def few_seeds_lines(plan: RunPlan, cells: list[CellValue]) -> list[str]:
    """Return lines that say what the intervals are about where a value rests on few seeds."""
    alone = f"the intervals are over {plan.drawn}; nothing is known about other seeds."
    if len(plan.seeds) == 1:
        return [f"One seed: {alone}", ""]
    cells = [cell for cell in cells if not cell.is_external]
    one = list(dict.fromkeys(cell.cell for cell in cells if cell.seeds == 1))
    few = list(dict.fromkeys(cell.cell for cell in cells if 1 < cell.seeds <= FEW_SEEDS))
    lines = [f"One seed so far ({', '.join(one)}): {alone}"] if one else []
    if few:
        which = "" if len(few) == len({cell.cell for cell in cells}) else f" ({', '.join(few)})"
        them = "the intervals are" if not plan.looks else "the intervals of single cells are"
        decide = ", and decide about them" if not plan.looks else ""
        lines.append(
            f"Two or three seeds{which}: {them} over other {plan.drawn}, these trained models given{decide}; each seed stands"
            " beside them. They say nothing about other seeds: that takes four or more."
        )
    return [*lines, ""] if lines else []


def moved_lines(plan: RunPlan, cells: list[CellValue]) -> list[str]:
    """Return a line on the metrics of which some intervals are about sets of this size; nothing where none is."""
    count = Counter(cell.metric for cell in cells if cell.about.startswith(OF_THIS_SIZE))
    if not count:
        return []
    which = ", ".join(f"{metric} ({n})" for metric, n in count.items())
    return [
        f"Intervals that are about {OF_THIS_SIZE} {plan.drawn}, not about infinitely many, since most draws lie to one side of the"
        f" value (number of values): {which}.",
        "",
    ]


def untrained_lines(cells: list[CellValue]) -> list[str]:
    """Return a line on the cells whose x-valid F1 was 0 after every epoch; nothing where there is none."""
    counts = {cell.cell: f"{cell.untrained} of {cell.seeds}" for cell in cells if cell.untrained}
    if not counts:
        return []
    which = ", ".join(f"{cell} ({count} seeds)" for cell, count in counts.items())
    return [
        f"{NOT_TRAINED[0].upper()}{NOT_TRAINED[1:]}: {which}. Their values say nothing; more epochs"
        " (`schedule` in the space) may help.",
        "",
    ]
