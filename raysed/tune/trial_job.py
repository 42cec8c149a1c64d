"""The job of a trial: what its process needs to know, and the training of one of its ranks there."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

import torch

from raysed.config.reader import validate
from raysed.config.space import ResolvedSpace
from raysed.config.trial import Trial
from raysed.data.features.store import FeatureSet, open_dataset
from raysed.run.trial_plan import TrialPlan
from raysed.storage.folder import Folder
from raysed.storage.node_cache import cache_dir
from raysed.training.ranks import Ranks, process_group
from raysed.training.train import EpochCallback, train
from raysed.tune.sets import tuned_file

_OPENING = threading.Lock()
_OPENED: WeakValueDictionary[tuple[str, str, str | None], FeatureSet] = WeakValueDictionary()
"""The data sets that trials of this process have mapped: threads share them."""


def job_of(
    trial: TrialPlan, resolved: ResolvedSpace, data_sets: Mapping[str, str], hosts: str | None
) -> dict[str, Any]:
    """Return what the process of a trial needs to know; `hosts` is the actor that shares out its card, None where the
    trial trains in its own process.
    """
    resources = resolved.space.resources
    return {
        "name": trial.name,
        "out": trial.out.url,
        "trial": trial.training.trial.model_dump(mode="json"),
        "seed": trial.seed,
        "sets": {name: data_sets[name] for name in trial.training.trial.set_names()},
        "cache": cache_dir(),
        "encoder": tuned_file(trial.training.trial, resolved.job),
        "workers": resources.workers,
        "threads": resources.cpus_per_worker,
        "gpus": resources.gpus,
        "hosts": hosts,
    }


def train_rank(
    job: dict[str, Any],
    ranks: Ranks,
    address: str,
    report: EpochCallback = lambda metrics: None,
    each_step: Callable[[], None] = lambda: None,
) -> None:
    """Train one rank of a trial in this thread."""
    torch.set_num_threads(job["threads"])
    device = "cuda" if job["gpus"] else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "the trial was given a GPU, but torch finds none: check torch's CUDA build"
        )
    trial = validate(job["trial"], Trial, source=job["name"])
    sets, out, told = open_sets(job), Folder(job["out"]), {"report": report, "each_step": each_step}
    with process_group(ranks, address, device):
        train(trial, sets, out, seed=job["seed"], device=device, ranks=ranks, **told)


def open_sets(job: dict[str, Any]) -> dict[str, FeatureSet]:
    """Open the trial's data sets, mapped from this node's cache, once for all trials of this process."""
    found = {}
    with _OPENING:
        for name, url in job["sets"].items():
            key = url, job["cache"], job.get("encoder")
            opened = _OPENED.get(key)
            if opened is None:
                opened = open_dataset(url, job["cache"])
                opened = replace(opened, encoder_file=job.get("encoder"))
                _OPENED[key] = opened
            found[name] = opened
    return found
