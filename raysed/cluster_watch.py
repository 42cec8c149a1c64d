"""The end of a command whose Ray is gone. Ray 2.58 itself waits for ever, or ends the process with code 1."""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import ray

from raysed.exit_codes import ending
from raysed.interrupts import was_interrupted

_EVERY_S = 1.0
_CONNECT_S = 5.0
# A control server can be started again elsewhere (KubeRay); Ray gives it up after 60 s.
_CONTROL_S = 30.0
# This node's own cannot; Ray ends the process about 15 s after its end.
_NODE_S = 4.0

Tell = Callable[[BaseException], None]


@dataclass(frozen=True)
class Server:
    """A process of Ray's that this command cannot do without."""

    name: str
    host: str
    port: int
    patience_s: float

    def answers(self) -> bool:
        """Return whether it takes connections."""
        try:
            socket.create_connection((self.host, self.port), _CONNECT_S).close()
        except OSError:
            return False
        return True


class ClusterWatch:
    """A thread that looks at Ray's servers, and ends this process where one of them is gone."""

    def __init__(self, servers: list[Server], end: Callable[[RuntimeError], None]) -> None:
        # Of one that we cannot reach (through a proxy) nothing is known.
        self.servers = [server for server in servers if server.answers()]
        self._end, self._over = end, threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True, name="cluster-watch")
        self.thread.start()

    def stop(self) -> None:
        """Stop looking, unless a server is gone: whatever waits for it is to be ended."""
        if all(server.answers() for server in self.servers):
            self._over.set()

    def _look(self) -> None:
        seen = {server: time.monotonic() for server in self.servers}
        while not self._over.wait(_EVERY_S):
            for server in self.servers:
                now = time.monotonic()
                if server.answers():
                    seen[server] = now
                elif now - seen[server] > server.patience_s and not self._over.is_set():
                    reason = (
                        f"{server.name} at {server.host}:{server.port} has not answered for"
                        f" {now - seen[server]:.0f} s: it has died, or its machine was lost"
                    )
                    return self._end(RuntimeError(reason))


_told: list[Tell] = []
"""Those who want to know; a process has one Ray."""


@contextmanager
def told_of_loss(tell: Tell) -> Iterator[None]:
    """Within, `tell` gets the error before the process ends, in the thread of the watch."""
    _told.append(tell)
    try:
        yield
    finally:
        _told.remove(tell)


def watch_cluster() -> ClusterWatch:
    """Watch the Ray that this process has joined or started."""
    host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
    servers = [Server("Ray's control server", host, int(port), _CONTROL_S)]
    here = ray.get_runtime_context().get_node_id()
    for node in ray.nodes():
        if node["NodeID"] == here:
            address = node["NodeManagerAddress"], node["NodeManagerPort"]
            servers.append(Server("Ray's server of this node", *address, _NODE_S))
    return ClusterWatch(servers, _end)


def _end(loss: RuntimeError) -> None:
    """End this process as the error would; its main thread may wait in Ray's code for ever.

    After an interrupt it ends as interrupted: Ray has got the same signal, or goes because this process does.
    """
    error = KeyboardInterrupt() if was_interrupted() else loss
    end = ending(error)
    try:
        for tell in _told:
            tell(error)
        lines = [f"{end.head}: {error}" if str(error) else end.head, end.advice]
        print("\n".join(filter(None, lines)), file=sys.stderr, flush=True)
        sys.stdout.flush()
    finally:
        os._exit(end.code)
