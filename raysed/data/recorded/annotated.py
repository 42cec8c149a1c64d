"""The listing of an annotated set: recordings anywhere, joined with labels in any of the usual forms.

What comes out is one table for all forms, with a row for each recording: its name and some 45 bytes, with two events each. Nothing is decoded.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
from pyarrow import compute

from raysed.config.annotated_set import AnnotatedSet
from raysed.data.lengths import WHOLE_CLIP_S
from raysed.data.recorded.audio_rows import Told, audio_rows, texts_of
from raysed.data.recorded.clip_labels import ClipLabels
from raysed.data.recorded.label_files import label_files
from raysed.data.recorded.label_table import LABELS, ROWS_AT_ONCE, as_labels, row_batches
from raysed.storage.files import read_bytes
from raysed.storage.url import masked

_pc: Any = compute
"""Arrow's functions are made when it is imported, where no type checker sees them."""

_SHOWN = 5
_ROWS_AT_ONCE = 10_000
TENTHS = {"train": range(8), "xvalid": range(8, 9), "eval": range(9, 10)}
_TABLES = (".tsv", ".csv", ".jsonl", ".parquet")


@dataclass(frozen=True)
class AnnotatedListing:
    """The recordings of a set in the order of their names."""

    rows: pa.Table
    """`filename`, `path` (relative to the root, or whole), `size`, and `events` or `weak_labels` where there are labels."""
    root: str
    missing: tuple[str, ...]
    """Clips that labels name and that have no audio."""
    warnings: tuple[str, ...]


def list_annotated(
    data_set: AnnotatedSet, classes: Collection[str] | None = None
) -> AnnotatedListing:
    """List recordings with their labels. Raises ValueError naming file, line and fault."""
    root, rows, told = audio_rows(data_set.audio)
    missing: list[str] = []
    warnings: tuple[str, ...] = ()
    if data_set.type != "none":
        batches, place = _labels(data_set, rows, told)
        names = rows["filename"]
        # `combine_chunks` copies one chunk, too.
        names = names.chunk(0) if names.num_chunks == 1 else names.combine_chunks()
        labels = ClipLabels(data_set, classes, names)
        for batch in _renamed(batches, data_set):
            labels.add(batch)
        lists, missing = labels.finish(place)
        column = "weak_labels" if data_set.type == "weak" else "events"
        rows, warnings = _named(rows.append_column(column, lists), place)
        del labels, lists
    if data_set.part != "all":
        kept = in_part(texts_of(rows["filename"]), data_set)
        rows = rows.take(pa.array(kept, pa.int64()))
    rows = rows.slice(0, data_set.limit).combine_chunks()
    if "path" not in rows.column_names:  # the same bytes, not a copy
        rows = rows.add_column(1, "path", rows["filename"])
    return AnnotatedListing(
        rows=rows,
        root=root,
        missing=tuple(missing[n] for n in in_part(missing, data_set)),
        warnings=warnings,
    )


def _labels(
    data_set: AnnotatedSet, audio: pa.Table, told: Told | None
) -> tuple[Iterable[pa.Table], str]:
    """Return the labels as parts of LABELS, and where they stand."""
    place = data_set.labels
    if place is not None:
        table = place.lower().endswith(_TABLES) and "*" not in place
        return (as_labels(row_batches(place), place) if table else label_files(place)), place
    if told is not None:
        return as_labels(told(), data_set.audio), data_set.audio
    return _folder_labels(audio["filename"], data_set), data_set.audio


def _folder_labels(names: pa.ChunkedArray, data_set: AnnotatedSet) -> Iterator[pa.Table]:
    """Take the name of the folder that a recording lies in for its label, of the whole clip."""
    place = data_set.audio
    strong = data_set.type == "strong"
    for start in range(0, len(names), ROWS_AT_ONCE):
        some = names.slice(start, ROWS_AT_ONCE).to_pylist()
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


def _named(rows: pa.Table, place: str) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the recordings that labels name, and warnings about the others."""
    named = _pc.is_valid(rows[rows.column_names[-1]])
    count = _pc.sum(_pc.invert(named)).as_py() or 0
    if not count:
        return rows, ()
    some = rows["filename"].filter(_pc.invert(named)).slice(0, _SHOWN).to_pylist()
    more = " …" if count > _SHOWN else ""
    return rows.filter(named), (
        f"{masked(place)}: {count} recordings that no label names are left out: {', '.join(some)}{more}",
    )


def in_part(names: Iterable[str], data_set: AnnotatedSet) -> list[int]:
    """Return the indices of the names in the set's part, which depends on a name and the seed alone."""
    if data_set.part == "all":
        return [n for n, _ in enumerate(names)]
    tenths = TENTHS[data_set.part]
    return [n for n, name in enumerate(names) if tenth_of(name, data_set.split_seed) in tenths]


def tenth_of(name: str, seed: int) -> int:
    """Return 0 to 9: the tenth that a name falls into."""
    digest = hashlib.sha256(f"{seed}\0{name}".encode()).digest()
    return int.from_bytes(digest[:8]) * 10 >> 64


def content_of(rows: pa.Table) -> str:
    """Return the SHA-256 of names, sizes and labels, wherever the recordings lie."""
    digest = hashlib.sha256()
    shown = rows.drop_columns(["path"])
    for batch in shown.to_batches(_ROWS_AT_ONCE):
        text = json.dumps(batch.to_pylist(), sort_keys=True, separators=(",", ":"))
        digest.update(text.removeprefix("[").removesuffix("]").encode() + b",")
    return digest.hexdigest()


def annotated_classes(data_set: AnnotatedSet) -> set[str]:
    """Return the classes that a set's labels name, after its map."""
    if data_set.type == "none":
        return set()
    rows = list_annotated(data_set.model_copy(update={"limit": None, "part": "all"})).rows
    lists = rows["weak_labels" if data_set.type == "weak" else "events"].combine_chunks()
    flat = _pc.list_flatten(lists)
    found = flat if data_set.type == "weak" else _pc.struct_field(flat, "event_label")
    return set(_pc.unique(found).to_pylist())
