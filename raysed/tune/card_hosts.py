"""Processes in which all trials of a card train, each in a thread and on a stream of the card of its own.

A card computes for one process at a time, unless its node runs NVIDIA's MPS; the streams of one process it serves at
once. Ray Tune owns a trial as ever, by a process with the trial's resources, which hands the job over and passes reports
on. The host itself takes no resources. It runs trials of one kind of product, since TF32 is a switch of the process.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any
from uuid import uuid4

import ray
import torch
from ray.exceptions import RayActorError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from raysed.config.trial_resources import Resources
from raysed.run.lock import is_alive
from raysed.training.ranks import Ranks
from raysed.training.train import EpochCallback
from raysed.tune.trial_job import train_rank
from raysed.tune.trial_thread import TrialThread


@contextmanager
def card_hosts(resources: Resources, concurrent: int) -> Iterator[str | None]:
    """Yield the name of the actor that shares out cards to trials, None where each trial trains in its own process.

    The actor and its hosts end with this. `concurrent` is the number of trials that the cluster holds at once.
    """
    if resources.trials_as == "processes":
        yield None
        return
    name, here = f"raysed-cards-{uuid4().hex}", ray.get_runtime_context().get_node_id()
    each = int(1 / resources.gpus + 1e-6) if resources.gpus else concurrent
    # One that is asked to go on, one that is starting in the place of a trial that is ending.
    actor: Any = ray.remote(CardHosts)
    hosts = actor.options(name=name, num_cpus=0, scheduling_strategy=_on(here)).remote(2 * each + 2)
    try:
        yield name
    finally:
        ray.kill(hosts)


def train_on_card(job: dict[str, Any], report: EpochCallback) -> None:
    """Train a trial in the host of the card that Ray gave this process. Raises what the trial raises, and RayActorError
    where the host dies.
    """
    card = os.environ.get("CUDA_VISIBLE_DEVICES", "") if job["gpus"] else None
    node, tf32 = ray.get_runtime_context().get_node_id(), job["trial"]["precision"] == "tf32"
    host: Any = ray.get(ray.get_actor(job["hosts"]).host.remote(node, card, tf32))
    ray.get(host.start.remote(job, os.getpid()))
    while (metrics := ray.get(host.next.remote(job["out"]))) is not None:
        report(metrics)


class CardHosts:
    """The hosts of a run: an actor that owns them, so that they end with the run and not with a trial."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.hosts: dict[tuple[str, str | None, bool], Any] = {}

    def host(self, node: str, card: str | None, tf32: bool) -> Any:
        """Return the host of a node's card (None: of its CPUs), a new one where the last one has died."""
        key = node, card, tf32
        with suppress(KeyError, RayActorError):
            ray.get(self.hosts[key].__ray_ready__.remote())
            return self.hosts[key]
        actor: Any = ray.remote(CardHost)
        options = {"num_cpus": 0, "max_concurrency": self.calls, "scheduling_strategy": _on(node)}
        self.hosts[key] = actor.options(**options).remote(card)
        return self.hosts[key]


class CardHost:
    """A process that trains the trials of a card, each in a thread."""

    def __init__(self, card: str | None) -> None:
        if card is not None:
            # Ray hides all cards from an actor that takes none; torch has not looked yet.
            os.environ["CUDA_VISIBLE_DEVICES"] = card
        self.trials: dict[str, TrialThread] = {}
        self.streams: list[Any] = []

    def start(self, job: dict[str, Any], process: int) -> None:
        """Make ready to train a trial for as long as a process of this node lives, after an earlier attempt at it."""
        before = self.trials.pop(job["out"], None)
        if before is not None:
            before.thread.join()
        self.trials[job["out"]] = TrialThread(
            job["name"], partial(self._train, job), partial(is_alive, process)
        )

    def next(self, out: str) -> dict[str, Any] | None:
        """Let the trial of a folder go on until its next report, and return that; None at its end."""
        return self.trials[out].next()

    def _train(
        self, job: dict[str, Any], report: EpochCallback, each_step: Callable[[], None]
    ) -> None:
        with own_stream(self.streams) if job["gpus"] else nullcontext():
            train_rank(job, Ranks(), "", report, each_step)


@contextmanager
def own_stream(
    free: list[Any],
    new: Callable[[], Any] = lambda: torch.cuda.Stream(),
    used: Callable[[Any], AbstractContextManager] = lambda stream: torch.cuda.stream(stream),
) -> Iterator[None]:
    """Compute on a stream that no other thread uses, one of the `free` ones, whose memory is there to be used again.

    A card that does not come to an end with it has an error that stays with its process, which therefore ends here.
    """
    stream = free.pop() if free else new()
    try:
        with used(stream):
            yield
    finally:
        try:
            stream.synchronize()
        except RuntimeError:
            os._exit(1)
        free.append(stream)


def _on(node: str) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node, soft=False)
