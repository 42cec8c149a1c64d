"""`python -m raysed.tune SPACE --plan`: what a run will take and what stands in its way; nothing is built or trained.

A dictionary with the keys of `plan.json` and more; `refusals` lists what keeps the run from starting here.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median_low
from typing import Any

import torch

from raysed.config.fault import Fault
from raysed.config.space import ResolvedSpace, Training
from raysed.config.trial_resources import Resources
from raysed.ray_cluster import start_ray
from raysed.report.claim_power import claim_powers
from raysed.run.lock import RunBusyError, check_free
from raysed.run.run_plan import RunPlan, external_id
from raysed.run.seed_looks import read_looks, seeds_of_trainings
from raysed.run.trial_plan import TrialPlan, every_trial
from raysed.storage.file_hashes import file_hashes
from raysed.storage.folder import Folder
from raysed.text import counted
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
from raysed.tune.external_systems import prediction_faults
from raysed.tune.preparation import Preparation, prepare
from raysed.tune.resources import (
    Node,
    cluster_nodes,
    settle_gpus,
    settle_precision,
    trials_on,
)
from raysed.tune.space_groups import drawn_counts, planned_names, read_with_groups

_CLASSES = 10
"""Number of classes for the calibration, where the sound bank that names the classes is missing."""


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
    """Return the plan of a space on these nodes. `unset` holds lines on variables that its data job misses.

    Takes some seconds: soundscapes are drawn to count them, and training steps are timed.
    """
    resolved = settle_precision(settle_gpus(resolved, nodes), run)
    allowed: list[str] = []
    prepared = prepare(resolved, run, allowed.append, unset, allow_changed=allow_changed)
    at_once, in_the_way = _at_once(resolved, nodes)
    in_the_way += _busy(run)
    left, clips = prepared.left, prepared.clips
    built = {each.name: each.url for each in prepared.planned if each.state == "present"}
    cost = _cost(resolved, left, clips, at_once)
    about_trainings = cost.pop("by_training")
    planned = RunPlan.of(resolved, (), at_once, seeds_of_trainings(resolved, run))
    plan = planned.as_json()
    return plan | {
        "claims": _claims(planned, resolved, run, prepared),
        "trainings": [about | about_trainings[about["id"]] for about in plan["trainings"]],
        "external": external_rows(resolved),
        "trials_finished": sum(trial.out.finished for trial in prepared.trials),
        "datasets": [entry.as_json(resolved.job.name) for entry in prepared.listed],
        "bytes_to_write": {
            "data": sum(entry.bytes for entry in prepared.listed),
            "run": sum(run_bytes(trial.training, clips, resolved) for trial in left),
        },
        "cluster": {
            "cpus": sum(node.get("CPU", 0.0) for node in nodes),
            "gpus": sum(node.get("GPU", 0.0) for node in nodes),
            "nodes": len(nodes),
        },
        "refusals": [*prepared.faults, *in_the_way, *prediction_faults(resolved, built)],
        **cost,
        "rounds": _rounds(resolved, run, prepared, (known_seconds(about_trainings), at_once)),
        "notes": [*allowed, *prepared.notes, *prepared.warnings, *cost["notes"]],
    }


def known_seconds(by_training: Mapping[str, Mapping[str, float | None]]) -> dict[str, float]:
    """Return the seconds of a trial of each training, as far as they are known."""
    known = {id: about.get("seconds") for id, about in by_training.items()}
    return {id: seconds for id, seconds in known.items() if seconds is not None}


def _rounds(
    resolved: ResolvedSpace, run: Folder, prepared: Preparation, pace: tuple[dict[str, float], int]
) -> dict[str, Any] | None:
    """Return the looks of a space whose seeds grow, and the fewest and the most trials of all; None for listed seeds.

    `pace` holds the seconds of a trial by training, and how many run at once.
    """
    looks = read_looks(run, resolved.space.looks)
    if not looks.planned:
        return None
    most = prepared.trials
    if not looks.over:
        most = every_trial(resolved, run)
    return {
        "looks": list(looks.planned),
        "looks_made": len(looks.done),
        "over": looks.over,
        "least_trials": len(prepared.trials),
        "most_trials": len(most),
        "most_hours": _hours([trial for trial in most if not trial.is_over], *pace),
    }


def _claims(
    plan: RunPlan, resolved: ResolvedSpace, run: Folder, prepared: Preparation
) -> list[dict[str, Any]]:
    """Return the claims, each with what it can settle: from the run's finished trials where there are any."""
    if not plan.claims:
        return []
    there = any(trial.out.finished for trial in prepared.trials)
    results = read_with_groups(resolved, run, plan) if there else []
    names = planned_names(resolved, prepared.planned)
    powers = claim_powers(plan, prepared.clips | drawn_counts(resolved, names), results)
    return [
        claim.model_dump(mode="json") | {"power": power}
        for claim, power in zip(plan.claims, powers, strict=True)
    ]


def external_rows(resolved: ResolvedSpace) -> list[dict[str, Any]]:
    """Return a row for each system that is not trained here and each of its sets: its files; nothing is scored."""
    return [
        {
            "cell": cell.id,
            "id": external_id(cell),
            "evaluation": evaluation,
            "predictions": given.files,
            "files": sum(
                len(file_hashes(Path(path))) for path in given.files.values() if Path(path).exists()
            ),
        }
        for cell in resolved.external
        for evaluation, given in cell.predictions.items()
    ]


def _at_once(resolved: ResolvedSpace, nodes: Sequence[Node]) -> tuple[int, list[str]]:
    """Return how many trials the nodes hold at once, and why none."""
    try:
        return trials_on(resolved, nodes), []
    except ValueError as error:
        return 0, [str(error)]


def _busy(run: Folder) -> list[str]:
    """Return who works on the run now."""
    try:
        check_free(run)
    except RunBusyError as error:
        return [str(error)]
    return []


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
        # The value of the middle trial; each training also has its own.
        "steps_per_trial": median_low([w.steps for w in works.values()]) if works else None,
        "estimated_hours": _hours(left, seconds, at_once),
        "notes": notes,
    }


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
    from raysed.model.network import parameters_of

    trial, features = training.trial, resolved.job.features
    classes = len(resolved.job.classes or ()) or _CLASSES
    checkpoints = 4 * parameters_of(trial.model, classes) * (4 + 2 * len(trial.data.xvalid))
    frames = features.n_frames // trial.model.time_pooling
    scored = len(trial.data.xvalid) * sum(clips.get(name, 0) for name in trial.data.evaluation)
    return checkpoints + 2 * scored * frames * classes * 2
