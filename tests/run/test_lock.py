"""One driver per run, with the system's locks and without them."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem

from raysed.run import lock
from raysed.run.lock import STALE_S, RunBusyError
from raysed.run.status import RunStatus
from raysed.storage.folder import Folder
from tests.paths import ROOT


class Remote(LocalFileSystem):
    """Local files that look like an object store's."""

    protocol = "remote"

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(str(path).removeprefix("remote://"))


fsspec.register_implementation("remote", Remote, clobber=True)


@pytest.fixture(params=["local", "remote"])
def run(request, tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "_SETTLE_S", 0.0)
    return Folder(f"{'remote://' if request.param == 'remote' else ''}{tmp_path}/run")


def stored(run):
    return json.loads(run.read("status.json"))


def left_by(run, *, host=None, pid=1, age_s=0.0, exit_code=None):
    """A status as another driver left it."""
    content = {
        "state": "running",
        "exit_code": exit_code,
        "heartbeat": time.time() - age_s,
        "driver": {"host": host or socket.gethostname(), "pid": pid},
    }
    run.write("status.json", json.dumps(content).encode())
    return content


def dead_pid():
    return int(subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                              capture_output=True, check=True).stdout)  # fmt: skip


def test_a_second_driver_is_refused_by_name_and_the_first_goes_on(run):
    # No heartbeat comes between two looks.
    with RunStatus(run, every_s=1e6) as first:
        before = stored(run)
        message = rf"process {os.getpid()} on {socket.gethostname()}"
        with pytest.raises(RunBusyError, match=message), RunStatus(run):
            pass
        assert stored(run) == before
        first.update("done", exit_code=0)
    assert stored(run)["exit_code"] == 0
    with RunStatus(run):
        assert stored(run)["state"] == "starting"


def test_a_live_heartbeat_of_another_machine_is_refused(run, monkeypatch):
    now = time.time()
    monkeypatch.setattr(lock.time, "time", lambda: now)
    left = left_by(run, host="elsewhere", pid=77, age_s=5)
    with pytest.raises(RunBusyError, match=r"process 77 on elsewhere, its last heartbeat 5 s ago"):
        RunStatus(run).__enter__()
    assert stored(run) == left


@pytest.mark.parametrize(
    "left",
    [
        {"host": "elsewhere", "age_s": STALE_S + 1},
        {"host": "elsewhere", "exit_code": 130},
        {"pid": "dead"},
    ],
    ids=["stale", "ended", "dead"],
)
def test_a_run_that_nobody_drives_is_taken_over(run, left):
    left_by(run, **{**left, "pid": dead_pid()})
    with RunStatus(run):
        assert stored(run)["driver"]["pid"] == os.getpid()


def test_a_status_that_could_not_be_ended_is_no_driver_where_the_lock_is_free(tmp_path):
    run = Folder(str(tmp_path))
    left_by(run, pid=os.getpid())  # on a full disk the last state was not written
    with RunStatus(run):
        assert stored(run)["state"] == "starting"


def test_of_two_that_start_at_once_without_locks_the_later_wins(tmp_path, monkeypatch):
    run = Folder(f"remote://{tmp_path}/run")
    monkeypatch.setattr(lock.time, "sleep", lambda s: left_by(run, host="later", pid=5))
    with pytest.raises(RunBusyError, match="process 5 on later"), RunStatus(run):
        pass


_RACE = """
import sys, time
from raysed.storage.folder import Folder
from raysed.run.lock import RunBusyError
from raysed.run.status import RunStatus
print("ready", flush=True)
moment = float(sys.stdin.readline())
while time.time() < moment:
    pass
try:
    with RunStatus(Folder(sys.argv[1])):
        print("drove", flush=True)
        sys.stdin.readline()
except RunBusyError:
    print("refused", flush=True)
"""


def test_of_four_that_start_at_the_same_moment_one_drives(tmp_path):
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACE, str(tmp_path / "run")],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )
        for _ in range(4)
    ]  # fmt: skip
    assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 4
    moment = time.time() + 0.5
    for racer in racers:
        racer.stdin.write(f"{moment}\n")
    # Whoever drives goes on until all have tried.
    said = sorted(racer.stdout.readline() for racer in racers)
    for racer in racers:
        racer.communicate()
    assert said == ["drove\n", "refused\n", "refused\n", "refused\n"]


def test_the_lock_ends_with_its_holder(tmp_path: Path):
    code = (
        "import os; from raysed.storage.folder import Folder; from raysed.run.status import RunStatus;"
        f"RunStatus(Folder({str(tmp_path)!r})).__enter__(); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert killed.returncode == -9
    assert stored(Folder(str(tmp_path)))["state"] == "starting"
    with RunStatus(Folder(str(tmp_path))):
        assert stored(Folder(str(tmp_path)))["driver"]["pid"] == os.getpid()


def test_a_process_is_alive_until_it_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert lock.is_alive(process.pid) and lock.is_alive(1)
    process.kill()
    process.wait()
    assert not lock.is_alive(process.pid)
