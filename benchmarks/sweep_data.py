"""The settings of a data job that decide its speed, and how fast a build runs with them."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

from benchmarks.halving import Axis, Value
from raysed.config.data_job import DataJob, SyntheticSet
from raysed.config.layers import merge
from raysed.config.reader import validate
from raysed.data.build import job as job_module
from raysed.data.build.build_progress import BuildProgress
from raysed.data.build.job import TASKS_PER_ACTOR, build
from raysed.demo.procedural import DemoSizes, write_demo_tree

MANY = 200_000
"""Number of soundscapes asked for, more than any measurement makes."""
Node = Mapping[str, float]
"""The resources of a node, by Ray's names."""


def nested(settings: Mapping[str, Value]) -> dict[str, Any]:
    """Return dotted keys as mappings within mappings, as a YAML file has them."""
    content: dict[str, Any] = {}
    for key, value in settings.items():
        for step in reversed(key.split(".")):
            value = {step: value}
        content = merge(content, value)  # type: ignore[arg-type]
    return content


def data_axes(nodes: Sequence[Node], shard_clips: int = 64) -> list[Axis]:
    """Return the axes to try on these nodes, coarse settings first; a default of None is what the job does by
    itself.
    """
    cpus = max(1, int(sum(node.get("CPU", 0) for node in nodes)))
    per_node = max(1, cpus // len(nodes))
    by_itself = max(1, cpus // TASKS_PER_ACTOR // len(nodes))
    tasks = {cpus // 2, cpus + (cpus + 1) // 2} - {0, cpus}
    actors = {1, 2, per_node // 2} - {0, by_itself}
    axes = []
    if find_spec("nvidia.dali"):
        axes.append(Axis("mel", "auto", ("torchaudio",)))
        if any(node.get("GPU", 0) for node in nodes):
            axes.append(Axis("cluster.gpus_per_mel_actor", None, (0.5, 0.25, 0.0)))
    return [
        *axes,
        Axis("cluster.tasks_in_flight", None, tuple(sorted(tasks))),
        Axis("cluster.mel_actors_per_node", None, tuple(sorted(actors))),
        Axis("shard_clips", shard_clips, tuple(sorted({16, 64, 256} - {shard_clips}))),
    ]


def built_in_job(folder: Path) -> DataJob:
    """Return a job of full-length soundscapes from the built-in sounds, which are written to `folder`."""
    sizes = DemoSizes(weak=1, unlabelled=1, validation=1, duration_s=10.0)
    roots = write_demo_tree(folder / "sounds", sizes=sizes)
    wanted = SyntheticSet(kind="synthetic", split="train", count=MANY)
    return DataJob(name="sweep", out="unused", roots=roots, sets={"measured": wanted})


def one_set(job: DataJob) -> DataJob:
    """Return the job with only its first synthetic set, made too large to finish, or its first set of
    recordings.
    """
    synthetic = [n for n, s in job.sets.items() if isinstance(s, SyntheticSet)]
    name = (synthetic or list(job.sets))[0]
    chosen = job.sets[name]
    if isinstance(chosen, SyntheticSet):
        chosen = chosen.model_copy(update={"count": MANY})
    return job.model_copy(update={"sets": {name: chosen}})


class EnoughError(Exception):
    """The measurement has what it needs."""


class _Watch(BuildProgress):
    """Notes how many clips were done at which time, and ends the build after the first shards and some
    seconds.
    """

    seconds: ClassVar[float] = 0.0
    first: ClassVar[int] = 0
    """Number of shards that do not count, since their processes start and import meanwhile."""
    notes: ClassVar[list[tuple[float, int]]] = []

    def shard_done(self, clips: int, quarantined: int) -> None:
        # No line of its own: a measurement is not a build that someone waits for.
        self.notes.append((time.monotonic(), clips))
        counted = self.notes[self.first - 1 :]
        if len(counted) > self.first and counted[-1][0] - counted[0][0] >= self.seconds:
            raise EnoughError


def clips_per_s(
    job: DataJob, settings: Mapping[str, Value], out: Path, *, in_flight: int, seconds: float
) -> float:
    """Return raw clips per second of wall time of a build, once its processes run, over at least `seconds`.

    The first `in_flight` shards, and as many that count, are the least; a set that ends before gives what it
    can.
    """
    content = merge(job.model_dump(mode="json"), nested(settings))
    changed = validate(content, DataJob, source="sweep").model_copy(update={"out": str(out)})
    _Watch.seconds, _Watch.first = seconds, in_flight
    _Watch.notes.clear()
    with mock.patch.object(job_module, "BuildProgress", _Watch), suppress(EnoughError):
        build(changed)
    return rate(_Watch.notes, in_flight)


def rate(notes: Sequence[tuple[float, int]], first: int) -> float:
    """Return clips per second after the `first` shards (all but one where there are no more), from (seconds,
    clips) notes.
    """
    counted = notes[min(first, len(notes) - 1) - 1 :] if len(notes) > 1 else []
    if len(counted) < 2:
        return 0.0
    spent_s = counted[-1][0] - counted[0][0]
    return sum(clips for _, clips in counted[1:]) / spent_s if spent_s > 0 else 0.0
