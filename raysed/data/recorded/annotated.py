"""The listing of an annotated set: recordings anywhere, joined with labels in any of the usual forms.

What comes out is one table for all forms, with a row for each recording. Nothing is decoded.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
from pyarrow import compute

from raysed.config.annotated_set import AnnotatedSet
from raysed.data.lengths import WHOLE_CLIP_S
from raysed.data.recorded.audio_rows import Told, audio_rows
from raysed.data.recorded.clip_labels import ClipLabels
from raysed.data.recorded.label_files import label_files
from raysed.data.recorded.label_table import (
    CALLED,
    LABELS,
    ROWS_AT_ONCE,
    as_labels,
    role_columns,
    row_batches,
    trimmed,
)
from raysed.data.recorded.listing import ListedRecording, Listing
from raysed.storage.files import read_bytes
from raysed.storage.scratch_database import ScratchDatabase
from raysed.storage.url import masked

_pc: Any = compute
"""Arrow's functions are made when it is imported, where no type checker sees them."""

_SHOWN = 5
TENTHS = {"train": range(8), "xvalid": range(8, 9), "eval": range(9, 10)}
_TABLES = (".tsv", ".csv", ".jsonl", ".parquet")


def list_annotated(data_set: AnnotatedSet, classes: Collection[str] | None = None) -> Listing:
    """List recordings with their labels. Raises ValueError naming file, line and fault."""
    found = ScratchDatabase()
    root, told = audio_rows(data_set.audio, found)
    if data_set.type == "none":
        return Listing(root, None, _chosen(data_set, _recordings(found, iter(()))))
    batches, place = _labels(data_set, found, told)
    labels = ClipLabels(data_set, classes, found)
    for batch in _renamed(map(trimmed, batches), data_set):
        labels.add(batch)
    missing = labels.finish(place)
    recordings = _recordings(found, labels.of_clips())
    unnamed = _Unnamed()
    listing = Listing(
        root,
        "weak_labels" if data_set.type == "weak" else "events",
        _chosen(data_set, unnamed.left_out(recordings)),
        (name for name in missing if in_part(name, data_set)),
    )
    listing.warnings = (*unnamed.warnings(place), *labels.warnings(place))
    return listing


def _recordings(
    found: ScratchDatabase, labels: Iterator[tuple[int, str]]
) -> Iterator[ListedRecording]:
    """Yield the recordings with their labels, None where no row names them."""
    number, label = next(labels, (None, None))
    for n, name, path, size in found.rows("SELECT n, name, path, size FROM clip ORDER BY n"):
        yield ListedRecording(name, path or name, size, label if n == number else None)
        if n == number:
            number, label = next(labels, (None, None))


def _chosen(
    data_set: AnnotatedSet, recordings: Iterable[ListedRecording]
) -> Iterator[ListedRecording]:
    """Yield the recordings of the set's part, up to its limit."""
    left = data_set.limit
    for recording in recordings:
        if left != 0 and in_part(recording.filename, data_set):
            left = left and left - 1
            yield recording


class _Unnamed:
    """The recordings that no label names: their number, and the first of them."""

    def __init__(self) -> None:
        self._first: list[str] = []
        self._count = 0

    def left_out(self, recordings: Iterable[ListedRecording]) -> Iterator[ListedRecording]:
        """Yield the others."""
        for recording in recordings:
            if recording.labels is not None:
                yield recording
                continue
            self._count += 1
            if self._count <= _SHOWN:
                self._first.append(recording.filename)

    def warnings(self, place: str) -> tuple[str, ...]:
        """Return a line about them, where there are any."""
        if not self._count:
            return ()
        more = " …" if self._count > _SHOWN else ""
        return (
            f"{masked(place)}: {self._count} recordings that no label names are left out: {', '.join(self._first)}{more}",
        )


def _labels(
    data_set: AnnotatedSet, found: ScratchDatabase, told: Told | None
) -> tuple[Iterable[pa.Table], str]:
    """Return the labels as parts of LABELS, and where they stand."""
    place = data_set.labels
    if place is not None:
        table = place.lower().endswith(_TABLES) and "*" not in place
        return (_table_labels(row_batches(place), place) if table else label_files(place)), place
    if told is not None:
        return _table_labels(told(), data_set.audio), data_set.audio
    return _folder_labels(found, data_set), data_set.audio


def _table_labels(batches: Iterable[pa.Table], place: str) -> Iterator[pa.Table]:
    """Yield the rows of a table as LABELS. Raises ValueError for one without labels, which would be clips without events."""

    def checked() -> Iterator[pa.Table]:
        for rows in batches:
            if "events" not in rows.column_names and "event_label" not in role_columns(
                rows.column_names
            ):
                raise ValueError(
                    f"{masked(place)}: has no column with labels ({', '.join(CALLED['event_label'])}, or events), only"
                    f" {', '.join(rows.column_names)}; recordings without labels are `type: none`"
                )
            yield rows

    return as_labels(checked(), place)


def _folder_labels(found: ScratchDatabase, data_set: AnnotatedSet) -> Iterator[pa.Table]:
    """Take the name of the folder that a recording lies in for its label, of the whole clip."""
    place = data_set.audio
    strong = data_set.type == "strong"
    names = (name for (name,) in found.rows("SELECT name FROM clip ORDER BY n"))
    while some := list(islice(names, ROWS_AT_ONCE)):
        folders = [PurePosixPath(name).parent.name for name in some]
        if "" in folders:
            raise ValueError(
                f"{masked(place)}: {some[folders.index('')]} lies in no folder that would be its label; give `labels`"
            )
        columns = {
            "filename": some,
            "event_label": folders,
            "onset": [0.0 if strong else None] * len(some),
            "offset": [WHOLE_CLIP_S if strong else None] * len(some),
        }
        nulls = [None] * len(some)
        yield pa.table([columns.get(name, nulls) for name in LABELS.names], schema=LABELS)


def _renamed(batches: Iterable[pa.Table], data_set: AnnotatedSet) -> Iterable[pa.Table]:
    """Call labels as the `names` table says: AudioSet's `/m/09x0r` is `Speech`."""
    if data_set.names is None:
        return batches
    lines = read_bytes(data_set.names).decode("utf-8-sig").splitlines()
    pairs = [line.split("\t") for line in lines if line.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(
            f"{masked(data_set.names)}: expected two columns, label and name, separated by a tab"
        )
    keys, values = (pa.array(column, pa.string()) for column in zip(*pairs, strict=True))

    def called(labels: pa.Table) -> pa.Table:
        given = labels["event_label"].combine_chunks()
        names = values.take(_pc.index_in(given, value_set=keys))
        place = labels.column_names.index("event_label")
        return labels.set_column(place, "event_label", _pc.coalesce(names, given))

    return map(called, batches)


def in_part(name: str, data_set: AnnotatedSet) -> bool:
    """Tell whether a recording is in the set's part, which depends on its name and the seed alone."""
    if data_set.part == "all":
        return True
    return tenth_of(name, data_set.split_seed) in TENTHS[data_set.part]


def tenth_of(name: str, seed: int) -> int:
    """Return 0 to 9: the tenth that a name falls into."""
    digest = hashlib.sha256(f"{seed}\0{name}".encode()).digest()
    return int.from_bytes(digest[:8]) * 10 >> 64


def annotated_classes(data_set: AnnotatedSet) -> set[str]:
    """Return the classes that a set's labels name, after its map."""
    if data_set.type == "none":
        return set()
    listing = list_annotated(data_set.model_copy(update={"limit": None, "part": "all"}))
    return set().union(*(recording.classes for recording in listing))
