"""The trackers that a space may name, and why one cannot be used; no Ray, and none of their packages is imported."""

from collections.abc import Iterator
from importlib.util import find_spec

from raysed.config.space import Space
from raysed.extras import advice
from raysed.storage.folder import Folder
from raysed.tune.mlflow_runs import MlflowRuns
from raysed.tune.wandb_runs import WandbRuns

TRACKERS: dict[str, type[WandbRuns] | type[MlflowRuns]] = {"wandb": WandbRuns, "mlflow": MlflowRuns}


def tracking_faults(space: Space, run: Folder) -> Iterator[str]:
    """Yield why a run cannot be tracked: a package that is missing, a place that a tracker does not write to."""
    for name in space.trackers:
        kind = TRACKERS[name]
        if lacking := [module for module in kind.modules if find_spec(module) is None]:
            yield f"trackers: {name}: no module named {lacking[0]}; {advice(lacking[0], 'tune')}"
        if kind.needs_a_local_folder() and not run.is_local:
            yield (
                f"trackers: {name} writes to a local folder, and {run.url} is none: give one with --run, or name the"
                f" server in {name}'s own variables of the environment"
            )
