"""A Ray of this process's own on this machine: on loopback, with a token, in a private folder."""

import atexit
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import ray
from ray._private import ray_constants
from ray._private.node import Node
from ray._raylet import AuthenticationTokenLoader, Config  # pyrefly: ignore[missing-module-attribute]

from raysed.storage.scratch import scratch

_PREFIX = "raysed-ray-"
_LONGEST_SOCKET = 107 if os.uname().sysname == "Linux" else 103
"""Bytes of a Unix socket's path."""
_SOCKET = f"/{_PREFIX}12345678/r/session_2000-01-01_00-00-00_000000_1234567/sockets/plasma_store"
_LOOPBACK = "127.0.0.1"
_STARTS = 3
_UNUSED = ("start_log_monitor", "start_monitor", "start_api_server")
"""Methods of Ray's node."""


def start_local(**settings: Any) -> None:
    """Start a Ray that ends with this process; nobody without its token, which no file holds, is let in.

    ValueError where no temporary folder's path is short enough for Ray's sockets.
    """
    held = ExitStack()
    folder = held.enter_context(scratch(_PREFIX, short_parent()))
    atexit.register(_end, held)
    with private_ray(), _without_unused():
        init_ray(
            address="local",
            include_dashboard=False,
            _node_ip_address=_LOOPBACK,
            # Ray makes its own folder readable for everyone; the folder above it stays private.
            _temp_dir=f"{folder}/r",
            **settings,
        )


def _end(held: ExitStack) -> None:
    # Ray's own exit handler, which runs later, would write into the folder.
    ray.shutdown()
    held.close()


def init_ray(**where: Any) -> None:
    """Call `ray.init`, up to three times: a busy machine may need longer than the 30 s after which Ray gives
    up the node that it starts.
    """
    for left in reversed(range(_STARTS)):
        try:
            ray.init(**where)
            return
        except Exception as error:  # Ray's own class for a node that did not start
            if not left or "timed out during startup" not in str(error):
                raise


@contextmanager
def _without_unused() -> Iterator[None]:
    """Within, a Ray is started without three processes that nobody hears: the one that sends workers' output to drivers
    that want it, the one that asks a cloud for nodes, and what is left of the dashboard without its page, which reports
    usage. Ray knows a node without each, but `ray.init` does not ask.
    """
    kept = {name: getattr(Node, name) for name in _UNUSED}
    try:
        for name in kept:
            setattr(Node, name, lambda self, **settings: None)
        yield
    finally:
        for name, method in kept.items():
            setattr(Node, name, method)


@contextmanager
def private_ray() -> Iterator[None]:
    """Within, a Ray is started on loopback with a random token.

    Ray 2.58 replaces a loopback address that it is given by the machine's outward one, and its servers then listen on
    all interfaces; only where it believes that clusters are not supported, as on macOS, it does not. Its processes
    read that from the environment, this one has read it when Ray was imported. The environment is put back at
    the end: what was started has it, and joining another cluster later must not find this one's token.
    """
    mine = {
        ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR: "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
    before = {name: os.environ.get(name) for name in mine}
    clusters = ray_constants.ENABLE_RAY_CLUSTER
    os.environ.update(mine)
    ray_constants.ENABLE_RAY_CLUSTER = False
    read_token_anew()
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = clusters
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def read_token_anew() -> None:
    """Ray reads whether there is a token, and the token, when it is imported or first needs them."""
    AuthenticationTokenLoader.instance().reset_cache()
    Config.initialize("")


def short_parent() -> Path:
    """The folder for Ray's: RAY_TMPDIR or the temporary one, or, where its path is too long for sockets, one of the system's.

    Batch systems give every job a temporary folder of its own with a long name.
    """
    longest = _LONGEST_SOCKET - len(_SOCKET)
    wanted = [os.environ.get("RAY_TMPDIR"), tempfile.gettempdir(), "/tmp", "/var/tmp"]
    for name in filter(None, wanted):
        if len(os.fsencode(name)) <= longest and os.access(name, os.W_OK | os.X_OK):
            return Path(name)
    tried = ", ".join(dict.fromkeys(filter(None, wanted)))
    raise ValueError(
        f"no folder for the sockets of a Ray on this machine: its path must have at most {longest} characters and be"
        f" writable (tried {tried}): set RAY_TMPDIR to such a folder"
    )
