"""The work of `raysed doctor ROOT|JOB`: which parts of DESED are there, which are missing, and what would
spoil a result.

Reads TSVs, folders and the header of every audio file (about 0.2 ms each), and decodes the first sounds of foregrounds.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from raysed.config.data_job import DataJob, Features, RecordedSet, Roots, SyntheticSet
from raysed.config.reader import read_config
from raysed.data.build.absolute_roots import with_absolute_roots
from raysed.data.build.dataset_plan import job_classes, plan
from raysed.data.build.leakage import (
    copied_files,
    describe_leaks,
    shared_recordings,
    shared_sources,
)
from raysed.data.build.newer_files import newer_files
from raysed.data.build.silent_classes import silence_remark
from raysed.data.labels import count_overlaps
from raysed.data.recorded.audio_index import describe_unlisted
from raysed.data.recorded.desed import (
    RecordedListing,
    audio_folders,
    list_recorded,
    listed_names,
    read_labels,
    tsv_path,
)
from raysed.data.soundscapes.placement import split_label
from raysed.data.soundscapes.reverb import list_rooms
from raysed.data.soundscapes.soundbank import (
    Soundbank,
    index_soundbank,
    soundbank_classes,
    source_id,
)
from raysed.doctor.audio_headers import (
    judge_audio,
    judge_lengths,
    judge_silence,
    judge_times,
    read_headers,
    remark_rates,
)
from raysed.doctor.diagnosis import AudioCheck, BankCheck, Diagnosis, SetCheck, SubsetCheck
from raysed.doctor.own_sets import examine_own
from raysed.doctor.tree import find_roots, splits_in, subsets_in
from raysed.storage.clip_name import clip_name
from raysed.storage.places import is_url, joined

_SPLITS = ("train", "xvalid", "eval")


def examine(target: str | Path) -> Diagnosis:
    """Examine the sources of a data job (a file), or a folder that holds DESED or parts of it.

    Raises ValueError if it is neither, or the job cannot be read; everything else is in the diagnosis.
    """
    path = Path(target)
    found, names = Diagnosis(str(target)), {}
    if path.is_file():
        job = with_absolute_roots(read_config(path, DataJob))
        recorded = _distinct(s for s in job.sets.values() if isinstance(s, RecordedSet))
        used = {s.split for s in job.sets.values() if isinstance(s, SyntheticSet)}
        splits = [split for split in _SPLITS if split in used]
        _examine_sets(job, found)
        try:
            classes = job_classes(job)
            names |= examine_own(job, classes, found)
        except ValueError:
            classes = None  # `_examine_sets` has told why.
        roots, features = job.roots, job.features
    elif path.is_dir():
        roots, features = find_roots(path), Features()
        recorded, splits = subsets_in(roots), splits_in(roots)
        classes = _bank_classes(roots, found)
    else:
        raise ValueError(
            f"{target}: no such file or folder; expected a data job, or a folder that holds DESED"
        )
    for data_set in recorded:
        names[_name(data_set)] = _examine_subset(roots, data_set, classes, found, features)
    found.leaks += shared_recordings(names)
    if roots.soundbank:
        _examine_soundbank(roots, splits, classes, found)
    _examine_rooms(roots, splits, found)
    # Six recordings have clips in two subsets of the official DESED, which users
    # cannot mend; a soundbank source on both sides of a split spoils the user's own x-valid sets.
    of_recordings = [leak for leak in found.leaks if leak.kind in ("recording", "excerpt")]
    found.remarks += describe_leaks(of_recordings)
    found.problems += describe_leaks(leak for leak in found.leaks if leak not in of_recordings)
    remark_rates(found, features.sample_rate_hz)
    return found


def _distinct(sets: Iterable[RecordedSet]) -> list[RecordedSet]:
    """Return one set of each subset, part and folder, without a limit."""
    return list(dict.fromkeys(s.model_copy(update={"limit": None}) for s in sets))


def _name(data_set: RecordedSet) -> str:
    if data_set.part != "all":
        return f"{data_set.subset} {data_set.part}"
    return data_set.folder or data_set.subset


def _bank_classes(roots: Roots, found: Diagnosis) -> tuple[str, ...] | None:
    try:
        return soundbank_classes(roots.soundbank) if roots.soundbank else None
    except ValueError as error:
        found.problems.append(str(error))
        return None


def _examine_sets(job: DataJob, found: Diagnosis) -> None:
    """Note which sets of the job are built, and which can be built."""
    reasons: dict[str, list[str]] = {}
    for name in job.sets:
        try:
            (planned,) = plan(job, [name])
        except ValueError as error:
            found.sets.append(SetCheck(name, "impossible", 0))
            reasons.setdefault(str(error), []).append(name)
        else:
            found.sets.append(SetCheck(name, planned.state, planned.clips))
            found.remarks += filter(None, [silence_remark(planned)])
            found.remarks += newer_files(planned.url, planned.source)
    for reason, names in reasons.items():
        found.problems.append(f"set{'s' * (len(names) > 1)} {', '.join(names)}: {reason}")


def _examine_subset(
    roots: Roots,
    data_set: RecordedSet,
    classes: Sequence[str] | None,
    found: Diagnosis,
    features: Features,
) -> tuple[str, ...]:
    """Check one subset; return all the file names that it lists."""
    assert roots.recorded is not None, "a root or the job's sets say so"
    root, tsv = roots.recorded, tsv_path(roots.recorded, data_set)
    check = SubsetCheck(_name(data_set), tsv)
    found.subsets.append(check)
    try:
        labels = read_labels(tsv, data_set.subset, classes)
        listing = (
            list_recorded(root, data_set, classes)
            if audio_folders(root, data_set)
            else RecordedListing((), tuple(listed_names(labels, data_set)), ())
        )
    except ValueError as error:
        found.problems.append(f"{check.name}: {error}")
        return ()
    names = (*(entry.filename for entry in listing.entries), *listing.missing)
    check.listed, check.missing = len(names), len(listing.missing)
    check.unlisted = list(listing.unlisted)
    places = {e.filename: joined(root, e.path) for e in listing.entries}
    durations_s = (
        {} if _is_far(root, check.name, found) else read_headers(places.values(), check.audio)
    )
    by_name = {name: durations_s.get(place) for name, place in places.items()}
    counted: Counter[str] = Counter()
    for name in names:
        events, weak = labels[name]
        counted.update(weak or () if events is None else [e.event_label for e in events])
        check.eventless += weak == ()
        check.overlaps += count_overlaps(events or ())
        check.look_at_times(name, events or (), by_name.get(name))
    check.per_class = dict(sorted(counted.items()))
    _judge_subset(check, found)
    heard_s = {name: seconds for name, seconds in by_name.items() if seconds is not None}
    judge_lengths(check.name, heard_s, data_set.subset == "weak", found, features)
    _judge_names(check, listing, found)
    return names


def _is_far(root: str, name: str, found: Diagnosis) -> bool:
    """Tell whether audio lies at a URL, where the doctor lists it alone; say so."""
    if is_url(root):
        found.remarks.append(f"{name}: its audio is far; it is listed, and no header was read")
    return is_url(root)


def _judge_subset(check: SubsetCheck, found: Diagnosis) -> None:
    if check.missing == check.listed:
        found.problems.append(f"{check.name}: none of its {check.listed} clips has audio")
    elif check.missing:
        found.remarks.append(f"{check.name}: {check.missing} of {check.listed} clips have no audio")
    judge_times(check, found)
    judge_audio(check.name, check.audio, found)


def _judge_names(check: SubsetCheck, listing: RecordedListing, found: Diagnosis) -> None:
    """Tell of audio that no row lists: a problem where it is all but called like a clip that is missing."""
    missing = {_loosely(name) for name in listing.missing}
    near = [path for path in listing.unlisted if _loosely(path) in missing]
    other = [path for path in listing.unlisted if path not in near]
    if near:
        found.problems.append(
            f"{check.name}: clips are missing whose names are nearly those of "
            f"{describe_unlisted(near, check.tsv)}; rename them, or the rows"
        )
    if other:
        found.remarks.append(f"{check.name}: {describe_unlisted(other, check.tsv)}")


def _loosely(path: str) -> str:
    """Return the last part of a clip's name without case."""
    return clip_name(path).rpartition("/")[2].casefold()


def _examine_soundbank(
    roots: Roots, splits: Sequence[str], classes: Sequence[str] | None, found: Diagnosis
) -> None:
    banks: dict[str, Soundbank] = {}
    for split in splits:
        try:
            assert roots.soundbank is not None
            banks[split] = index_soundbank(
                roots.soundbank, split, xvalid_list=roots.soundbank_validation
            )
        except ValueError as error:
            found.problems.append(f"soundbank {split}: {error}")
    for split, bank in banks.items():
        check = _bank_check(split, bank, classes)
        found.soundbank.append(check)
        if not _is_far(bank.foreground_root, f"soundbank {split}", found):
            read_headers([*bank.foregrounds, *bank.backgrounds], check.audio)
            judge_audio(f"soundbank {split}", check.audio, found)
            judge_silence(f"soundbank {split}", bank.foregrounds, found)
        if check.without:
            found.problems.append(
                f"soundbank {split}: no foregrounds of {', '.join(check.without)}"
            )
    sides = (
        {f"soundbank {split}": bank.foregrounds for split, bank in banks.items()},
        {f"soundbank {split}": bank.backgrounds for split, bank in banks.items()},
    )
    for side in sides:
        near = {split: paths for split, paths in side.items() if not any(map(is_url, paths))}
        found.leaks += [*shared_sources(side), *copied_files(near)]


def _bank_check(split: str, bank: Soundbank, classes: Sequence[str] | None) -> BankCheck:
    files: Counter[str] = Counter()
    for folder, paths in bank.foreground.items():
        files[split_label(folder)[0]] += len(paths)
    return BankCheck(
        split=split,
        foregrounds=dict(sorted(files.items())),
        sources=len({source_id(path) for path in bank.foregrounds}),
        backgrounds=len(bank.backgrounds),
        without=[label for label in classes or () if label not in files],
        audio=AudioCheck(),
    )


def _examine_rooms(roots: Roots, splits: Sequence[str], found: Diagnosis) -> None:
    for split in splits if roots.rir else ():
        try:
            assert roots.rir is not None
            found.rooms[split] = len(list_rooms(roots.rir, split))
        except ValueError as error:
            found.problems.append(f"rooms {split}: {error}")
