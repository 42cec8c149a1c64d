"""The settings of a tune space that decide how many trials a node trains in an hour, and how fast it does."""

import math
import time
from collections.abc import Mapping
from typing import Any

import ray
import torch
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from benchmarks.halving import Axis, Value
from benchmarks.train_step import VALUES, inputs
from raysed.config.data_job import Features
from raysed.config.trial import Trial
from raysed.training.mean_teacher import MeanTeacher, Targets

TRIAL_GB = 1.5
"""Memory of a trial's process: 1.4 GB was measured for the published model at batch 24 (results/ddp.json)."""
_START_S = 600.0
"""Longest wait for the processes of a measurement to start and take their first step."""


def best_node(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the node to measure on, of `ray.nodes()`; the others are assumed to be like it."""
    return max(
        nodes,
        key=lambda n: (n["Resources"].get("GPU", 0), n["Resources"].get("CPU", 0), n["NodeID"]),
    )


def trial_axes(resources: Mapping[str, float]) -> list[Axis]:
    """Return the axes to try on a node with these resources (Ray's names)."""
    cpus, gpus = int(resources.get("CPU", 1)), int(resources.get("GPU", 0))
    threads = tuple(n for n in (1, 2, 4, 8, 16, 32, 64) if n <= cpus)
    if not gpus:
        return [
            Axis("resources.cpus_per_worker", 1, threads[1:]),
            Axis("base.precision", "float32", ("bfloat16",)),
        ]
    shares = tuple(share for share in (1.0, 0.5, 0.125) if gpus / share <= cpus)
    return [
        Axis("resources.gpus_per_worker", 0.25, shares),
        Axis("resources.cpus_per_worker", 1, threads[1:3]),
        Axis("base.precision", "float32", ("bfloat16", "float16")),
    ]


def at_once(settings: Mapping[str, Value], resources: Mapping[str, float]) -> int:
    """Return the number of one-rank trials that the node holds at once with these settings, by CPUs, GPUs and
    memory.
    """
    cpus, gpus = (settings[f"resources.{kind}_per_worker"] for kind in ("cpus", "gpus"))
    assert isinstance(cpus, int) and isinstance(gpus, int | float)
    places = [resources.get("CPU", 0) / cpus]
    if gpus:
        places.append(resources.get("GPU", 0) / gpus)
    if "memory" in resources:
        places.append(resources["memory"] / 1e9 / TRIAL_GB)
    # The tolerance: three thirds of a GPU are one.
    return math.floor(min(places) + 1e-6)


def steps_per_s(
    trial: Trial,
    features: Features,
    settings: Mapping[str, Value],
    node: Mapping[str, Any],
    seconds: float,
) -> float:
    """Return the steps per second of all trials together that the node holds; 0 where it holds none or one
    dies.
    """
    count = at_once(settings, node["Resources"])
    if not count:
        return 0.0
    cpus, gpus = (settings[f"resources.{kind}_per_worker"] for kind in ("cpus", "gpus"))
    changed = trial.model_copy(update={"precision": settings["base.precision"]})
    actor: Any = ray.remote(Worker).options(
        num_cpus=cpus,
        num_gpus=gpus,
        scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False),
    )
    actors = [actor.remote(changed, features, cpus, bool(gpus)) for _ in range(count)]
    try:
        ray.get([a.steps.remote() for a in actors], timeout=_START_S)
        return sum(ray.get([a.rate.remote(seconds) for a in actors], timeout=_START_S))
    except RayError:
        return 0.0
    finally:
        for each in actors:
            ray.kill(each)


class Worker:
    """One trial's networks in a process of its own, with a batch of noise."""

    def __init__(self, trial: Trial, features: Features, threads: int, gpu: bool) -> None:
        torch.set_num_threads(threads)
        self.device = "cuda" if gpu else "cpu"
        self.networks = MeanTeacher(trial, 10, 0, self.device)
        student, teacher, targets = inputs(trial.shares, features, trial.model.time_pooling)
        targets = Targets(
            targets.strong_SUK.to(self.device), targets.weak_WK.to(self.device), trial.shares
        )
        self.batch = (student.to(self.device), teacher.to(self.device), targets)

    def steps(self, count: int = 1) -> None:
        """Take steps, and wait for the end of the last one."""
        for _ in range(count):
            self.networks.step(*self.batch, VALUES)
            self.networks.update_teacher(VALUES.ema_decay)
        if self.device == "cuda":
            torch.cuda.synchronize()

    def rate(self, seconds: float) -> float:
        """Return steps per second, over at least `seconds`."""
        # Training does not wait for the GPU after every step either.
        together = 10 if self.device == "cuda" else 1
        done, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            self.steps(together)
            done += together
        return done / (time.perf_counter() - started)
