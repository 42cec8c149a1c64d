"""Building data sets with Ray: tasks make the waveforms of a shard, actors turn them into mels.

A shard is the unit of work, of retry and of resume: it is in the manifest whole or not at all, and
holds the same bytes on any number of workers.
"""

import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import ray

from raysed.config.data_job import DataJob, Features
from raysed.data.clip import Rejected
from raysed.data.folder import Folder
from raysed.data.plan import DatasetPlan, Shard, plan
from raysed.data.progress import BuildProgress
from raysed.data.shards import ShardEntry, read_shard, write_lists, write_manifest
from raysed.data.source import Source
from raysed.data.stages import Made, ShardWriter, make_clips, target

log = logging.getLogger(__name__)

RETRIES = 3
# One mel actor keeps up with this many waveform tasks.
TASKS_PER_ACTOR = 4
# Shards waiting at an actor: one in work, one to go on with.
SHARDS_PER_ACTOR = 2
# One thread a worker: Ray places as many workers as there are cores.
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
WORKER_ENVIRONMENT = {"env_vars": dict.fromkeys(_THREADS, "1")}


@dataclass(frozen=True)
class DatasetResult:
    """What a data set folder holds after a build."""

    name: str
    id: str
    url: str
    clips: int
    dropped: int
    quarantined: int
    missing: int
    shards: int
    shards_built: int
    """By this build; the others were there."""
    over_limit: bool
    """More clips are quarantined than the job's `quarantine_limit` allows."""
    warnings: tuple[str, ...]


class BuildStoppedError(RuntimeError):
    """A shard could not be built, after all retries. The finished ones are kept."""


@dataclass(frozen=True)
class _Work:
    """A shard to build."""

    plan: DatasetPlan
    shard: Shard
    source: ray.ObjectRef


def build(
    job: DataJob,
    *,
    sets: Sequence[str] | None = None,
    workers: int | None = None,
    address: str | None = None,
) -> dict[str, DatasetResult]:
    """Build the job's data sets, or the named ones, but for the shards that are there already.

    At most `workers` waveform tasks run at once (default: the cluster's CPUs). Joins the Ray that
    this process runs or `address` names, else starts one on this machine. An interrupted build is
    resumed by the next. ValueError for bad input, before any work; BuildStoppedError for a full
    disk and the like.
    """
    plans = plan(job, sets)
    done = {p.name: _finished(p) for p in plans}
    left = {p.name: [s for s in p.shards if s.name not in done[p.name]] for p in plans}
    shards = [shard for p in plans for shard in left[p.name]]
    if shards:
        _mark_unfinished([p for p in plans if left[p.name]], done)
        start_ray(address)
    with BuildProgress(sum(shard.stop - shard.start for shard in shards), len(shards)) as progress:
        for p, entry in _run(plans, left, workers) if shards else ():
            done[p.name][entry.name] = entry
            progress.shard_done(entry.stop - entry.start, len(entry.quarantined))
            if len(done[p.name]) < len(p.shards):
                write_manifest(Folder(p.url), p.manifest_of(done[p.name].values()))
            else:
                _finish(p, done[p.name].values())
    return {p.name: _result(p, done[p.name].values(), len(left[p.name]), job) for p in plans}


def start_ray(address: str | None = None) -> None:
    """Join or start Ray, unless this process has; a local one is on loopback, without dashboard."""
    if ray.is_initialized():
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # A submitted job finds its cluster in the environment.
    address = address or os.environ.get("RAY_ADDRESS")
    if address:
        ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING)
        return
    ray.init(
        address="local",
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.WARNING,
        _node_ip_address="127.0.0.1",
    )


def _finished(plan: DatasetPlan) -> dict[str, ShardEntry]:
    """The shards of the plan that the manifest lists and whose bytes are those written."""
    finished = {}
    folder, wanted = Folder(plan.url), {(s.name, s.start, s.stop) for s in plan.shards}
    for entry in plan.manifest.shards if plan.manifest else ():
        if (entry.name, entry.start, entry.stop) not in wanted:
            continue
        try:
            read_shard(folder, entry)
        except ValueError as error:
            log.warning("%s: built anew", error)
        else:
            finished[entry.name] = entry
    return finished


def _mark_unfinished(plans: Sequence[DatasetPlan], done: dict[str, dict[str, ShardEntry]]) -> None:
    """Write the manifests of what is there now: what is to be replaced must not be read meanwhile,
    and a folder that cannot be written is refused before any work.
    """
    for p in plans:
        try:
            write_manifest(Folder(p.url), p.manifest_of(done[p.name].values()))
        except OSError as error:
            raise ValueError(f"{p.url}: cannot be written ({error})") from error


def _run(
    plans: Sequence[DatasetPlan], left: dict[str, list[Shard]], workers: int | None
) -> Iterator[tuple[DatasetPlan, ShardEntry]]:
    """Build shards of all data sets, a bounded number at once; yields each when it is on disk."""
    sources = {p.name: ray.put(p.source) for p in plans if left[p.name]}
    queue = deque(_Work(p, shard, sources[p.name]) for p in plans for shard in left[p.name])
    workers = min(workers or max(1, int(ray.cluster_resources()["CPU"])), len(queue))
    writers = _start_writers(plans, workers)
    making: dict[ray.ObjectRef, _Work] = {}
    writing: dict[ray.ObjectRef, tuple[_Work, int]] = {}
    try:
        while queue or making or writing:
            in_flight = len(making) + len(writing)
            if (
                queue
                and len(making) < workers
                and in_flight < workers + SHARDS_PER_ACTOR * len(writers)
            ):
                work = queue.popleft()
                making[_make_clips.remote([work.source], work.shard)] = work
                continue
            (ready,), _ = ray.wait([*writing, *making], num_returns=1)
            if ready in writing:
                work, _ = writing.pop(ready)
                yield work.plan, _entry(ready, work)
                continue
            work = making.pop(ready)
            loads = [sum(busy == n for _, busy in writing.values()) for n in range(len(writers))]
            idlest = loads.index(min(loads))
            reference = writers[idlest].write.remote(target(work.plan, work.shard), ready)
            writing[reference] = work, idlest
    finally:
        for reference in making:
            ray.cancel(reference)
        for writer in writers:
            ray.kill(writer)


def _entry(reference: ray.ObjectRef, work: _Work) -> ShardEntry:
    try:
        return ray.get(reference)
    except ray.exceptions.RayError as error:
        raise BuildStoppedError(f"{work.plan.url}/{work.shard.name}: {error}") from error


@ray.remote(num_cpus=1, max_retries=RETRIES, runtime_env=WORKER_ENVIRONMENT)
def _make_clips(source: list[ray.ObjectRef], shard: Shard) -> Made:
    return make_clips(_fetch(source[0]), shard)


@lru_cache(maxsize=4)
def _fetch(source: ray.ObjectRef) -> Source:
    """A worker unpacks a source (up to 100,000 paths) once, not for every shard."""
    return ray.get(source)


class _Writer(ShardWriter):
    def __init__(self, mel: str, features: Features, batch: int) -> None:
        device_id = 0 if ray.get_gpu_ids() else None
        super().__init__(mel, features, batch=batch, device_id=device_id)


def _start_writers(plans: Sequence[DatasetPlan], workers: int) -> list[Any]:
    """Mel actors, on GPUs where the cluster has them. They take no CPU of their own: a CPU that
    made waveforms for a shard waits for it anyway, and a cluster of one CPU must not dead-lock.
    """
    count = max(1, workers // TASKS_PER_ACTOR)
    mel, features = plans[0].mel, plans[0].features  # the same for all sets of a job
    gpus = int(ray.cluster_resources().get("GPU", 0)) if mel == "dali" else 0
    actor = ray.remote(_Writer).options(
        num_cpus=0,
        num_gpus=1 if gpus else 0,
        max_restarts=RETRIES,
        max_task_retries=RETRIES,
        scheduling_strategy="SPREAD",
        runtime_env=WORKER_ENVIRONMENT,
    )
    batch = max(shard.stop - shard.start for p in plans for shard in p.shards)
    return [actor.remote(mel, features, batch) for _ in range(min(count, gpus) if gpus else count)]


def _finish(plan: DatasetPlan, entries: Iterable[ShardEntry]) -> None:
    """The lists, then the manifest that calls the data set complete."""
    manifest = plan.manifest_of(entries)
    rejected = [Rejected(*pair) for entry in manifest.shards for pair in entry.quarantined]
    write_lists(Folder(plan.url), rejected, plan.source.missing)
    write_manifest(Folder(plan.url), manifest)


def _result(
    plan: DatasetPlan, entries: Iterable[ShardEntry], built: int, job: DataJob
) -> DatasetResult:
    manifest = plan.manifest_of(entries)
    return DatasetResult(
        name=plan.name,
        id=plan.id,
        url=plan.url,
        clips=manifest.clips,
        dropped=manifest.dropped,
        quarantined=manifest.quarantined,
        missing=manifest.missing,
        shards=len(manifest.shards),
        shards_built=built,
        over_limit=manifest.quarantined > job.quarantine_limit * plan.source.count,
        warnings=plan.source.warnings,
    )
