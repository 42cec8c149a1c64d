"""Running a command while its processes are watched: CPU seconds and peak resident memory of each kind.

The figures are read from /proc once a second, so the last second of a process may be missed, and so may a
process that lives for less. The peak is the kernel's own (VmHWM), pages shared with other processes included.
"""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_EVERY_S = 1.0
_KINDS = {
    "ray::_make_clips": "waveform worker",
    "ray::_Writer": "mel actor",
    "ray::IDLE": "idle worker",
}
_RAY = ("raylet", "gcs_server", "ray/_private", "ray/dashboard", "ray/util", "ray/autoscaler")


@dataclass
class Process:
    """The last figures of one process."""

    kind: str
    cpu_s: float
    peak_mb: float


@dataclass
class Watched:
    """The output of a command, and the resources that it took."""

    output: str
    wall_s: float
    processes: dict[tuple[int, int], Process] = field(default_factory=dict)

    @property
    def cpu_s(self) -> float:
        """Return the CPU seconds of all processes."""
        return sum(process.cpu_s for process in self.processes.values())

    def kinds(self) -> dict[str, dict[str, Any]]:
        """Return number, CPU seconds and the largest peak of each kind of process."""
        found: dict[str, list[Process]] = {}
        for process in self.processes.values():
            found.setdefault(process.kind, []).append(process)
        return {
            kind: {
                "processes": len(ones),
                "cpu_s": round(sum(one.cpu_s for one in ones), 1),
                "peak_rss_mb": round(max(one.peak_mb for one in ones)),
            }
            for kind, ones in found.items()
        }


def watch(command: Sequence[str], environment: Mapping[str, str], driver: str) -> Watched:
    """Run a command to its end; `driver` is the name of its own process. Raises RuntimeError where it fails."""
    started = time.perf_counter()
    with subprocess.Popen(command, env=dict(environment), stdout=subprocess.PIPE, text=True) as run:
        seen: dict[tuple[int, int], Process] = {}
        while True:
            look(run.pid, seen, driver)
            try:
                # Read all the while, so that a full pipe never stops it.
                output, _ = run.communicate(timeout=_EVERY_S)
                break
            except subprocess.TimeoutExpired:
                continue
    if run.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with exit code {run.returncode}")
    return Watched(output, time.perf_counter() - started, seen)


def look(root: int, seen: dict[tuple[int, int], Process], driver: str) -> None:
    """Note what the process `root` and all its descendants have taken by now.

    A process keeps its key (number and start) and counts on when its parent has died.
    """
    numbers = (path.name for path in Path("/proc").iterdir() if path.name.isdigit())
    table = {pid: stat for pid in numbers if (stat := _stat(pid))}
    family = {str(root)} | {str(pid) for pid, _ in seen}
    grown = True
    while grown:
        below = {pid for pid, stat in table.items() if stat[1] in family} - family
        grown, family = bool(below), family | below
    for pid in family & table.keys():
        stat = table[pid]
        key = (int(pid), int(stat[19]))
        if any(number == key[0] and start != key[1] for number, start in seen):
            continue
        try:
            peak, kind = _peak_mb(pid), _kind(pid, root, driver)
        except OSError:
            continue
        cpu_s = (int(stat[11]) + int(stat[12])) * _TICK_S
        before = seen.get(key)
        if before and (kind in ("idle worker", "other") or not peak):
            kind = before.kind
        seen[key] = Process(kind, cpu_s, max(peak, before.peak_mb if before else 0.0))


def _stat(pid: str) -> list[str] | None:
    """Return the fields of /proc/PID/stat after the name: state, parent, ..."""
    try:
        return Path("/proc", pid, "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None


def _peak_mb(pid: str) -> float:
    """Return the peak memory in MB, 0 for a process that is over and not yet waited for."""
    for line in Path("/proc", pid, "status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1e3
    return 0.0


def _kind(pid: str, root: int, driver: str) -> str:
    if pid == str(root):
        return driver
    command = Path("/proc", pid, "cmdline").read_bytes().replace(b"\0", b" ").decode()
    for start, kind in _KINDS.items():
        if command.startswith(start):
            return kind
    return "Ray's own" if any(part in command for part in _RAY) else "other"


def mapped_mb(ending: str) -> dict[str, float]:
    """Return the memory of this process in MB: all of it, and that of mapped files whose names end so.

    `pss` divides a page among all processes that map it.
    """
    found = dict.fromkeys(("rss", "pss", "private", "mapped_rss", "mapped_pss"), 0.0)
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, *rest = line.split()
        if not name.endswith(":"):
            inside = line.endswith(ending)
            continue
        if name in ("Rss:", "Pss:"):
            key = name[:-1].lower()
            found[key] += int(rest[0]) / 1e3
            found[f"mapped_{key}"] += int(rest[0]) / 1e3 * inside
        elif name in ("Private_Clean:", "Private_Dirty:"):
            found["private"] += int(rest[0]) / 1e3
    return {key: round(value, 1) for key, value in found.items()}
