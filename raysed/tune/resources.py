"""What a trial takes of the cluster, and how many trials it holds at once."""

from collections.abc import Sequence

import ray

from raysed.config.space import ResolvedSpace
from raysed.data.folder import Folder
from raysed.data.job import check_visible
from raysed.data.shards import MANIFEST

Node = dict[str, float]
"""What a node has, by Ray's names: CPU, GPU."""


def concurrent_trials(resolved: ResolvedSpace) -> int:
    """How many trials the cluster holds at once. Raises ValueError where it cannot hold one."""
    return trials_on(resolved, cluster_nodes())


def cluster_nodes() -> list[Node]:
    """What the nodes of the cluster that this process has joined have."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def check_nodes(run: Folder, data_sets: Sequence[str]) -> None:
    """Raise ValueError where a node does not see the run's folder or a data set's, if these are paths."""
    files = {"the run": f"{run.url}/status.json"} if run.is_local else {}
    files |= {f"data set {url}": f"{url}/{MANIFEST}" for url in data_sets if Folder(url).is_local}
    if len(cluster_nodes()) > 1 and files:
        check_visible(files)


def trials_on(resolved: ResolvedSpace, nodes: Sequence[Node]) -> int:
    """How many trials these nodes hold at once. Raises ValueError where they cannot hold one."""
    bundles = bundles_of(resolved)
    # A rank needs all of its resources on one node. The tolerance: three thirds of a GPU are one.
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
    """One bundle of resources per rank."""
    each = resolved.space.resources
    bundle = {"CPU": float(each.cpus_per_worker)}
    if each.gpus_per_worker:
        bundle["GPU"] = each.gpus_per_worker
    return [dict(bundle) for _ in range(each.workers)]
