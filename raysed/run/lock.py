"""The lock of a run: a second driver is refused with a message that names the first.

On a local or shared file system a lock of the operating system decides; it has no race and ends with its
holder, also by kill -9. Where there are no such locks (object stores, some network file systems) the
heartbeat in `status.json` decides, with clocks that agree to within a minute. What remains there: of two
drivers that start within the same second both go on if one writes its status later than a second after
the other did; and a driver that slept longer than a minute wakes up beside its successor. Even then no
trial's result is wrong, as trials are deterministic and files are written whole; work is done twice.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from raysed.run.folders import LOCK
from raysed.run.status_file import Driver, StatusFile
from raysed.storage.file_lock import file_lock
from raysed.storage.folder import Folder

HEARTBEAT_S = 10.0
STALE_S = 60.0
"""A driver without a heartbeat for this long is considered dead."""
_SETTLE_S = 1.0


class RunBusyError(ValueError):
    """Another driver is at work on the run."""


def this_driver() -> Driver:
    """Return who this process is, as `status.json` shows it."""
    return Driver(host=socket.gethostname(), pid=os.getpid(), since=time.time())


@contextmanager
def system_lock(run: Folder) -> Iterator[bool]:
    """Hold the run's lock; yields whether the file system has one. Raises RunBusyError."""
    if not run.is_local:
        yield False
        return
    with ExitStack() as held:
        try:
            has_lock = held.enter_context(file_lock(Path(run.url, LOCK), wait=False))
        except BlockingIOError as error:
            raise RunBusyError(_busy(run, _driver(run))) from error
        yield has_lock


def check_heartbeat(run: Folder, has_lock: bool) -> None:
    """Raise RunBusyError where `status.json` shows another driver alive.

    A holder of the system's lock knows that no other driver is on this machine.
    """
    status = StatusFile.read(run)
    if status is None or status.driver is None or status.exit_code is not None:
        return
    driver, age_s = status.driver, time.time() - status.heartbeat
    if age_s > STALE_S:
        return
    here = driver.host == socket.gethostname()
    if here and (has_lock or not is_alive(driver.pid)):
        return
    raise RunBusyError(
        f"{_busy(run, driver)}, its last heartbeat {max(age_s, 0):.0f} s ago. If it is dead, the run"
        f" is free {STALE_S:.0f} s after that"
    )


def check_free(run: Folder) -> None:
    """Raise RunBusyError where a driver is at work; makes no folder."""
    if run.is_local and not Path(run.url, LOCK).exists():
        return
    with system_lock(run) as has_lock:
        check_heartbeat(run, has_lock)


def check_still_ours(run: Folder, mine: Driver) -> None:
    """Raise RunBusyError if another driver wrote its status after us; for places where only the heartbeat
    decides.
    """
    time.sleep(_SETTLE_S)
    driver = _driver(run)
    if driver != mine:
        raise RunBusyError(_busy(run, driver))


def _driver(run: Folder) -> Driver | None:
    status = StatusFile.read(run)
    return status.driver if status else None


def _busy(run: Folder, driver: Driver | None) -> str:
    who = f"process {driver.pid} on {driver.host}" if driver else "an unknown process"
    return f"{run.url}: another driver is at work on this run: {who}"


def is_alive(pid: int) -> bool:
    """Tell whether a process of this node is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
