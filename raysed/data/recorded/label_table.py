"""Labels of any form as one table: a row for each event, or for each label of a clip.

Columns: `filename` as the file names the clip, `onset` and `offset` in seconds (null: of the whole clip), `event_label`
(null: a clip without events), `confidence` (0 to 1; null: 1) and `line`, the row's place in its file.
"""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq
from pyarrow import compute

from raysed.storage.files import open_stream
from raysed.storage.url import masked

_pc: Any = compute
"""Arrow's functions are made when it is imported, where no type checker sees them."""

LABELS = pa.schema(
    [
        ("filename", pa.string()),
        ("onset", pa.float64()),
        ("offset", pa.float64()),
        ("event_label", pa.string()),
        ("confidence", pa.float64()),
        ("line", pa.int64()),
    ]
)

ROWS_AT_ONCE = 20_000
"""Rows of a table, or recordings, that are Python's objects at the same time."""
_LONGEST_HEADER = 100_000
_BLOCK_BYTES = 2**18
"""Bytes of a table that are parsed at once; some thirty blocks are read ahead. No row is longer."""

CALLED: dict[str, tuple[str, ...]] = {
    "filename": (
        *("filename", "file_name", "fname", "slice_file_name", "audio_filename", "file", "path"),
        *("audio_path", "segment_id", "audio"),
    ),
    "onset": ("onset", "start", "start_time", "start_time_seconds", "begin"),
    "offset": ("offset", "end", "end_time", "end_time_seconds", "stop"),
    "event_label": (
        *(
            "event_label",
            "event_labels",
            "label",
            "labels",
            "event",
            "category",
            "class",
            "classes",
        ),
        *("tags", "mids"),
    ),
    "confidence": ("confidence", "soft_label", "soft", "value"),
}
"""The names that a column may have; of several the first counts."""


def read_label_table(place: str) -> pa.Table:
    """Read a table of labels: TSV, CSV, JSONL or Parquet, as LABELS. Raises ValueError naming file and fault."""
    return pa.concat_tables(as_labels(row_batches(place), place))


def row_batches(place: str) -> Iterator[pa.Table]:
    """Yield the rows of a TSV, CSV (fields as text), JSONL or Parquet file in parts, at least one, so that a table of a
    million clips is never held whole. Raises ValueError naming it.
    """
    kind = place.rpartition(".")[2].lower()
    try:
        stream = open_stream(place)
        if kind == "parquet":
            yield from _parquet_rows(stream)
        elif kind == "jsonl":
            yield from _json_rows(stream)
        else:
            yield from _delimited(stream, "," if kind == "csv" else "\t")
    except (pa.ArrowException, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{masked(place)}: cannot be read as {kind} ({error})") from error


def _parquet_rows(stream: pa.NativeFile) -> Iterator[pa.Table]:
    file = pq.ParquetFile(stream)
    yield file.schema_arrow.empty_table()
    for batch in file.iter_batches(ROWS_AT_ONCE):
        yield pa.Table.from_batches([batch])


def _json_rows(stream: pa.NativeFile) -> Iterator[pa.Table]:
    """Yield objects of a line each. The columns are the keys of all so far: a clip without events may leave some out."""
    lines = io.BufferedReader(stream)  # type: ignore[bad-argument-type]
    objects = (_object(line, number) for number, line in enumerate(lines, 1) if line.strip())
    columns: dict[str, None] = {}
    while some := list(islice(objects, ROWS_AT_ONCE)):
        columns |= dict.fromkeys(name for row in some for name in row)
        yield pa.Table.from_pylist([{name: row.get(name) for name in columns} for row in some])
    if not columns:
        yield pa.table({})


def _object(line: bytes, number: int) -> dict[str, Any]:
    # Python writes NaN where pandas has no value.
    row = json.loads(line, parse_constant=lambda name: None)
    if not isinstance(row, dict):
        raise pa.ArrowInvalid(f"line {number} is no object")
    return row


def _delimited(stream: pa.NativeFile, delimiter: str) -> Iterator[pa.Table]:
    """Read all fields as text. Quotation marks are letters in a TSV, as in DESED's, and quote in a CSV."""
    first = stream.read(_LONGEST_HEADER).split(b"\n", 1)[0].decode("utf-8-sig").rstrip("\r")
    columns = [column.strip().strip('"') for column in first.split(delimiter)]
    stream.seek(0)
    reader = pc_csv.open_csv(
        stream,
        read_options=pc_csv.ReadOptions(
            column_names=columns, skip_rows=1, use_threads=False, block_size=_BLOCK_BYTES
        ),
        parse_options=pc_csv.ParseOptions(
            delimiter=delimiter, quote_char='"' if delimiter == "," else False
        ),
        convert_options=pc_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        ),
    )
    yield reader.schema.empty_table()
    for batch in reader:
        yield pa.Table.from_batches([batch])


def role_columns(names: Sequence[str]) -> dict[str, str]:
    """Return which column of a table plays which role of CALLED."""
    lower = {name.lower(): name for name in reversed(names)}
    found = {}
    for role, called in CALLED.items():
        if known := [lower[name] for name in called if name in lower]:
            found[role] = known[0]
    return found


def as_labels(batches: Iterable[pa.Table], place: str) -> Iterator[pa.Table]:
    """Yield the parts of a table of any columns as LABELS: a row for each event or label. Raises ValueError naming what is
    wrong.
    """
    line = 2
    for rows in batches:
        try:
            yield _as_labels(rows, masked(place), line)
        except pa.ArrowException as error:
            raise ValueError(f"{masked(place)}: its columns are no labels ({error})") from error
        line += len(rows)


def _as_labels(table: pa.Table, place: str, first_line: int) -> pa.Table:
    roles = role_columns(table.column_names)
    if "filename" not in roles:
        raise ValueError(
            f"{place}: has no column with file names ({', '.join(CALLED['filename'])}), only"
            f" {', '.join(table.column_names)}"
        )
    line = pa.array(np.arange(first_line, first_line + len(table)))
    if "onset" in roles and pa.types.is_list(table[roles["onset"]].type):
        table = _as_nested(table, roles, place)
    if "events" in table.column_names:
        return _nested_events(table, roles["filename"], line)
    columns = {"filename": table[roles["filename"]], "line": line}
    if "event_label" in roles:
        columns["event_label"] = table[roles["event_label"]]
    for role in ("onset", "offset", "confidence"):
        if role in roles:
            columns[role] = _numbers(table[roles[role]], place, roles[role], first_line)
    found = pa.table(columns)
    if "event_label" in columns and "onset" not in columns:
        found = _one_label_a_row(found)
    return _filled(found)


def _numbers(column: pa.ChunkedArray, place: str, name: str, first_line: int) -> pa.ChunkedArray:
    if pa.types.is_string(column.type):
        column = _pc.utf8_trim_whitespace(column)
        column = _pc.if_else(_pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    try:
        return column.cast(pa.float64())
    except pa.ArrowInvalid:
        for number, value in enumerate(column.to_pylist(), first_line):
            try:
                float(value if value is not None else 0)
            except ValueError as error:
                raise ValueError(
                    f"{place}, line {number}: {name} {value!r} is no number"
                ) from error
        raise


def _one_label_a_row(table: pa.Table) -> pa.Table:
    """Take lists of labels, or texts of labels with commas between them, apart."""
    labels = table["event_label"].combine_chunks()
    if pa.types.is_string(labels.type):
        labels = _pc.split_pattern(labels, ",")
    elif not pa.types.is_list(labels.type):
        return table
    lists = _pc.if_else(_pc.is_null(labels), pa.scalar([], labels.type), labels)
    parents, flat = (
        _pc.list_parent_indices(lists),
        _pc.utf8_trim_whitespace(_pc.list_flatten(lists)),
    )
    rows = table.drop_columns(["event_label"])
    empty = _pc.indices_nonzero(_pc.equal(_pc.list_value_length(lists), 0))
    with_labels = rows.take(parents).append_column("event_label", flat)
    without = rows.take(empty).append_column("event_label", pa.nulls(len(empty), pa.string()))
    both = pa.concat_tables([with_labels, without])
    return both.sort_by("line")


def _as_nested(table: pa.Table, roles: dict[str, str], place: str) -> pa.Table:
    """Take columns that are lists, of onsets, offsets and labels, for lists of events. Raises ValueError where they do not
    fit each other.
    """
    columns = [roles[r] for r in ("onset", "offset", "event_label", "confidence") if r in roles]
    lists = [table[column].combine_chunks() for column in columns]
    counts = [_pc.fill_null(_pc.list_value_length(each), 0) for each in lists]
    if not all(count.equals(counts[0]) for count in counts):
        raise ValueError(f"{place}: {', '.join(columns)} are lists of different lengths in a row")
    return table.append_column("events", pa.StructArray.from_arrays(lists, columns))


def _nested_events(table: pa.Table, filename: str, line: pa.Array) -> pa.Table:
    """Take the lists of events of a manifest apart: `[{onset, offset, event_label}, ...]`."""
    rows = []
    names, events = table[filename].to_pylist(), table["events"].to_pylist()
    for name, found, number in zip(names, events, line.to_pylist(), strict=True):
        if isinstance(
            found, dict
        ):  # a struct of lists, as `datasets` stores a sequence of mappings
            found = [
                dict(zip(found, values, strict=True))
                for values in zip(*(each or () for each in found.values()), strict=True)
            ]
        rows += label_rows(name, found or (), number)
    return pa.Table.from_pylist(rows, schema=LABELS)


def trimmed(labels: pa.Table) -> pa.Table:
    """Return rows of LABELS whose labels have no blanks at their ends, which no eye sees; of blanks alone, there is none."""
    label = _pc.utf8_trim_whitespace(labels["event_label"])
    label = _pc.if_else(_pc.equal(label, ""), pa.scalar(None, pa.string()), label)
    return labels.set_column(labels.column_names.index("event_label"), "event_label", label)


def label_rows(filename: str, events: Iterable[dict], line: int) -> list[dict]:
    """Return a clip's events as rows of LABELS, one without an event where it has none."""
    rows = []
    for event in events:
        roles = role_columns(list(event))
        rows.append({role: event[name] for role, name in roles.items()})
    return [{"line": line, **row, "filename": filename} for row in rows or [{}]]


def _filled(table: pa.Table) -> pa.Table:
    """Return the columns of LABELS in their order, those that are not there null."""
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in LABELS
    ]
    return pa.Table.from_arrays(columns, schema=LABELS)
