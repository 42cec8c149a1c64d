"""`python -m raysed.tune SPACE --plan`: what a run will take and what stands in its way; nothing is built or trained.

A dictionary with the keys of `plan.json` and more; `refusals` lists what keeps the run from starting here.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import median_low
from typing import Any

import torch

from raysed.config.fault import Fault
from raysed.config.space import ResolvedSpace, Resources, Training
from raysed.data.build.dataset_plan import plan as plan_data
from raysed.ray_cluster import start_ray
from raysed.run.ownership import MadeBy, claim_faults, planned_data
from raysed.run.trial_plan import TrialPlan, counted, describe, plan_trials, refusals
from raysed.storage.folder import Folder
from raysed.tune.estimate import (
    BUSY,
    Speed,
    Work,
    mean_speed,
    measure_speeds,
    size_of,
    trial_seconds,
    work_of,
)
from raysed.tune.resources import Node, cluster_nodes, settle_gpus, trials_on
from raysed.tune.sets import ListedSet, list_sets

_CLASSES = 10
"""Number of classes for the calibration, where the sound bank that names the classes is missing."""
_ENOUGH = 10**9
"""Number of clips assumed for a set of which nothing is known; the refusals say why."""


def nodes_of(address: str | None) -> list[Node]:
    """Return the nodes of the cluster that `address` or RAY_ADDRESS names, else this machine, without
    starting Ray.
    """
    if not address and not os.environ.get("RAY_ADDRESS"):
        return this_machine()
    start_ray(address)
    return cluster_nodes()


def this_machine() -> list[Node]:
    """Return this machine as one node: the CPUs that this process may use, and the GPUs that torch sees."""
    return [{"CPU": float(len(os.sched_getaffinity(0))), "GPU": float(torch.cuda.device_count())}]


def preview(
    resolved: ResolvedSpace,
    run: Folder,
    nodes: Sequence[Node],
    unset: Sequence[Fault] = (),
    *,
    allow_changed: bool = False,
) -> dict[str, Any]:
    """Return the plan of a space on these nodes. `unset` holds the keys of its data job whose variables are not set.

    Takes up to a minute: soundscapes are drawn to count them, and training steps are timed.
    """
    resolved = settle_gpus(resolved, nodes)
    trials = plan_trials(resolved, run)
    # A variable that is not set is told once, not again for every set that it is behind.
    listed, faults = list_sets(resolved.job, resolved.data_sets(), unset)
    stops = [*map(str, unset), *faults]
    unknown = [entry.name for entry in listed if not entry.clips and entry.id is None]
    clips = {entry.name: entry.clips for entry in listed}
    stops += refusals(resolved, clips | dict.fromkeys(unknown, _ENOUGH))
    try:
        at_once = trials_on(resolved, nodes)
    except ValueError as error:
        at_once = 0
        stops.append(str(error))
    stops += place_faults(run)
    if not any(fault.key == ("out",) for fault in unset):
        stops += _disk_faults(listed, resolved.job.out)
    allowed: list[str] = []
    made_by = MadeBy(run, trials, allow_changed, allowed.append)
    # Which data they will be is known where all sources are there.
    data = {} if unset or faults else planned_data(plan_data(resolved.job, resolved.data_sets()))
    stops += claim_faults(run, resolved, made_by, data)
    left = [trial for trial in trials if not trial.finished]
    known = {name: count for name, count in clips.items() if name not in unknown}
    plan = describe(resolved, {}, at_once)
    cost = _cost(resolved, left, known, at_once)
    about_trainings = cost.pop("by_training")
    return plan | {
        "trainings": [about | about_trainings[about["id"]] for about in plan["trainings"]],
        "trials_finished": len(trials) - len(left),
        "datasets": [entry.as_json(resolved.job.name) for entry in listed],
        "bytes_to_write": {
            "data": sum(entry.bytes for entry in listed),
            "run": sum(run_bytes(trial.training, clips, resolved) for trial in left),
        },
        "cluster": {
            "cpus": sum(node.get("CPU", 0.0) for node in nodes),
            "gpus": sum(node.get("GPU", 0.0) for node in nodes),
            "nodes": len(nodes),
        },
        "refusals": stops,
        **cost,
        "notes": allowed + cost["notes"],
    }


def _cost(
    resolved: ResolvedSpace, left: Sequence[TrialPlan], clips: dict[str, int], at_once: int
) -> dict[str, Any]:
    """Return steps and hours, as far as the sizes of the training sets are known."""
    resources = resolved.space.resources
    works = {
        t.id: work_of(t.trial, clips)
        for t in resolved.trainings
        if set(t.trial.used_subsets().values()) <= clips.keys()
    }
    speeds, notes = _speeds(resolved, [trial for trial in left if trial.training.id in works])
    seconds = _seconds(resolved.trainings, works, speeds, resources)
    return {
        "by_training": {
            t.id: {
                "steps": works[t.id].steps if t.id in works else None,
                "seconds": seconds.get(t.id),
            }
            for t in resolved.trainings
        },
        # Of the trial in the middle; each training has its own beside it.
        "steps_per_trial": median_low([w.steps for w in works.values()]) if works else None,
        "estimated_hours": _hours(left, seconds, at_once),
        "notes": notes,
    }


def _disk_faults(listed: Sequence[ListedSet], out: str) -> list[str]:
    """Return faults of a local disk that the data sets to build cannot be written to or do not fit on."""
    folder, wanted = Folder(out), sum(entry.bytes for entry in listed)
    if not folder.is_local or not wanted:
        return []
    free = shutil.disk_usage(_existing(folder)).free
    if wanted <= free:
        return place_faults(folder)
    return [
        f"data sets of about {wanted / 1e9:.1f} GB do not fit into {out}: {free / 1e9:.1f} GB are free"
    ]


def place_faults(folder: Folder) -> list[str]:
    """Return what is in the way of a local folder that is to be made or written to."""
    if not folder.is_local:
        return []
    existing = _existing(folder)
    if not existing.is_dir():
        return [f"{existing}: a file stands where a folder is to be"]
    return [] if os.access(existing, os.W_OK) else [f"{existing}: cannot be written"]


def _existing(folder: Folder) -> Path:
    """Return a local folder, or the nearest one above it that exists."""
    place = Path(folder.url)
    return next(path for path in (place, *place.parents) if path.exists())


def _speeds(
    resolved: ResolvedSpace, left: Sequence[TrialPlan]
) -> tuple[dict[str, Speed], list[str]]:
    """Return timed speeds by size of model, and notes for readers of the estimate."""
    resources = resolved.space.resources
    if not left:
        return {}, ["no time is estimated: no trial is left whose training sets are known"]
    if resources.gpus and not torch.cuda.is_available():
        return {}, ["no estimate: trials want GPUs, and this machine has none to time them on"]
    classes = len(resolved.job.classes or ()) or _CLASSES
    trials = list({t.training.id: t.training.trial for t in left}.values())
    speeds = measure_speeds(trials, resolved.job.features, classes, resources)
    least, most = (pick(speed.epochs for speed in speeds.values()) for pick in (min, max))
    timed = f"{least} to {most} training steps" if least < most else counted(most, "training step")
    notes = [
        f"hours are an estimate: {timed} of each size of model timed on this machine, times the number of steps;"
        " building data sets and start-up are not in it"
    ]
    share = min(speed.cpu_share for speed in speeds.values())
    if share < BUSY:
        notes.append(
            f"this machine is busy, the timed steps had {share:.0%} of their CPUs: the hours are those of an"
            " idle one"
        )
    sizes = {size_of(trial) for trial in trials}
    if len(speeds) < len(sizes):
        notes.append(f"{len(speeds)} of {len(sizes)} sizes of model were timed")
    if resolved.space.search:
        notes.append("ASHA will stop part of the trials early: the estimate is an upper bound")
    if resources.gpus and resources.gpus < 1:
        notes.append(
            "trials that share a GPU slow each other down: the estimate takes that as in full"
        )
    return speeds, notes


def _seconds(
    trainings: Sequence[Training],
    works: dict[str, Work],
    speeds: dict[str, Speed],
    resources: Resources,
) -> dict[str, float]:
    """Return the estimated wall seconds of one trial of each training."""
    if not speeds:
        return {}
    other = mean_speed(speeds.values())
    # Trials of one GPU take turns on it.
    share = max(1.0, 1.0 / resources.gpus) if resources.gpus else 1.0
    return {
        t.id: share
        * trial_seconds(works[t.id], t.trial, speeds.get(size_of(t.trial), other), resources)
        for t in trainings
        if t.id in works
    }


def _hours(left: Sequence[TrialPlan], seconds: dict[str, float], at_once: int) -> float | None:
    """Return the wall hours of all unfinished trials: the work spread evenly, but at least the longest trial."""
    if not left:
        return 0.0
    if not at_once or any(trial.training.id not in seconds for trial in left):
        return None
    each = [seconds[trial.training.id] for trial in left]
    return max(sum(each) / at_once, max(each)) / 3600


def run_bytes(training: Training, clips: dict[str, int], resolved: ResolvedSpace) -> int:
    """Return about how many bytes a trial leaves: checkpoints of both networks and of Adam, and float16
    scores.
    """
    from raysed.model.network import make_network

    trial, features = training.trial, resolved.job.features
    classes = len(resolved.job.classes or ()) or _CLASSES
    weights = sum(p.numel() for p in make_network(trial.model, classes).parameters())
    checkpoints = 4 * weights * (4 + 2 * len(trial.data.xvalid))
    frames = features.n_frames // trial.model.time_pooling
    scored = len(trial.data.xvalid) * sum(clips[name] for name in trial.data.evaluation)
    return checkpoints + 2 * scored * frames * classes * 2
