"""The machine's counters of energy: NVML for a GPU, RAPL for the CPUs, and this process's share of what they count.

A counter tells the energy of a whole card, or of all processors. A process's share of a card is one part in as many as
compute on it; its share of the processors is its part of the CPU seconds that the machine spent. So trials that share
a card or a node share its energy, that of idling included.
"""

import importlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch

POWERCAP = Path("/sys/class/powercap")
_STAT = Path("/proc/stat")


class Counter(Protocol):
    """A counter of energy."""

    kind: str
    """`gpu` or `cpu`."""

    def since_last(self) -> float:
        """Return the joules that this process took since the last call, 0 at the first. Raises where it cannot tell."""
        ...


class GpuCounter:
    """The energy counter of a card, by NVML (package nvidia-ml-py), divided by the processes that compute on it."""

    kind = "gpu"

    def __init__(self, nvml: Any, uuid: str) -> None:
        self.nvml = nvml
        nvml.nvmlInit()
        self.card = nvml.nvmlDeviceGetHandleByUUID(uuid)
        self.last_mj: int | None = None

    def since_last(self) -> float:  # noqa: D102
        now_mj = self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.card)
        sharing = len(self.nvml.nvmlDeviceGetComputeRunningProcesses(self.card))
        before, self.last_mj = self.last_mj, now_mj
        return 0.0 if before is None else (now_mj - before) / 1000 / max(sharing, 1)


class CpuCounter:
    """The RAPL counters of all processor packages and their memory, times this process's part of the CPU seconds."""

    kind = "cpu"

    def __init__(self, powercap: Path = POWERCAP, stat: Path = _STAT) -> None:
        self.zones = [zone for zone in sorted(powercap.glob("intel-rapl:*")) if _counts(zone)]
        if not self.zones:
            raise FileNotFoundError(f"{powercap} has no counter of a processor package")
        self.stat = stat
        self.most_uj = [_number(zone / "max_energy_range_uj") for zone in self.zones]
        self.last: tuple[list[int], float, float] | None = None

    def since_last(self) -> float:  # noqa: D102
        now_uj = [_number(zone / "energy_uj") for zone in self.zones]
        now = now_uj, time.process_time(), busy_s(self.stat.read_text())
        before, self.last = self.last, now
        if before is None:
            return 0.0
        # A counter that has gone round begins at 0 again.
        turns = zip(now_uj, before[0], self.most_uj, strict=True)
        joules = sum((new - old) % (most + 1) for new, old, most in turns) / 1e6
        own_s, all_s = now[1] - before[1], now[2] - before[2]
        return joules * (min(1.0, own_s / all_s) if all_s > 0 else 1.0)


def busy_s(stat: str) -> float:
    """Return the CPU seconds that all processors of a machine have worked, by the text of /proc/stat."""
    user, nice, system, _idle, _wait, *more = map(int, stat.splitlines()[0].split()[1:])
    return (user + nice + system + sum(more[:3])) / os.sysconf("SC_CLK_TCK")


def _counts(zone: Path) -> bool:
    """Tell whether a zone is a package or its memory; others are parts of these, or of a whole platform."""
    name = (zone / "name").read_text().strip()
    return name.startswith("package") or name == "dram"


def _number(path: Path) -> int:
    return int(path.read_text())


def open_counters(device: str) -> tuple[list[Counter], dict[str, str]]:
    """Return the counters for a trial on a device, each read once, and the reason for each kind that has none."""
    wanted: dict[str, Callable[[], Counter]] = {"cpu": CpuCounter}
    if device.startswith("cuda"):
        wanted = {"gpu": lambda: _gpu_counter(device), **wanted}
    found: list[Counter] = []
    missing: dict[str, str] = {}
    for kind, opened in wanted.items():
        try:
            counter = opened()
            counter.since_last()
        # NVML's errors have no common parent but Exception, and no fault here may end a training.
        except Exception as error:
            missing[kind] = f"{type(error).__name__}: {error}"
        else:
            found.append(counter)
    return found, missing


def _gpu_counter(device: str) -> Counter:
    # By its name, since it is there only where somebody installed nvidia-ml-py, which the extra `gpu` brings.
    nvml = importlib.import_module("pynvml")
    return GpuCounter(nvml, f"GPU-{torch.cuda.get_device_properties(device).uuid}")
