"""The cells that share a training and differ in post-processing: counted from stored scores, after the trainings.

Each trial is a task of Ray; what is stored already is left alone, so the same command goes on.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ray
import torch
from ray.exceptions import RayTaskError

from raysed.config.reader import validate
from raysed.config.space import ResolvedSpace, Training
from raysed.config.trial import Trial
from raysed.data.features.store import open_dataset
from raysed.predict.trial_postprocessing import WantedColumn, missing_columns, postprocess_trial
from raysed.run.trial_plan import TrialPlan
from raysed.storage.folder import Folder
from raysed.storage.node_cache import cache_dir


def wanted_columns(resolved: ResolvedSpace, training: Training) -> list[WantedColumn]:
    """Return what the cells of a training ask for besides its own post-processing."""
    return [
        WantedColumn.of(cell.xvalid, evaluation, cell.postprocessing)
        for cell in resolved.space.cells
        if cell.id in training.cells and cell.xvalid
        if cell.postprocessing and cell.postprocessing_differs
        for evaluation in training.cells[cell.id]
    ]


def postprocess_cells(
    resolved: ResolvedSpace,
    trials: Sequence[TrialPlan],
    urls: Mapping[str, str],
    say: Callable[[str], None],
) -> list[str]:
    """Count every cell's own post-processing for the finished trials; return a line for each trial that failed."""
    jobs = []
    for trial in trials:
        wanted = wanted_columns(resolved, trial.training) if trial.out.finished else []
        missing = missing_columns(trial.out.folder, wanted)
        if missing:
            jobs.append(_job_of(trial, missing, urls))
    if not jobs:
        return []
    columns = sum(len(job["wanted"]) for job in jobs)
    say(f"post-processing: {columns} columns from the stored scores of {len(jobs)} trials")
    resources = resolved.space.resources
    task: Any = ray.remote(_postprocess).options(
        num_cpus=resources.cpus_per_worker, num_gpus=resources.gpus
    )
    running = {task.remote(job): job["label"] for job in jobs}
    failed = []
    while running:
        (done,), _ = ray.wait(list(running), num_returns=1)
        label = running.pop(done)
        try:
            for line in ray.get(done):
                say(f"{label}: {line}")
        except RayTaskError as error:
            failed.append(f"failed: post-processing of {label}: {error.cause}")
    return failed


def _job_of(
    trial: TrialPlan, missing: Sequence[WantedColumn], urls: Mapping[str, str]
) -> dict[str, Any]:
    """Return what a task needs to know, as plain values."""
    names = {name for column in missing for name in (column.evaluation, column.xvalid)}
    return {
        "label": trial.label,
        "out": trial.out.url,
        "trial": trial.training.trial.model_dump(mode="json"),
        "wanted": [vars(column) for column in missing],
        "sets": {name: urls[name] for name in sorted(names)},
        "cache": cache_dir(),
    }


def _postprocess(job: dict[str, Any]) -> list[str]:
    """Count the columns of one trial; return what is to be said."""
    torch.set_num_threads(1)
    said: list[str] = []
    trial = validate(job["trial"], Trial, source=job["label"])
    wanted = [WantedColumn(**column) for column in job["wanted"]]
    used = {name for c in wanted for name in (c.evaluation, *_tuned_on_xvalid(c))}
    sets = {name: open_dataset(job["sets"][name], job["cache"]) for name in sorted(used)}
    postprocess_trial(Folder(job["out"]), trial.postprocessing, wanted, sets, said.append)
    return [*said, f"{len(wanted)} columns"]


def _tuned_on_xvalid(column: WantedColumn) -> tuple[str, ...]:
    return (column.xvalid,) if column.tuned_on == "xvalid" else ()
