"""The evaluation sets that a training has seen: its values on these are no results on other recordings."""

from collections.abc import Mapping

from raysed.config.trial import SUBSETS
from raysed.run.run_plan import RunPlan


def seen_lines(plan: RunPlan) -> list[str]:
    """Return a line on the cells that are evaluated on a set that they train on, and one for a set that chooses their epoch."""
    trained = {training.id: _trained_on(training.config) for training in plan.trainings}
    of_training: dict[str, list[str]] = {}
    of_choice: dict[str, list[str]] = {}
    for cell in plan.cells:
        for name in cell.evaluation:
            if name in trained.get(cell.training, ()):
                of_training.setdefault(name, []).append(cell.id)
            elif name == cell.xvalid:
                of_choice.setdefault(name, []).append(cell.id)
    return [
        *(
            f"{name} is trained on ({', '.join(cells)}): values on it are no results"
            for name, cells in of_training.items()
        ),
        *(
            f"{name} chooses the epoch, too ({', '.join(cells)}): values on it are optimistic"
            for name, cells in of_choice.items()
        ),
    ]


def _trained_on(config: Mapping) -> set[str]:
    """Return the sets that have a share in the batches of a stored trial."""
    data, shares = config.get("data", {}), config.get("shares", {})
    named = {data.get(subset) for subset in SUBSETS if shares.get(subset)}
    return {*named, *shares.get("strong", {})}
