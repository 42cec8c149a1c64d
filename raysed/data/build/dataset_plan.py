"""The plan of a data job: identity, folder and shards of every data set.

Planning lists sources and takes file sizes (seconds for the whole of DESED); nothing is decoded or
written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Any, Literal

from raysed.config.annotated_set import AnnotatedSet
from raysed.config.base import content_hash
from raysed.config.data_job import DataJob, DataSet, Features, RecordedSet, SyntheticSet
from raysed.data.build.absolute_roots import with_absolute_roots
from raysed.data.build.annotated_source import AnnotatedSource
from raysed.data.build.leakage import Leak, describe_leaks, shared_recordings, shared_sources
from raysed.data.build.mel_backend import Mel, backends, fitting_backend, refusal
from raysed.data.build.newer_files import newer_files
from raysed.data.build.set_identity import encoder_of, set_as_stored, set_identity
from raysed.data.build.source import ClipSource, RecordedSource, SyntheticSource, open_source
from raysed.data.encoders.opening import FoundEncoder
from raysed.data.features.shards import (
    FORMAT_VERSION,
    Manifest,
    ShardEntry,
    read_manifest,
    shard_name,
    versions,
)
from raysed.data.recorded.annotated import annotated_classes
from raysed.data.recorded.desed import labelled_classes
from raysed.data.soundscapes.soundbank import soundbank_classes
from raysed.storage.folder import Folder

_LEAKS_LOOKED_FOR = 200_000
"""Recordings of an annotated set up to which their names are compared with other sets'."""


@dataclass(frozen=True, slots=True)  # there are many
class Shard:
    """Raw clips `start` (included) to `stop` of a data set."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True)
class DatasetPlan:
    """One data set of a job. Its folder is `<out>/<name>-<id>`."""

    name: str
    id: str
    url: str
    job: dict[str, Any]
    """The set's configuration in full."""
    features: Features
    classes: tuple[str, ...]
    mel: Mel
    source: ClipSource
    shards: tuple[Shard, ...]
    manifest: Manifest | None
    """The manifest that is there already, complete or not; None where there is none."""
    warnings: tuple[str, ...]
    """Warnings about the sources, and about what other sets share with this one."""
    encoder: FoundEncoder | None = None
    """The encoder whose rows stand beside the mels; None where there are none."""

    @property
    def begun(self) -> bool:
        """Tell whether the set's folder holds a manifest."""
        return self.manifest is not None

    @property
    def state(self) -> Literal["present", "to_build"]:
        """Tell whether the whole data set is there."""
        return "present" if self.manifest is not None and self.manifest.complete else "to_build"

    @property
    def clips(self) -> int:
        """Return the clips of a finished set; before that, how many will be tried (of soundscapes about half
        survive).
        """
        if self.manifest is not None and self.manifest.complete:
            return self.manifest.clips
        return self.source.count

    def manifest_of(self, entries: Iterable[ShardEntry]) -> Manifest:
        """Return the manifest that lists these finished shards."""
        in_order = tuple(sorted(entries, key=lambda entry: entry.start))
        return Manifest(
            format=FORMAT_VERSION,
            id=self.id,
            name=self.name,
            job=self.job,
            features=self.features,
            classes=self.classes,
            mel=self.mel,
            complete=len(in_order) == len(self.shards),
            clips=sum(entry.rows for entry in in_order),
            dropped=sum(entry.dropped for entry in in_order),
            quarantined=sum(len(entry.quarantined) for entry in in_order),
            missing=len(self.source.missing),
            versions=versions(),
            shards=in_order,
        )


def plan(job: DataJob, sets: Sequence[str] | None = None) -> list[DatasetPlan]:
    """Return the plans of all data sets of the job, or of the named ones.

    Raises ValueError for impossible jobs and sources.
    """
    plans = []
    for found in plan_each(job, sets).values():
        if isinstance(found, ValueError):
            raise found
        plans.append(found)
    return plans


def plan_each(
    job: DataJob, sets: Sequence[str] | None = None
) -> dict[str, DatasetPlan | ValueError]:
    """Return the plan of every data set of the job, or of the named ones, or why it cannot be built.

    Raises ValueError for a set that the job does not have.
    """
    unknown = sorted(set(sets or ()) - set(job.sets))
    if unknown:
        raise ValueError(
            f"job {job.name} has no sets {', '.join(unknown)}; it has {', '.join(job.sets)}"
        )
    job = with_absolute_roots(job)
    names = [name for name in job.sets if sets is None or name in sets]
    try:
        classes = job_classes(job)
    except ValueError as error:
        return dict.fromkeys(names, error)
    found = _by_one_backend(job, {name: _open_or_reason(job, name, classes) for name in names})
    shared = _leaks(job, [p for p in found.values() if isinstance(p, DatasetPlan)])
    return {
        name: replace(p, warnings=_told(p, job.sets[name], shared))
        if isinstance(p, DatasetPlan)
        else p
        for name, p in found.items()
    }


def job_classes(job: DataJob) -> tuple[str, ...]:
    """Return the class list: the job's own, else the soundbank's, else the classes that the annotations name."""
    if job.classes is not None:
        return job.classes
    if job.roots.soundbank is not None:
        return soundbank_classes(job.roots.soundbank)
    found: set[str] = set()
    for data_set in job.sets.values():
        if isinstance(data_set, RecordedSet) and job.roots.recorded is not None:
            found |= labelled_classes(job.roots.recorded, data_set)
        elif isinstance(data_set, AnnotatedSet):
            found |= annotated_classes(data_set)
    if not found:
        raise ValueError(f"job {job.name}: its sets name no class; give `classes`")
    return tuple(sorted(found))


def _leaks(job: DataJob, plans: Sequence[DatasetPlan]) -> list[Leak]:
    """Find recordings and soundbank sources that stand in two sets of different splits."""
    recorded: dict[tuple[Any, ...], tuple[str, Iterable[str]]] = {}
    foregrounds: dict[str, tuple[str, ...]] = {}
    backgrounds: dict[str, tuple[str, ...]] = {}
    for p in plans:
        data_set, source = job.sets[p.name], p.source
        if isinstance(data_set, RecordedSet) and isinstance(source, RecordedSource):
            names = chain((entry.filename for entry in source.entries), source.missing)
            split = (data_set.subset, data_set.folder, data_set.part, data_set.split_seed)
            recorded.setdefault(split, (p.name, names))
        elif isinstance(data_set, SyntheticSet) and isinstance(source, SyntheticSource):
            bank = source.context.soundbank
            foregrounds[_bank(data_set)] = bank.foregrounds
            backgrounds[_bank(data_set)] = bank.backgrounds
        elif isinstance(source, AnnotatedSource) and source.count <= _LEAKS_LOOKED_FOR:
            names = chain((row.filename for row in source.listing), source.missing)
            recorded[p.name,] = (p.name, names)
    return [
        *shared_recordings(dict(recorded.values())),
        *shared_sources(foregrounds),
        *shared_sources(backgrounds),
    ]


def _bank(data_set: SyntheticSet) -> str:
    return f"soundbank {data_set.split}"


def _told(p: DatasetPlan, data_set: DataSet, leaks: Iterable[Leak]) -> tuple[str, ...]:
    """Return the warnings about a set's sources, and lines that describe what it shares with others."""
    split = _bank(data_set) if isinstance(data_set, SyntheticSet) else p.name
    shared = describe_leaks(leak for leak in leaks if split in leak.splits)
    return (*p.source.warnings, *newer_files(p.url, p.source), *shared)


def _by_one_backend(
    job: DataJob, opened: Mapping[str, "_OpenSet | ValueError"]
) -> dict[str, DatasetPlan | ValueError]:
    """Return the plans by the backend of mel bands that the job names, or that `fitting_backend` takes."""
    by = {
        mel: {n: _plan_or_reason(each, mel) for n, each in opened.items()} for mel in backends(job)
    }
    possible = {
        mel: [each for each in plans.values() if isinstance(each, DatasetPlan)]
        for mel, plans in by.items()
    }
    mel = fitting_backend(possible)
    reason = refusal(job, mel)
    # What is there can be read without the backend.
    return {
        name: ValueError(reason) if reason and getattr(each, "state", "") == "to_build" else each
        for name, each in by[mel].items()
    }


def _plan_or_reason(opened: "_OpenSet | ValueError", mel: Mel) -> DatasetPlan | ValueError:
    """Return the plan, or why there is none, such as a manifest that cannot be read."""
    try:
        return opened if isinstance(opened, ValueError) else opened.plan(mel)
    except ValueError as error:
        return error


@dataclass(frozen=True)
class _OpenSet:
    """A data set of a job whose sources are known."""

    job: DataJob
    name: str
    classes: tuple[str, ...]
    source: ClipSource
    encoder: FoundEncoder | None
    decides: Mapping[str, Any]
    """All that decides its bytes, but for the backend."""

    def plan(self, mel: Mel) -> DatasetPlan:
        """Return the plan of the set by a backend of mel bands."""
        job, name, source = self.job, self.name, self.source
        stored: dict[str, Any] = {"name": job.name, "set": set_as_stored(job.sets[name])}
        if self.encoder is not None:
            stored["encoder"] = self.encoder.facts.model_dump(mode="json")
        identity = content_hash({**self.decides, "mel": mel})
        folder = Folder(job.out).child(f"{name}-{identity}")
        starts = list(range(0, source.count, job.shard_clips))
        if isinstance(source, AnnotatedSource):
            starts = source.starts(job.shard_clips)
        return DatasetPlan(
            name=name,
            id=identity,
            url=folder.url,
            job=stored,
            features=job.features,
            classes=self.classes,
            mel=mel,
            source=source,
            shards=tuple(
                Shard(shard_name(number), start, stop)
                for number, (start, stop) in enumerate(pairwise([*starts, source.count]))
            ),
            manifest=read_manifest(folder),
            warnings=(),
            encoder=self.encoder,
        )


def _open_or_reason(job: DataJob, name: str, classes: tuple[str, ...]) -> _OpenSet | ValueError:
    try:
        return _open(job, name, classes)
    except ValueError as error:
        return error


def _open(job: DataJob, name: str, classes: tuple[str, ...]) -> _OpenSet:
    if unknown := sorted(set(job.sets[name].annotates or ()) - set(classes)):
        raise ValueError(
            f"set {name}: annotates names {', '.join(unknown)}, no class of the job ({', '.join(classes)})"
        )
    source = open_source(job, name, classes)
    if source.count == 0:
        raise ValueError(f"set {name}: none of its {len(source.missing)} clips is there")
    decides = {
        "format": FORMAT_VERSION,
        "set": set_identity(job.sets[name]),
        "features": job.features.identity(),
        "classes": classes,
        "shard_clips": job.shard_clips,
        "source": source.fingerprint(),
    }
    found = encoder_of(job, name)
    if found is not None:
        decides["encoder"] = found.facts.decides()
    return _OpenSet(job, name, classes, source, found, decides)
