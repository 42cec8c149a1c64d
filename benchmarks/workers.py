"""Comparison of two Ray workers with one, for the soundscapes of one data set."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from unittest import mock

from benchmarks.common import Row, idle_share, row
from raysed.config.data_job import DataJob
from raysed.data.build import job as job_module
from raysed.data.build.build_progress import BuildProgress
from raysed.data.build.job import build
from raysed.data.features.shards import sha256
from raysed.ray_cluster import start_ray

PAIRS = 3
CLIPS = 320
IDLE_ENOUGH = 0.95
"""Share of all cores that must be idle before wall time is meaningful."""
STARTING = 1 / 3
"""Share of the shards that do not count, since processes start and import meanwhile."""


@dataclass(frozen=True)
class Cost:
    """The cost of a build once it runs."""

    wall_s: float
    cpu_s: float
    clips: int
    digest: tuple[str, ...]
    """The hashes of the shards."""


class _Meter(BuildProgress):
    """Notes wall time, CPU time and clips at every shard."""

    notes: ClassVar[list[tuple[float, float, int]]] = []

    def shard_done(self, clips: int, quarantined: int) -> None:
        super().shard_done(clips, quarantined)
        self.notes.append((time.monotonic(), _family_cpu_s(), clips))


def workers(job: DataJob, scratch: Path, idle: float) -> list[Row]:
    """Compare the CPU seconds of a clip, once all processes have started, and wall time too where the machine
    is idle. The shards must be the same.

    A ratio of CPU time above 0.91 says that a clip costs at most a tenth more.
    """
    start_ray()
    _build(job, scratch / "warm", 2)
    one, two = [], []
    for pair in range(PAIRS):
        for count in (1, 2) if pair % 2 else (2, 1):
            cost = _build(job, scratch / f"{pair}-{count}", count)
            (one if count == 1 else two).append(cost)
    digests = {cost.digest for cost in (*one, *two)}
    assert len(digests) == 1, "the shards depend on the number of workers"
    quiet = idle >= IDLE_ENOUGH and idle_share(1.0) >= IDLE_ENOUGH
    limit = f"the mel actor, which shares the cores; {os.cpu_count()} cores, {idle:.0%} idle before"
    cpu = [cost.cpu_s / cost.clips for cost in two], [cost.cpu_s / cost.clips for cost in one]
    name, against, unit = "2 Ray workers, CPU time a clip", "1 Ray worker", "clips/CPU s"
    made = [row(name, against, cpu, items=1, unit=unit, error=0.0, limit=limit)]
    if quiet:
        wall = (
            [cost.wall_s / cost.clips for cost in two],
            [cost.wall_s / cost.clips for cost in one],
        )
        name = "2 Ray workers, wall time"
        made.append(row(name, against, wall, items=1, unit="clips/s", error=0.0, limit=limit))
    return made


def _build(job: DataJob, out: Path, count: int) -> Cost:
    sets = {"s": job.sets["s"].model_copy(update={"count": CLIPS})}
    job = job.model_copy(update={"out": str(out), "sets": sets, "shard_clips": 8})
    _Meter.notes.clear()
    with mock.patch.object(job_module, "BuildProgress", _Meter):
        result = build(job, workers=count)["s"]
    notes = _Meter.notes[int(STARTING * len(_Meter.notes)) :]
    shards = sorted(Path(result.url).glob("*.parquet"))
    return Cost(
        wall_s=notes[-1][0] - notes[0][0],
        cpu_s=notes[-1][1] - notes[0][1],
        clips=sum(clips for *_, clips in notes[1:]),
        digest=tuple(sha256(path.read_bytes()) for path in shards),
    )


def _family_cpu_s() -> float:
    """Return the CPU seconds of this process and of all its descendants, alive or dead."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has just ended.
        process = int(stat.parent.name)
        children.setdefault(int(fields[1]), []).append(process)
        ticks[process] = sum(int(field) for field in fields[11:15])
    total, family = 0, [os.getpid()]
    while family:
        process = family.pop()
        total += ticks.get(process, 0)
        family += children.get(process, [])
    return total / os.sysconf("SC_CLK_TCK")
