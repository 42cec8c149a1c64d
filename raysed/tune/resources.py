"""The resources that a trial takes of the cluster, and the number of trials that it holds at once."""

from collections.abc import Sequence
from dataclasses import replace

import ray

from raysed.config.space import ResolvedSpace, on_device
from raysed.data.features.shards import MANIFEST
from raysed.ray_cluster import check_visible
from raysed.run.folders import STATUS
from raysed.run.run_plan import RunPlan
from raysed.storage.folder import Folder

_SHARE = 0.25
"""Share of a GPU for a trial of one worker. Not measured yet: `make gpu-check` times 1, 2, 4 and 8 on one."""
Node = dict[str, float]
"""The resources of a node, by Ray's names: CPU, GPU."""


def concurrent_trials(resolved: ResolvedSpace) -> int:
    """Return how many trials the cluster holds at once. Raises ValueError where it cannot hold one."""
    return trials_on(resolved, cluster_nodes())


def cluster_nodes() -> list[Node]:
    """Return the resources of the nodes of the cluster that this process has joined."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def settle_gpus(resolved: ResolvedSpace, nodes: Sequence[Node]) -> ResolvedSpace:
    """Return `gpus_per_worker: auto` as a number: a quarter of a GPU (a whole one for each of several ranks)
    where a node has one, else none.
    """
    each = resolved.space.resources
    if each.gpus_per_worker != "auto":
        return resolved
    share = _SHARE if each.workers == 1 else 1.0
    gpus = share if any(node.get("GPU", 0) for node in nodes) else 0.0
    settled = each.model_copy(update={"gpus_per_worker": gpus})
    return replace(resolved, space=resolved.space.model_copy(update={"resources": settled}))


def settle_precision(resolved: ResolvedSpace, run: Folder) -> ResolvedSpace:
    """Return the trainings with `precision: auto` settled: as the run began, else by the device that trials
    take (a CPU as long as `gpus_per_worker: auto` is open).

    Runs made before TF32 was a choice began in float32, on GPUs too.
    """
    stored = RunPlan.read(run)
    begun = {training.id for training in stored.trainings} if stored else set()
    for device in ("cpu", "cuda"):
        settled = on_device(resolved, device)
        if {training.id for training in settled.trainings} == begun:
            return settled
    open_or_none = resolved.space.resources.gpus_per_worker in (0.0, "auto")
    return on_device(resolved, "cpu" if open_or_none else "cuda")


def check_nodes(run: Folder, data_sets: Sequence[str]) -> None:
    """Raise ValueError where a node does not see the run's folder or a data set's, if these are paths."""
    files = {"the run": f"{run.url}/{STATUS}"} if run.is_local else {}
    files |= {f"data set {url}": f"{url}/{MANIFEST}" for url in data_sets if Folder(url).is_local}
    if len(cluster_nodes()) > 1 and files:
        check_visible(files)


def trials_on(resolved: ResolvedSpace, nodes: Sequence[Node]) -> int:
    """Return how many trials these nodes hold at once. Raises ValueError where they cannot hold one."""
    if not any(node.get("CPU") for node in nodes):
        raise ValueError(
            "no node of the cluster has CPUs yet: its workers are still starting, or its autoscaler keeps none"
            " (minReplicas, min_workers); wait until `ray status` lists them"
        )
    bundles = bundles_of(resolved)
    # A rank needs all of its resources on one node. The tolerance makes three thirds of a GPU one GPU.
    ranks = sum(
        min(int(node.get(kind, 0) / amount + 1e-6) for kind, amount in bundles[0].items())
        for node in nodes
    )
    if ranks < len(bundles):
        have = [{kind: node.get(kind, 0) for kind in bundles[0]} for node in nodes]
        raise ValueError(
            f"a trial needs {len(bundles)} x {bundles[0]}, the cluster's nodes have {have}:"
            " lower `resources` in the space"
        )
    return ranks // len(bundles)


def bundles_of(resolved: ResolvedSpace) -> list[dict[str, float]]:
    """Return one bundle of resources for each rank."""
    each = resolved.space.resources
    bundle = {"CPU": float(each.cpus_per_worker)}
    if each.gpus:
        bundle["GPU"] = each.gpus
    return [dict(bundle) for _ in range(each.workers)]
