"""The subsets of DESED that lie somewhere as audio: the list of their clips, by path or URL.

Listing reads TSVs and folder contents only (0.1 s for the 14,412 unlabelled clips on a disk).
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raysed.config.data_job import RecordedSet
from raysed.data.clip import Event
from raysed.data.labels import count_overlaps, weak_labels
from raysed.data.recorded.audio_index import AudioIndex, describe_unlisted
from raysed.data.recorded.tsv import read_strong, read_unlabelled, read_weak
from raysed.storage.places import is_file, is_folder, joined

WEAK_XVALID_FRACTION = 0.1

_TSV = {
    "weak": ("metadata/train/weak.tsv",),
    "unlabelled": ("metadata/train/unlabel_in_domain.tsv",),
    "validation": ("metadata/validation/validation.tsv",),
    "eval": ("metadata/eval/public.tsv",),
    # Ready-made soundscapes, {} is the folder of the set.
    "synthetic": tuple(
        f"metadata/{split}/{{}}{end}"
        for split in ("train", "validation", "eval")
        for end in ("/soundscapes.tsv", ".tsv")
    ),
}
# Looked up in this order for each clip: the originals first, then the 16 kHz siblings that users
# made of them.
_FOLDERS = {
    "weak": ("audio/train/weak", "audio/train/weak_16k"),
    "unlabelled": ("audio/train/unlabel_in_domain", "audio/train/unlabel_in_domain_16k"),
    "validation": (
        "audio/validation/validation",
        "audio/validation/validation_16k",
        "audio/validation",
        "audio/validation_16k",
    ),
    "eval": ("audio/eval/public", "audio/eval/public_16k"),
    "synthetic": tuple(
        f"audio/{split}/{{}}/{end}"
        for split in ("train", "validation", "eval")
        for end in ("soundscapes", "soundscapes_16k")
    ),
}


@dataclass(frozen=True)
class RecordedEntry:
    """A listed clip whose audio is there. `events` are as in the file, neither merged nor cut."""

    filename: str
    path: str
    """Path of the audio, relative to the root."""
    events: tuple[Event, ...] | None
    weak_labels: tuple[str, ...] | None


@dataclass(frozen=True)
class RecordedListing:
    """The clips of a recorded subset, in the order of their names."""

    entries: tuple[RecordedEntry, ...]
    missing: tuple[str, ...]
    """Clips that are listed but have no audio. This is normal for DESED, whose sources vanish."""
    warnings: tuple[str, ...]
    unlisted: tuple[str, ...] = ()
    """Audio files of the subset that no row lists, relative to the root."""


def list_recorded(
    root: str | Path, data_set: RecordedSet, classes: Collection[str] | None = None
) -> RecordedListing:
    """List the clips that `root` (DESED's `dataset` folder) holds of a recorded subset.

    With `classes`, labels outside them are refused. Raises ValueError naming file, line and fault.
    """
    if not is_folder(root):
        raise ValueError(f"{root}: no such folder; roots.recorded holds audio/ and metadata/")
    tsv = tsv_path(root, data_set)
    labels = read_labels(tsv, data_set.subset, classes)
    names = listed_names(labels, data_set)
    folders = audio_folders(root, data_set)
    if not folders:
        tried = ", ".join(_places(_FOLDERS, data_set))
        raise ValueError(
            f"{root}: has no audio of the {data_set.folder or data_set.subset} subset "
            f"(looked in {tried})"
        )
    audio = AudioIndex(root, folders)
    # The index covers all clips, so that a part or a limit finds the same files as the whole set.
    found = audio.find(labels)
    there = [name for name in names if name in found]
    missing = tuple(name for name in names if name not in found)
    unlisted = tuple(audio.unlisted(found))
    warnings = _overlap_warnings(tsv, {name: labels[name][0] for name in there})
    if missing and unlisted:
        warnings += (
            f"{len(missing)} clips have no audio, but there are {describe_unlisted(unlisted, tsv)}",
        )
    return RecordedListing(
        entries=tuple(RecordedEntry(name, found[name], *labels[name]) for name in there),
        missing=missing,
        warnings=warnings,
        unlisted=unlisted,
    )


Labels = tuple[tuple[Event, ...] | None, tuple[str, ...] | None]


def tsv_path(root: str | Path, data_set: RecordedSet) -> str:
    """Return the path or URL of a subset's annotations: the first possible place that exists, else the first of all."""
    places = _places(_TSV, data_set)
    # DESED's metadata may also be the root itself.
    places += [place.removeprefix("metadata/") for place in places]
    found = (tsv for place in places if is_file(tsv := joined(root, place)))
    return next(found, joined(root, places[0]))


def audio_folders(root: str | Path, data_set: RecordedSet) -> list[str]:
    """Return the folders under `root` that may hold a subset's audio and exist."""
    return [place for place in _places(_FOLDERS, data_set) if is_folder(joined(root, place))]


def _places(table: dict[str, tuple[str, ...]], data_set: RecordedSet) -> list[str]:
    return [place.format(data_set.folder) for place in table[data_set.subset]]


def labelled_classes(root: str | Path, data_set: RecordedSet) -> set[str]:
    """Return the classes that a subset's annotations name; none for unlabelled clips."""
    labels = read_labels(tsv_path(root, data_set), data_set.subset, None)
    return {label for _, weak in labels.values() for label in weak or ()}


def read_labels(
    tsv: str | Path, subset: str, classes: Collection[str] | None = None
) -> dict[str, Labels]:
    """Read the strong and weak labels of every listed clip."""
    if subset == "unlabelled":
        return dict.fromkeys(read_unlabelled(tsv), (None, None))
    if subset == "weak":
        return {name: (None, labels) for name, labels in read_weak(tsv, classes).items()}
    strong = read_strong(tsv, classes)
    return {name: (events, weak_labels(events)) for name, events in strong.items()}


def listed_names(labels: Collection[str], data_set: RecordedSet) -> list[str]:
    """Return the sorted names of all clips of a set, whether or not their audio is there. A part holds its 90
    % or 10 % of them, and a limit cuts the list.
    """
    names = sorted(labels)
    if data_set.part == "all":
        return names[: data_set.limit]
    random = np.random.default_rng([data_set.split_seed, len(names)])
    held_out = set(
        random.permutation(len(names))[: round(WEAK_XVALID_FRACTION * len(names))].tolist()
    )
    part = [name for i, name in enumerate(names) if (i in held_out) == (data_set.part == "xvalid")]
    return part[: data_set.limit]


def _overlap_warnings(tsv: str, events: dict[str, tuple[Event, ...] | None]) -> tuple[str, ...]:
    counts = [count for clip in events.values() if clip and (count := count_overlaps(clip))]
    if not counts:
        return ()
    return (
        f"{tsv}: {sum(counts)} same-class overlaps in {len(counts)} clips; "
        "they are stored as they are, merge them before PSDS",
    )
