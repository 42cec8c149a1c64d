"""The function that Ray Tune runs for one trial: it trains, and reports every epoch.

A trial of several ranks is rank 0 itself; the others are actors in its placement group, one bundle each. A trial that is a
thread of its card's process (raysed.tune.card_hosts) hands its job over and passes reports on.
"""

import os
import socket
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import ray
from ray import tune
from ray.exceptions import RayActorError, RayTaskError
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from raysed.exit_codes import is_out_of_memory
from raysed.run.folders import TrialFolder
from raysed.run.trial_state import DIED, MORE_MEMORY
from raysed.storage.folder import Folder
from raysed.storage.scratch import scratch
from raysed.training.ranks import Ranks
from raysed.training.trainer import DivergedError
from raysed.tune.card_hosts import train_on_card
from raysed.tune.trial_job import open_sets, train_rank

_GRACE_S = 5.0
"""Seconds to wait for another rank's own error to arrive."""


def run_trial(config: dict[str, Any]) -> None:
    """Train one trial to its end.

    A trial that fails for its own reasons (a configuration or data fault, a diverged loss) notes its
    failure and reports so: retrying would fail the same way. What else goes wrong is noted there
    too and left to Tune, which tries again; the trial goes on from its own checkpoint. An attempt after one that
    failed shares no process with other trials, so that it cannot end them again.
    """
    job = config["job"]
    own = TrialFolder(Folder(job["out"]))
    if earlier := own.failure():
        # The reason of an earlier attempt must not stand for this one.
        own.note_failure(DIED, before=earlier.reason)
    try:
        if job["workers"] > 1:
            _train_with_actors(job)
        elif job["hosts"] and not earlier:
            train_on_card(job, tune.report)
        else:
            train_rank(job, Ranks(), address="", report=tune.report)
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
