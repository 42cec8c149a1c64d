"""The listing of an annotated set: recordings anywhere, joined with labels in any of the usual forms.

What comes out is one table for all forms, with a row for each recording: a million take some 300 MB. Nothing is decoded.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
from pyarrow import compute

from raysed.config.annotated_set import AnnotatedSet
from raysed.data.lengths import WHOLE_CLIP_S
from raysed.data.recorded.audio_rows import audio_rows
from raysed.data.recorded.clip_labels import check_values, grouped, indices_of, to_classes
from raysed.data.recorded.label_files import read_label_files
from raysed.data.recorded.label_table import LABELS, as_labels, read_label_table
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
    root, audio, told = audio_rows(data_set.audio)
    if data_set.type == "none":
        rows, missing, warnings = audio, [], ()
    else:
        labels, place = _labels(data_set, audio, told)
        labels = _renamed(labels, data_set)
        check_values(labels, data_set.type, place)
        labels = to_classes(labels, data_set, classes, place)
        rows, missing, warnings = _joined(audio, labels, data_set.type, place)
        del labels
    if data_set.part != "all":
        kept = in_part(rows["filename"].to_pylist(), data_set)
        rows = rows.take(pa.array(kept, pa.int64()))
    return AnnotatedListing(
        rows=rows.slice(0, data_set.limit).combine_chunks(),
        root=root,
        missing=tuple(missing[n] for n in in_part(missing, data_set)),
        warnings=warnings,
    )


def _labels(data_set: AnnotatedSet, audio: pa.Table, told: pa.Table | None) -> tuple[pa.Table, str]:
    """Return the labels as LABELS, and where they stand."""
    place = data_set.labels
    if place is not None:
        table = place.lower().endswith(_TABLES) and "*" not in place
        return (read_label_table(place) if table else read_label_files(place)), place
    if told is not None:
        return as_labels(told, data_set.audio), data_set.audio
    return _folder_labels(audio["filename"].to_pylist(), data_set), data_set.audio


def _folder_labels(names: list[str], data_set: AnnotatedSet) -> pa.Table:
    """Take the name of the folder that a recording lies in for its label, of the whole clip."""
    place = data_set.audio
    folders = [PurePosixPath(name).parent.name for name in names]
    if "" in folders:
        raise ValueError(
            f"{masked(place)}: {names[folders.index('')]} lies in no folder that would be its label; give `labels`"
        )
    rows = pa.table({"filename": pa.array(names), "event_label": pa.array(folders)})
    if data_set.type == "strong":
        rows = rows.append_column("onset", pa.array([0.0] * len(rows)))
        rows = rows.append_column("offset", pa.array([WHOLE_CLIP_S] * len(rows)))
    nulls = {f.name: pa.nulls(len(rows), f.type) for f in LABELS}
    return pa.table(
        {f.name: rows[f.name] if f.name in rows.column_names else nulls[f.name] for f in LABELS}
    )


def _renamed(labels: pa.Table, data_set: AnnotatedSet) -> pa.Table:
    """Call labels as the `names` table says: AudioSet's `/m/09x0r` is `Speech`."""
    if data_set.names is None:
        return labels
    lines = read_bytes(data_set.names).decode("utf-8-sig").splitlines()
    pairs = [line.split("\t") for line in lines if line.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(
            f"{masked(data_set.names)}: expected two columns, label and name, separated by a tab"
        )
    keys, values = (pa.array(column, pa.string()) for column in zip(*pairs, strict=True))
    names = values.take(_pc.index_in(labels["event_label"].combine_chunks(), value_set=keys))
    called = _pc.coalesce(names, labels["event_label"].combine_chunks())
    return labels.set_column(labels.column_names.index("event_label"), "event_label", called)


def _joined(
    audio: pa.Table, labels: pa.Table, kind: str, place: str
) -> tuple[pa.Table, list[str], tuple[str, ...]]:
    """Return the recordings that labels name with these, the clips without audio, and warnings."""
    distinct = _pc.unique(labels["filename"])
    index_D = indices_of(distinct, audio["filename"])
    code = _pc.index_in(labels["filename"].combine_chunks(), value_set=distinct)
    index_R = index_D[code.to_numpy(zero_copy_only=False)]
    missing = sorted(_pc.filter(distinct, pa.array(index_D < 0)).to_pylist())
    if kind == "weak":
        column, lists = "weak_labels", grouped(labels, index_R, len(audio), ["event_label"])
    else:
        fields = ["onset", "offset", "event_label", *(["confidence"] if kind == "soft" else [])]
        column, lists = "events", grouped(labels, index_R, len(audio), fields)
    rows = audio.append_column(column, lists)
    named = _pc.is_valid(lists)
    count = _pc.sum(_pc.invert(named)).as_py() or 0
    warnings = ()
    if count:
        some = _pc.filter(audio["filename"], _pc.invert(named)).slice(0, _SHOWN).to_pylist()
        more = " …" if count > _SHOWN else ""
        warnings = (
            f"{masked(place)}: {count} recordings that no label names are left out: {', '.join(some)}{more}",
        )
    return rows.filter(named) if count else rows, missing, warnings


def in_part(names: list[str], data_set: AnnotatedSet) -> list[int]:
    """Return the indices of the names in the set's part, which depends on a name and the seed alone."""
    if data_set.part == "all":
        return list(range(len(names)))
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
