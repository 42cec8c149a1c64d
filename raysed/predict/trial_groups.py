"""The groups of clips of a trial's run, for what is judged of the trial afterwards."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from raysed.evaluation.detections.events import Reference
from raysed.evaluation.score.clip_list import groups_to_draw
from raysed.run.folders import GROUPS, TRIALS
from raysed.run.run_plan import RunPlan
from raysed.storage.folder import Folder


def with_groups_of_run(
    trial: Folder, reference: Reference, say: Callable[[str], None]
) -> Reference:
    """Return a set's ground truth with the groups that the run of a trial draws, as it is where the run has none.

    Says what is drawn; where the run's groups lack clips of the set, clips are drawn, and that is said, too.
    """
    run = _grouped_run(trial)
    if run is None:
        return reference
    place = f"{run.url}/{GROUPS}"
    try:
        groups_N = groups_to_draw(place, reference.filenames)
    except (ValueError, FileNotFoundError) as error:
        say(f"note: intervals draw clips, although the run draws groups ({error})")
        return reference
    if groups_N is not None:
        say(f"intervals draw {len(np.unique(groups_N))} groups of {len(groups_N)} clips ({place})")
    return replace(reference, groups_N=groups_N)


def groups_hash(trial: Folder) -> str:
    """Return the SHA-256 of the groups that the run of a trial draws; empty where it has none."""
    run = _grouped_run(trial)
    content = None if run is None else run.read(GROUPS)
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _grouped_run(trial: Folder) -> Folder | None:
    """Return the run of a trial where it draws groups."""
    run, _, name = trial.url.rstrip("/").rpartition(f"/{TRIALS}/")
    plan = RunPlan.read(Folder(run)) if run and "/" not in name else None
    return None if plan is None or plan.groups is None else Folder(run)
