"""The state of a data set on disk: found before a build, written during it and summed up after it. No Ray
here.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from raysed.config.data_job import DataJob
from raysed.data.build.dataset_plan import DatasetPlan
from raysed.data.build.shard_journal import forget_shards, is_due, note_shard, noted_shards
from raysed.data.clip import Rejected
from raysed.data.features.shards import (
    ShardEntry,
    cut_recordings,
    decode_shard,
    read_shard,
    write_lists,
    write_manifest,
)
from raysed.storage.folder import Folder, ReadDeniedError
from raysed.text import counted

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DatasetResult:
    """The content of a data set folder after a build."""

    name: str
    id: str
    url: str
    clips: int
    dropped: int
    quarantined: int
    missing: int
    shards: int
    shards_built: int
    """Shards that this build made; the others were there before."""
    over_limit: bool
    """True where more clips are quarantined than the job's `quarantine_limit` allows."""
    warnings: tuple[str, ...]


def finished_shards(plan: DatasetPlan) -> dict[str, ShardEntry]:
    """Return the shards of the plan that the manifest or the journal lists and whose bytes are unchanged.

    Raises ReadDeniedError.
    """
    finished = {}
    folder, wanted = Folder(plan.url), {(s.name, s.start, s.stop) for s in plan.shards}
    for entry in _listed(plan):
        if (entry.name, entry.start, entry.stop) not in wanted:
            continue
        try:
            _refuse_cut(plan, read_shard(folder, entry), entry)
        except ReadDeniedError:
            raise  # the shard may be good
        except ValueError as error:
            _log.warning("%s: built anew", error)
        else:
            finished[entry.name] = entry
    return finished


def _listed(plan: DatasetPlan) -> Iterable[ShardEntry]:
    if plan.manifest is None:
        return ()
    later = () if plan.manifest.complete else noted_shards(Folder(plan.url))
    return (*plan.manifest.shards, *later)


def _refuse_cut(plan: DatasetPlan, content: bytes, entry: ShardEntry) -> None:
    """Raise ValueError for a shard of earlier code, which kept the beginning of a long recording alone."""
    columns = ["filename", "duration_s", "source"]
    if cut := cut_recordings(decode_shard(content, columns), plan.features):
        raise ValueError(
            f"{plan.url}/{entry.name}: holds the beginning alone of {len(cut)} long recordings, such as {cut[0]}"
        )


def mark_unfinished(plan: DatasetPlan, done: Iterable[ShardEntry]) -> None:
    """Write a manifest of the finished shards alone, so that nobody reads the others while they are replaced.

    A folder that cannot be written is refused with ValueError, before any work.
    """
    try:
        write_manifest(Folder(plan.url), plan.manifest_of(done))
        forget_shards(Folder(plan.url))
    except OSError as error:
        raise ValueError(f"{plan.url}: cannot be written ({error})") from error


def record_shard(plan: DatasetPlan, entries: Collection[ShardEntry], newest: ShardEntry) -> None:
    """Keep a shard that has just been finished, the newest of these; with the last one the manifest is complete."""
    folder = Folder(plan.url)
    if len(entries) == len(plan.shards):
        record(plan, entries)
    elif folder.is_local:
        note_shard(folder, newest)
    elif is_due(len(entries)):
        record(plan, entries)


def record(plan: DatasetPlan, entries: Iterable[ShardEntry]) -> None:
    """Write the manifest of the shards so far; when all are there, the quarantine and missing lists are
    written first.
    """
    manifest = plan.manifest_of(entries)
    if manifest.complete:
        rejected = [Rejected(*pair) for entry in manifest.shards for pair in entry.quarantined]
        write_lists(Folder(plan.url), rejected, plan.source.missing)
    write_manifest(Folder(plan.url), manifest)
    forget_shards(Folder(plan.url))


def result_of(
    plan: DatasetPlan,
    entries: Iterable[ShardEntry],
    built: int,
    job: DataJob,
    of_clips: Mapping[str, int],
) -> DatasetResult:
    """Return the sums over all shards of a data set, `built` of which this build made, and of whose clips this was noticed
    (raysed.data.build.stages).
    """
    manifest = plan.manifest_of(entries)
    words = {
        "lower_rate": f"audio at less than {plan.features.sample_rate_hz} Hz: nothing of it above half its own rate",
        "unheard": "events that begin after their clip has ended: nothing can find them. Onset and offset are seconds"
        " from the beginning of the file",
    }
    told = (
        f"{plan.name}: {counted(of_clips[kind], 'clip')} made now with {said}"
        for kind, said in words.items()
        if of_clips[kind]
    )
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
        warnings=(*plan.warnings, *told),
    )
