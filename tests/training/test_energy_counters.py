"""A process's share of what made-up counters count; no counter is none, never 0."""

import time
from types import SimpleNamespace

import pytest

from raysed.training import energy_counters
from raysed.training.energy_counters import CpuCounter, GpuCounter, busy_s, open_counters


class Nvml:
    """NVML's functions on a made-up card."""

    def __init__(self, energy_mj, processes):
        self.energy_mj, self.processes = iter(energy_mj), iter(processes)

    def nvmlInit(self):  # noqa: N802
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid):  # noqa: N802
        return uuid

    def nvmlDeviceGetTotalEnergyConsumption(self, card):  # noqa: N802
        return next(self.energy_mj)

    def nvmlDeviceGetComputeRunningProcesses(self, card):  # noqa: N802
        return [SimpleNamespace(pid=n) for n in range(next(self.processes))]


def test_a_card_is_divided_by_its_processes():
    counter = GpuCounter(Nvml([5_000, 9_000, 15_000, 16_000], [1, 1, 3, 0]), "GPU-1")
    assert [counter.since_last() for _ in range(4)] == [0.0, 4.0, 2.0, 1.0]


def zone(powercap, name, what, energy_uj, most_uj=1_000_000_000):
    folder = powercap / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{what}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    (folder / "max_energy_range_uj").write_text(f"{most_uj}\n")
    return folder / "energy_uj"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Two packages and a memory that are counted, a core and a platform that are not; clocks that are set."""
    monkeypatch.setattr(energy_counters.os, "sysconf", lambda name: 100)
    own = {"s": 10.0}
    monkeypatch.setattr(time, "process_time", lambda: own["s"])
    powercap, stat = tmp_path / "powercap", tmp_path / "stat"
    zones = {
        "package": zone(powercap, "intel-rapl:0", "package-0", 1_000_000),
        "other": zone(powercap, "intel-rapl:1", "package-1", 999_000_000, 999_999_999),
        "dram": zone(powercap, "intel-rapl:0:1", "dram", 0),
        "core": zone(powercap, "intel-rapl:0:0", "core", 0),
        "platform": zone(powercap, "intel-rapl:2", "psys", 0),
    }
    stat.write_text("cpu  1000 0 0 5 6 0 0 0 0 0\n")
    return SimpleNamespace(powercap=powercap, stat=stat, zones=zones, own=own)


def test_packages_and_memory_times_the_part_of_the_cpu_seconds(machine):
    counter = CpuCounter(machine.powercap, machine.stat)
    assert counter.since_last() == 0.0
    machine.zones["package"].write_text("7000000")  # 6 J
    machine.zones["other"].write_text("1000000")  # has gone round: 1 J to the end, 1 J after
    machine.zones["dram"].write_text("4000000")  # 4 J
    machine.zones["core"].write_text("90000000")
    machine.zones["platform"].write_text("90000000")
    machine.own["s"] = 13.0  # 3 of 12 s
    machine.stat.write_text("cpu  1800 100 200 9999 9999 60 40 0 50 50\n")
    assert counter.since_last() == pytest.approx(12.0 * 3 / 12)


def test_a_process_takes_no_more_than_all(machine):
    counter = CpuCounter(machine.powercap, machine.stat)
    counter.since_last()
    machine.zones["package"].write_text("3000000")
    machine.own["s"] = 11.0
    assert counter.since_last() == pytest.approx(2.0), "the clock of the machine has not ticked yet"


def test_busy_seconds_are_without_waiting(monkeypatch):
    monkeypatch.setattr(energy_counters.os, "sysconf", lambda name: 100)
    assert busy_s("cpu  100 200 300 4000 5000 10 20 30 40 50\ncpu0 1") == pytest.approx(6.6)


def test_a_machine_without_counters_says_why(machine, tmp_path, monkeypatch):
    monkeypatch.setattr(CpuCounter.__init__, "__defaults__", (tmp_path / "none", machine.stat))
    found, missing = open_counters("cpu")
    assert found == [] and set(missing) == {"cpu"}
    assert "has no counter of a processor package" in missing["cpu"]
    found, missing = open_counters("cuda:0")
    assert found == [] and set(missing) == {"gpu", "cpu"}


def test_counters_that_only_root_may_read_are_none(machine, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(energy_counters, "_number", refuse)
    monkeypatch.setattr(CpuCounter.__init__, "__defaults__", (machine.powercap, machine.stat))
    found, missing = open_counters("cpu")
    assert found == [] and missing["cpu"].startswith("PermissionError")


def test_counters_that_are_there_are_opened(machine, monkeypatch):
    monkeypatch.setattr(CpuCounter.__init__, "__defaults__", (machine.powercap, machine.stat))
    found, missing = open_counters("cpu")
    assert [counter.kind for counter in found] == ["cpu"] and missing == {}
