"""The function that Ray Tune runs for one trial: it opens the features of this node, calls `train` and
reports every epoch.

A trial of several ranks is rank 0 itself; the others are actors in its placement group, one bundle each.
"""

import os
import socket
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import ray
import torch
from ray import tune
from ray.exceptions import RayActorError, RayTaskError
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from raysed.config.reader import validate
from raysed.config.trial import Trial
from raysed.data.features.store import FeatureSet, open_dataset
from raysed.exit_codes import is_out_of_memory
from raysed.run.folders import TrialFolder
from raysed.run.trial_state import DIED, MORE_MEMORY
from raysed.storage.folder import Folder
from raysed.storage.scratch import scratch
from raysed.training.ranks import Ranks, process_group
from raysed.training.train import EpochCallback, train
from raysed.training.trainer import DivergedError

_GRACE_S = 5.0
"""Seconds to wait for another rank's own error to arrive."""


def run_trial(config: dict[str, Any]) -> None:
    """Train one trial to its end.

    A trial that fails for its own reasons (a configuration or data fault, a diverged loss) notes its
    failure and reports so: retrying would fail the same way. What else goes wrong is noted there
    too and left to Tune, which tries again; the trial goes on from its own checkpoint.
    """
    job = config["job"]
    own = TrialFolder(Folder(job["out"]))
    if earlier := own.failure():
        # The reason of an earlier attempt must not stand for this one.
        own.note_failure(DIED, before=earlier.reason)
    try:
        if job["workers"] == 1:
            train_rank(job, Ranks(), address="", report=tune.report)
        else:
            _train_with_actors(job)
    except Exception as error:
        cause = error.cause if isinstance(error, RayTaskError) else error
        reason = f"{type(cause).__name__}: {cause}"
        if is_out_of_memory(cause):
            reason += f". Memory ran out; {MORE_MEMORY}"
        is_own = isinstance(cause, ValueError | DivergedError)
        # A full disk cannot hold the file; Tune passes the error on.
        with suppress(OSError):
            own.note_failure(reason, traceback=traceback.format_exc(), own=is_own)
        if not is_own:
            raise
        tune.report({"failed": reason})


def train_rank(
    job: dict[str, Any], ranks: Ranks, address: str, report: EpochCallback = lambda metrics: None
) -> None:
    """Train one rank of a trial in this process."""
    torch.set_num_threads(job["threads"])
    device = "cuda" if job["gpus"] else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "the trial was given a GPU, but torch finds none: check torch's CUDA build"
        )
    trial = validate(job["trial"], Trial, source=job["name"])
    sets = open_sets(job)
    out = Folder(job["out"])
    with process_group(ranks, address, device):
        train(trial, sets, out, seed=job["seed"], device=device, ranks=ranks, report=report)


def open_sets(job: dict[str, Any]) -> dict[str, FeatureSet]:
    """Open the trial's data sets, mapped from this node's cache."""
    opened = {name: open_dataset(url, job["cache"]) for name, url in job["sets"].items()}
    file = job.get("encoder")
    return {name: replace(each, encoder_file=file) for name, each in opened.items()}


def _train_with_actors(job: dict[str, Any]) -> None:
    with _meeting_point(ray.util.get_node_ip_address()) as address:
        _train_at(address, job)


@contextmanager
def _meeting_point(host: str) -> Iterator[str]:
    """Yield the address at which the ranks of a trial find each other, while they work."""
    if not host.startswith("127."):
        yield f"tcp://{host}:{_free_port(host)}"
        return
    # One machine: gloo must not look for another interface, and torch's store over TCP listens on all of them.
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    with scratch("raysed-ranks-") as place:
        yield f"file://{place}/ranks"


def _train_at(address: str, job: dict[str, Any]) -> None:
    actors = [_start_rank(job, rank) for rank in range(1, job["workers"])]
    over = threading.Event()
    try:
        # A node that cannot read the data fails here, not by a time-out of the process group.
        ray.get([actor.prepare.remote(job) for actor in actors])
        others = [
            actor.run.remote(job, rank, address, os.environ.get("GLOO_SOCKET_IFNAME"))
            for rank, actor in enumerate(actors, 1)
        ]
        _end_with(others, TrialFolder(Folder(job["out"])), over)
        try:
            train_rank(job, Ranks(0, job["workers"]), address, report=tune.report)
        except DivergedError:
            raise
        except RuntimeError:
            # A lost connection usually means that another rank has failed.
            _raise_failed(others)
            raise
        ray.get(others)
    finally:
        over.set()
        for actor in actors:
            ray.kill(actor)


def _start_rank(job: dict[str, Any], rank: int) -> Any:
    """Start the process of a rank in its bundle of the trial's placement group."""
    group = ray.util.get_current_placement_group()
    assert group is not None, "Tune gives every trial one"
    where = PlacementGroupSchedulingStrategy(
        placement_group=group, placement_group_bundle_index=rank
    )
    rank_actor: Any = ray.remote(_Rank)
    return rank_actor.options(
        max_restarts=0,
        num_cpus=job["threads"],
        num_gpus=job["gpus"],
        scheduling_strategy=where,
    ).remote()


def _raise_failed(others: list[ray.ObjectRef]) -> None:
    """Raise the error of a rank that has failed by now, if one has."""
    ready, _ = ray.wait(others, num_returns=len(others), timeout=_GRACE_S)
    ray.get(ready)


def _end_with(others: list[ray.ObjectRef], own: TrialFolder, over: threading.Event) -> None:
    """End this process when that of another rank dies before the trial is `over`; Tune then starts both anew.

    With gloo, rank 0 learns of the loss at once; with NCCL, only after the time-out of the process group.
    """

    def watch() -> None:
        left = others
        while left:
            ready, left = ray.wait(left)
            try:
                ray.get(ready)
            except RayTaskError:
                return
            except RayActorError as error:
                if not over.wait(_GRACE_S):
                    own.note_failure(f"a rank died: {error}")
                    os._exit(1)
                return

    threading.Thread(target=watch, daemon=True, name="ranks").start()


class _Rank:
    """A rank above 0: a process of its own in the trial's placement group."""

    def prepare(self, job: dict[str, Any]) -> None:
        """Convert and map the data on this node."""
        open_sets(job)

    def run(self, job: dict[str, Any], rank: int, address: str, interface: str | None) -> None:
        """Train until rank 0 has finished."""
        if interface:
            os.environ["GLOO_SOCKET_IFNAME"] = interface
        train_rank(job, Ranks(rank, job["workers"]), address)


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]
