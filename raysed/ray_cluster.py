"""The Ray cluster that work runs on: joining or starting it, its nodes, and the files that they see."""

import atexit
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import ray
from ray._private.grpc_utils import init_grpc_channel
from ray.exceptions import AuthenticationError, TaskUnschedulableError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from raysed.cluster_watch import watch_cluster
from raysed.local_ray import init_ray, read_token_anew, start_local

_TOKEN = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_TOKEN")
_NO_TOKEN = "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH or RAY_AUTH_TOKEN to its token"
# Seconds that a busy head node may take to answer.
_ANSWER_S = 60.0


def start_ray(address: str | None = None) -> None:
    """Join the Ray at `address`, or start one on this machine, unless this process has one.

    ValueError for an address where no Ray answers, a token that it refuses, another version than its own, and
    for temporary folders that no Ray can use; RuntimeError for a Ray that does not start.
    """
    if ray.is_initialized():
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # A submitted job finds its cluster in the environment.
    address = address or os.environ.get("RAY_ADDRESS")
    place = f"the Ray at {address}" if address else "a Ray on this machine"
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.WARNING}
    try:
        if address:
            read_token_anew()
            _check_answer(address)
            init_ray(address=address, **quiet)
        else:
            start_local(**quiet)
        if not (address or "").startswith("ray://"):  # of Ray's client, only its proxy is seen here
            atexit.register(watch_cluster().stop)
    except AuthenticationError as error:
        have = [name for name in _TOKEN if os.environ.get(name)] or ["none of them"]
        raise ValueError(
            f"{place} refuses us: {_NO_TOKEN} (set here: {', '.join(have)})"
        ) from error
    except Exception as error:  # Ray's own class for a node that did not start
        if "Version mismatch" in str(error):
            raise ValueError(f"{place} is of another version. {error}".rstrip()) from error
        if isinstance(error, ValueError):
            raise
        raise RuntimeError(f"{place} cannot be used: {error}") from error


def _check_answer(address: str) -> None:
    """Ask HOST:PORT once. `ray.init` would try for minutes, and would report neither a wrong token nor a
    wrong port.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():  # `auto` and ray:// are handled by Ray
        return
    ask = init_grpc_channel(address).unary_unary("/ray.rpc.NodeInfoGcsService/CheckAlive")
    try:
        ask(b"", timeout=_ANSWER_S)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            raise AuthenticationError(str(error.details())) from error
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            raise ValueError(f"no Ray answers at {address}: {error.details()}") from error


def nodes() -> list[dict[str, Any]]:
    """Return the nodes that are alive, as Ray describes them."""
    return [node for node in ray.nodes() if node["Alive"]]


def check_visible(paths: Mapping[str, str]) -> None:
    """Ask every node whether it sees these files and folders, given as `{description: absolute path}`.

    Raises ValueError naming each node that misses a path, and the path.
    """
    asked = [(node, _absent_on(node, paths)) for node in nodes()]
    faults = [
        f"node {node['NodeManagerAddress']} does not see {paths[what]} ({what})"
        for node, answer in asked
        for what in _answered(answer)
    ]
    if faults:
        advice = "every node must see the data under the same path: mount it there"
        raise ValueError("\n  ".join([advice, *faults]))


def _absent_on(node: Mapping[str, Any], paths: Mapping[str, str]) -> ray.ObjectRef:
    where = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    return _absent.options(scheduling_strategy=where).remote(dict(paths))


def _answered(answer: ray.ObjectRef) -> list[str]:
    """Return the answer of a node; a node that has died since it was asked counts as missing nothing."""
    try:
        return ray.get(answer)
    except TaskUnschedulableError:
        return []


@ray.remote(num_cpus=0)
def _absent(paths: dict[str, str]) -> list[str]:
    return [what for what, path in paths.items() if not Path(path).exists()]
