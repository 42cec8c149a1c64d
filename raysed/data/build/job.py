"""Building data sets with Ray: tasks make the waveforms of a shard, actors turn them into mels.

A shard is the unit of work, of retry and of resume: it is in the manifest whole or not at all, and
holds the same bytes on any number of workers.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from raysed.config.data_job import Cluster, DataJob, Features, needed_roots
from raysed.data.build.absolute_roots import with_absolute_roots
from raysed.data.build.annotated_source import AnnotatedPart, AnnotatedSource
from raysed.data.build.build_progress import BuildProgress
from raysed.data.build.dataset_plan import DatasetPlan, Shard, plan
from raysed.data.build.length_check import refuse_lengths
from raysed.data.build.resume import (
    DatasetResult,
    finished_shards,
    mark_unfinished,
    record_shard,
    result_of,
)
from raysed.data.build.sole_builder import sole_builder
from raysed.data.build.source import ClipSource, SyntheticSource
from raysed.data.build.stages import ShardClips, ShardWriter, make_clips, noticed, target
from raysed.data.features.shards import MANIFEST, ShardEntry
from raysed.extras import missing
from raysed.interrupts import interruptible
from raysed.ray_cluster import check_visible, nodes, ray_errors, start_ray
from raysed.storage.folder import Folder
from raysed.storage.places import is_url

RETRIES = 3
# One mel actor keeps up with this many waveform tasks.
TASKS_PER_ACTOR = 4
# An encoder is slower than the waveforms that it hears.
TASKS_PER_ENCODER = 1
# Shards at an actor: one in work and the next one.
SHARDS_PER_ACTOR = 2
# One thread a worker: Ray places as many workers as there are cores.
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
WORKER_ENVIRONMENT = {"env_vars": dict.fromkeys(_THREADS, "1")}


@dataclass(frozen=True)
class _Work:
    """A shard to build."""

    plan: DatasetPlan
    shard: Shard
    source: ray.ObjectRef | None
    """The source of the whole set, None where each shard takes its part along."""


@interruptible()
@ray_errors("the build")
def build(
    job: DataJob,
    *,
    sets: Sequence[str] | None = None,
    planned: Sequence[DatasetPlan] | None = None,
    workers: int | None = None,
    address: str | None = None,
) -> dict[str, DatasetResult]:
    """Build the job's data sets, or the named ones, except for the shards that are there already.

    `planned` is what `plan` has found of them, where the caller has asked before. At most `workers` waveform tasks
    run at once (default: the job's, else the cluster's CPUs). Joins the Ray that this process runs or `address`
    names, else starts one on this machine. An interrupted build is resumed by the next. ValueError for bad input,
    before any work; StoppedError for a full disk and the like.
    """
    plans = plan(job, sets) if planned is None else planned
    done = {p.name: finished_shards(p) for p in plans}
    left = {p.name: [s for s in p.shards if s.name not in done[p.name]] for p in plans}
    shards = [shard for p in plans for shard in left[p.name]]
    unfinished = [p for p in plans if left[p.name]]
    refuse_lengths(unfinished, left)
    told: dict[str, Counter[str]] = {p.name: Counter() for p in plans}
    with sole_builder(unfinished):
        for p in unfinished:
            mark_unfinished(p, done[p.name].values())
        if shards:
            _start(job, unfinished, address)
        clips = sum(shard.stop - shard.start for shard in shards)
        with BuildProgress(clips, len(shards)) as progress:
            for p, entry, of_clips in _run(plans, left, workers, job.cluster) if shards else ():
                done[p.name][entry.name] = entry
                told[p.name] += of_clips
                progress.shard_done(entry.stop - entry.start, len(entry.quarantined))
                record_shard(p, done[p.name].values(), entry)
        for p in plans if shards else ():
            Folder(p.url).remove_unfinished()
    return {
        p.name: result_of(p, done[p.name].values(), len(left[p.name]), job, told[p.name])
        for p in plans
    }


def _start(job: DataJob, plans: Sequence[DatasetPlan], address: str | None) -> None:
    """Join or start a Ray all of whose nodes see the data.

    Raises ModuleNotFoundError where soundscapes are to be made and Scaper is not installed: each shard would fail.
    """
    if any(isinstance(p.source, SyntheticSource) for p in plans):
        for module in ("scaper", "soxbindings"):
            if find_spec(module) is None:
                raise missing(module)
    start_ray(address)
    if len(nodes()) > 1:
        check_visible(_shared_paths(job, plans))


def _run(
    plans: Sequence[DatasetPlan],
    left: dict[str, list[Shard]],
    workers: int | None,
    cluster: Cluster,
) -> Iterator[tuple[DatasetPlan, ShardEntry, Counter[str]]]:
    """Build shards of all data sets, a bounded number at once; yields each once stored, with what is noticed of its clips."""
    sources = {
        p.name: None if isinstance(p.source, AnnotatedSource) else ray.put(p.source)
        for p in plans
        if left[p.name]
    }
    queue = deque(_Work(p, shard, sources[p.name]) for p in plans for shard in left[p.name])
    workers = workers or cluster.tasks_in_flight or int(ray.cluster_resources().get("CPU", 0))
    workers = min(max(1, workers), len(queue))
    writers = _start_writers(plans, workers, cluster)
    making: dict[ray.ObjectRef, tuple[_Work, ray.ObjectRef]] = {}
    writing: dict[ray.ObjectRef, tuple[_Work, ray.ObjectRef, int]] = {}
    try:
        while queue or making or writing:
            if (
                queue
                and len(making) < workers
                and len(making) + len(writing) < workers + SHARDS_PER_ACTOR * len(writers)
            ):
                work = queue.popleft()
                made: Any = _make_clips.remote(_source_of(work), work.shard)
                clips, of_clips = made
                making[clips] = work, of_clips
                continue
            (ready,), _ = ray.wait([*writing, *making], num_returns=1)
            if ready in writing:
                work, of_clips, _ = writing.pop(ready)
                yield work.plan, *_entry(ready, of_clips, work)
                continue
            work, of_clips = making.pop(ready)
            idlest = _idlest(len(writers), [busy for *_, busy in writing.values()])
            reference = writers[idlest].write.remote(target(work.plan, work.shard), ready)
            writing[reference] = work, of_clips, idlest
    finally:
        for reference in making:
            # By the end of its process: an interrupt amid an import leaves a worker, which Ray uses again, whose module
            # is half there, so that every later build of this Ray's would fail.
            ray.cancel(reference, force=True)
        for writer in writers:
            ray.kill(writer)


def _idlest(writers: int, busy: Sequence[int]) -> int:
    """Return the first of the writers that has the fewest shards, given the writer of every shard in work."""
    return min(range(writers), key=busy.count)


def _entry(
    reference: ray.ObjectRef, of_clips: ray.ObjectRef, work: _Work
) -> tuple[ShardEntry, Counter[str]]:
    with ray_errors(f"{work.plan.url}/{work.shard.name}"):
        return ray.get(reference), ray.get(of_clips)


def _source_of(work: _Work) -> list[ray.ObjectRef] | AnnotatedPart:
    """Return what a task makes the clips of a shard from: the recordings of a listing on this disk themselves."""
    source = work.plan.source
    if work.source is not None:
        return [work.source]
    assert isinstance(source, AnnotatedSource), "only these have parts"
    return source.part(work.shard.start, work.shard.stop)


@ray.remote(num_cpus=1, num_returns=2, max_retries=RETRIES, runtime_env=WORKER_ENVIRONMENT)
def _make_clips(
    source: list[ray.ObjectRef] | AnnotatedPart, shard: Shard
) -> tuple[ShardClips, Counter[str]]:
    """Return the clips, and what is noticed of them, which is all that the driver fetches."""
    made = make_clips(source if isinstance(source, AnnotatedPart) else _fetch(source[0]), shard)
    return made, noticed(made.clips)


@lru_cache(maxsize=4)
def _fetch(source: ray.ObjectRef) -> ClipSource:
    """Get a source from Ray, so that a worker unpacks it (up to 100,000 paths) once and not for every shard."""
    return ray.get(source)


class _Writer(ShardWriter):
    def __init__(self, mel: str, features: Features, batch: int) -> None:
        device_id = 0 if ray.get_gpu_ids() else None
        super().__init__(mel, features, batch=batch, device_id=device_id)


def _start_writers(plans: Sequence[DatasetPlan], workers: int, cluster: Cluster) -> list[Any]:
    """Start the actors of mels and embeddings, on GPUs where the cluster has them. They reserve no CPU: the CPU that
    made the waveforms of a shard waits for it anyway, and a cluster of one CPU must not dead-lock.
    """
    mel, features = plans[0].mel, plans[0].features  # the same for all sets of a job
    encodes = any(p.encoder is not None for p in plans)
    gpus = _gpu_share(mel == "dali" or encodes, cluster)
    per_actor = TASKS_PER_ENCODER if encodes else TASKS_PER_ACTOR
    batch = max(shard.stop - shard.start for p in plans for shard in p.shards)
    return [
        ray.remote(_Writer)
        .options(
            num_cpus=0,
            num_gpus=gpus,
            max_restarts=RETRIES,
            # A lost node is "unavailable" for many seconds, so tasks are retried without limit; restarts have one.
            max_task_retries=-1,
            scheduling_strategy=where,
            runtime_env=WORKER_ENVIRONMENT,
        )
        .remote(mel, features, batch)
        for where in _writer_places(max(1, workers // per_actor), gpus, cluster)
    ]


def _gpu_share(uses_gpus: bool, cluster: Cluster) -> float:
    """Return the GPUs of one mel actor. Raises ValueError for a share that no node can give."""
    have = max(node["Resources"].get("GPU", 0.0) for node in nodes())
    if not uses_gpus:
        return 0.0
    share = cluster.gpus_per_mel_actor
    if share is None:
        return 1.0 if have else 0.0
    if share and not have:
        raise ValueError(f"cluster.gpus_per_mel_actor is {share}, but no node of Ray's has a GPU")
    return share


def _writer_places(count: int, gpus: float, cluster: Cluster) -> list[Any]:
    """Return Ray's scheduling strategy of each mel actor: `count` of them, where the job does not say."""
    if cluster.mel_actors_per_node is None:
        if gpus:
            count = min(count, int(ray.cluster_resources()["GPU"] / gpus))
        return ["SPREAD"] * count
    usable = [node for node in nodes() if node["Resources"].get("GPU", 0.0) >= gpus]
    # Soft, so that an actor is restarted on another node when its own is lost.
    return [
        NodeAffinitySchedulingStrategy(node["NodeID"], soft=True)
        for node in usable
        for _ in range(cluster.mel_actors_per_node)
    ]


def _shared_paths(job: DataJob, plans: Sequence[DatasetPlan]) -> dict[str, str]:
    """Return the paths that tasks will read, and the manifests that this process has just written."""
    needed = {root for p in plans for root in needed_roots(job.sets[p.name])}
    # Co-occurrences are read here and travel with the tasks.
    needed -= {"cooccurrences"}
    roots = {
        f"roots.{key}": path
        for key, path in with_absolute_roots(job).roots
        if key in needed and not is_url(path)
    }
    for p in plans:
        if p.encoder is not None and p.encoder.config.path is not None:
            roots[f"encoder of set {p.name}"] = p.encoder.config.path
    written = {f"out, set {p.name}": f"{p.url}/{MANIFEST}" for p in plans if Folder(p.url).is_local}
    return roots | written
