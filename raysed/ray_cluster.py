"""The Ray cluster that work runs on: joining or starting it, its nodes, and the files that they see."""

import atexit
import errno
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import ray
from ray._private.grpc_utils import init_grpc_channel
from ray._private.services import canonicalize_bootstrap_address
from ray.exceptions import (
    AuthenticationError,
    ObjectStoreFullError,
    OutOfDiskError,
    RayError,
    RayTaskError,
    TaskUnschedulableError,
)
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from raysed.cluster_watch import watch_cluster
from raysed.exit_codes import OUR_FAULT, REFUSED, StoppedError, ending, is_out_of_memory
from raysed.interrupts import handler_kept
from raysed.local_ray import init_ray, read_token_anew, start_local

_TOKEN = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_TOKEN")
_NO_TOKEN = "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH or RAY_AUTH_TOKEN to its token"
# Seconds that a busy head node may take to answer.
_ANSWER_S = 60.0


def start_ray(address: str | None = None) -> None:
    """Join the Ray at `address`, or start one on this machine, unless this process has one.

    ValueError for an address where no Ray answers, a token that it refuses, another version than its own, a machine
    that is none of its nodes, and for temporary folders that no Ray can use; StoppedError for a Ray that does not
    start.
    """
    if ray.is_initialized():
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # A submitted job finds its cluster in the environment.
    address = address or os.environ.get("RAY_ADDRESS")
    # Ray's own `local` would listen on all interfaces, and ask for no token.
    address = None if address == "local" else address
    place = f"the Ray at {address}" if address else "a Ray on this machine"
    try:
        with handler_kept():
            _start(address)
    except AuthenticationError as error:
        have = [name for name in _TOKEN if os.environ.get(name)] or ["none of them"]
        raise ValueError(
            f"{place} refuses us: {_NO_TOKEN} (set here: {', '.join(have)})"
        ) from error
    except Exception as error:  # Ray's own class for a node that did not start
        raise _told(error, place) from error
    atexit.register(watch_cluster().stop)


def _start(address: str | None) -> None:
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.WARNING}
    if address is None:
        start_local(**quiet)
        return
    if "://" in address:
        raise ValueError(
            f"{address}: Ray's client (ray://) cannot drive raysed: give HOST:PORT of the head on one of its nodes, or"
            " submit the command with `ray job submit`"
        )
    read_token_anew()
    if address == "auto":
        address = canonicalize_bootstrap_address(address)
    assert address is not None, "Ray raises where it finds none"
    _check_answer(address)
    init_ray(address=address, **quiet)


def _told(error: Exception, place: str) -> Exception:
    """Return the error of a Ray that cannot be used, in words that name it: a ValueError where only the user can mend it."""
    if "Version mismatch" in str(error):
        return ValueError(f"{place} is of another version. {error}".rstrip())
    if "No node info found" in str(error):
        return ValueError(
            f"{place} has no node on this machine: run the command on one of its nodes, or submit it with `ray job submit`"
        )
    if isinstance(error, ValueError):
        return error
    if isinstance(error, ConnectionError) or ending(error).code == REFUSED:
        return ValueError(f"{place} cannot be used: {error}")
    return StoppedError(
        f"{place} cannot be used: {error}", error if isinstance(error, OSError) else None
    )


def _check_answer(address: str) -> None:
    """Ask HOST:PORT once. `ray.init` would try for minutes, and would report neither a wrong token nor a
    wrong port.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(
            f"{address}: is no address of a Ray: expected HOST:PORT, or auto for one on this machine"
        )
    ask = init_grpc_channel(address).unary_unary("/ray.rpc.NodeInfoGcsService/CheckAlive")
    try:
        ask(b"", timeout=_ANSWER_S)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            raise AuthenticationError(str(error.details())) from error
        raise ValueError(f"no Ray answers at {address}: {error.details()}") from error


def _words(error: Exception) -> str:
    ours = ending(error) is OUR_FAULT or not str(error)
    return f"{type(error).__name__}: {error}" if ours else str(error)


@contextmanager
def ray_errors(work: str) -> Iterator[None]:
    """Within, an error of Ray's is a StoppedError which says what became of `work`, such as `the build`."""
    try:
        yield
    except RayTaskError as error:
        # What went wrong, without the worker's traceback; that is in `__cause__`.
        cause = error.cause if isinstance(error.cause, Exception) else None
        raise StoppedError(f"{work}: {_words(cause or error)}", cause) from error
    except (ObjectStoreFullError, OutOfDiskError) as error:
        full = OSError(errno.ENOSPC, "Ray's disk or shared memory is full")
        raise StoppedError(f"Ray stopped {work}: {error}", full) from error
    except RayError as error:
        cause = error if is_out_of_memory(error) else None
        raise StoppedError(f"Ray stopped {work}: {error}", cause) from error


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
