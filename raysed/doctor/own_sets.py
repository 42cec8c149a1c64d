"""The recordings of annotated sets, as the doctor sees them: what their headers say, and what their labels name."""

from collections import Counter
from pathlib import Path

from raysed.config.annotated_set import AnnotatedSet
from raysed.config.data_job import DataJob
from raysed.data.build.annotated_source import EXACT, AnnotatedSource
from raysed.data.labels import count_overlaps
from raysed.doctor.audio_headers import judge_audio, judge_lengths, judge_times, read_headers
from raysed.doctor.diagnosis import Diagnosis, SubsetCheck
from raysed.storage.url import masked

MOST_HEADERS = 200_000
"""Recordings of a set up to which headers are read, some 0.2 ms each."""


def examine_own(
    job: DataJob, classes: tuple[str, ...], found: Diagnosis
) -> dict[str, tuple[str, ...]]:
    """Check every annotated set of a job; what cannot be planned is told elsewhere. Return the names of the clips of
    each, where they are not too many to look for them in other sets.
    """
    names = {}
    for name, data_set in job.sets.items():
        if not isinstance(data_set, AnnotatedSet):
            continue
        try:
            source = AnnotatedSource.of(data_set, job.features, classes)
        except (ValueError, OSError):
            continue
        _examine(name, data_set, source, found)
        if source.count <= MOST_HEADERS:
            names[name] = (*(row.filename for row in source.listing), *source.missing)
    return names


def _examine(name: str, data_set: AnnotatedSet, source: AnnotatedSource, found: Diagnosis) -> None:
    check = SubsetCheck(name, masked(data_set.labels or data_set.audio))
    found.subsets.append(check)
    check.listed, check.missing = source.count + len(source.missing), len(source.missing)
    found.remarks += [f"{name}: {warning}" for warning in source.warnings]
    if check.missing:
        found.remarks.append(f"{name}: {check.missing} of {check.listed} clips have no audio")
    if source.count > MOST_HEADERS or "://" in source.root:
        found.remarks.append(f"{name}: its recordings are many or far; their headers were not read")
        return
    paths = {
        str(Path(source.root, e.path)): e
        for e in source.listed(0, source.count)
        if "#" not in e.path and "://" not in e.path
    }
    durations_s = read_headers(paths, check.audio)
    counted: Counter[str] = Counter()
    for path, entry in paths.items():
        events = entry.events or ()
        counted.update(
            entry.weak_labels or () if entry.events is None else [e.event_label for e in events]
        )
        check.eventless += entry.weak_labels == ()
        check.overlaps += count_overlaps(events)
        check.look_at_times(entry.filename, events, durations_s.get(path))
    check.per_class = dict(sorted(counted.items()))
    judge_audio(name, check.audio, found)
    heard_s = {e.filename: durations_s[path] for path, e in paths.items() if path in durations_s}
    tolerated = None if data_set.type in ("weak", "none") else EXACT
    judge_lengths(name, heard_s, data_set.type == "weak", found, source.features, tolerated)
    judge_times(check, found)
