"""What ends a command whose Ray is gone."""

import os
import socket
import subprocess
import sys
import threading

import pytest

from raysed import cluster_watch
from raysed.cluster_watch import ClusterWatch, Server, told_of_loss
from tests.paths import ROOT


def listening() -> tuple[socket.socket, Server]:
    """A server of no patience on a port of its own."""
    server = socket.create_server(("127.0.0.1", 0))
    return server, Server("the server", *server.getsockname(), patience_s=0.0)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch):
    """Errors with which the process would have ended, and a mark that there is one."""
    monkeypatch.setattr(cluster_watch, "_EVERY_S", 0.01)
    errors: list[RuntimeError] = []
    ended = threading.Event()
    return errors, ended, lambda error: (errors.append(error), ended.set())


def test_a_server_that_goes_ends_the_process(told) -> None:
    errors, ended, end = told
    file, server = listening()
    ClusterWatch([server], end)
    file.close()
    assert ended.wait(60)
    (error,) = errors
    assert f"the server at 127.0.0.1:{server.port} has not answered for" in str(error)


def test_none_of_what_cannot_be_reached_at_first_is_watched(told) -> None:
    file, server = listening()
    file.close()
    watch = ClusterWatch([server], told[2])
    assert watch.servers == []
    watch.stop()


def test_stopped_it_ends_nothing(told) -> None:
    errors, _, end = told
    file, server = listening()
    watch = ClusterWatch([server], end)
    watch.stop()
    file.close()
    watch.thread.join(60)
    assert not watch.thread.is_alive() and errors == []


def test_it_does_not_stop_where_a_server_is_gone(told) -> None:
    _, ended, end = told
    file, server = listening()
    watch = ClusterWatch([server], end)
    file.close()
    watch.stop()
    assert ended.wait(60)


_ENDS = """
from raysed.cluster_watch import _end, told_of_loss
with told_of_loss(lambda error: print("told of", error)):
    _end(RuntimeError("the loss"))
print("went on")
"""


def test_the_end_is_that_of_a_stopped_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ENDS], cwd=ROOT, env=os.environ, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "told of the loss\n")
    assert done.stderr.startswith("stopped: the loss\nData sets and runs keep")


def test_after_an_interrupt_it_is_that_of_an_interrupted_command() -> None:
    """A shell's signal goes to Ray's processes too; the main thread may be held in Ray's code."""
    asked = "import os, signal\nfrom raysed.interrupts import interruptible\n" + _ENDS.replace(
        "    _end(",
        """    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt:
        _end(""",
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, env=os.environ, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (130, "told of \n")
    assert done.stderr == "interrupted\n"


def test_nobody_is_told_afterwards() -> None:
    with told_of_loss(print):
        assert cluster_watch._told == [print]
    assert cluster_watch._told == []
