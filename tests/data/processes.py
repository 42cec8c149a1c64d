"""Finding and killing Ray's workers: only those under this process, since others use Ray here too."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path


def workers(title: str) -> list[int]:
    """Living descendants of this process whose title (Ray shows the task there) starts so."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    found, family = [], [os.getpid()]
    while family:
        process = family.pop()
        family += parents.get(process, [])
        if _title(process).startswith(title):
            found.append(process)
    return sorted(found)


def kill_in_mid_work(title: str, timeout_s: float = 60.0, at: Path | None = None) -> int:
    """Kill -9 a worker while it runs the task of this title (and has files below `at` open): it is
    stopped first, and seen to be in it still.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        for process in workers(title):
            if at is not None and not _has_open(process, at):
                continue
            try:
                os.kill(process, signal.SIGSTOP)
                if _title(process).startswith(title):
                    os.kill(process, signal.SIGKILL)
                    return process
                os.kill(process, signal.SIGCONT)
            except ProcessLookupError:
                continue
    raise TimeoutError(f"no worker was seen at {title}")


def signalled(processes: list[int], number: signal.Signals) -> None:
    """Send those that are still there a signal."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def _has_open(process: int, folder: Path) -> bool:
    for file in Path(f"/proc/{process}/fd").glob("*"):
        with suppress(OSError):
            if file.readlink().is_relative_to(folder.resolve()):
                return True
    return False


def _title(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text().rstrip("\0")
    except OSError:
        return ""
