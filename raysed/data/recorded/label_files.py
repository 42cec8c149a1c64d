"""Label files of which each is about one recording: rows of onset, offset and label (MAESTRO, Audacity), and JAMS.

A file is about the recording of its own name: `cafe_00.txt` about `cafe_00.wav`, in whatever folder.
"""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from raysed.data.recorded.label_table import LABELS, ROWS_AT_ONCE, role_columns
from raysed.storage.files import list_files, read_bytes, split_glob
from raysed.storage.safe_name import utf8_name
from raysed.storage.scratch_database import ScratchDatabase
from raysed.storage.url import masked

EVENT_NAMESPACES = ("scaper", "sound_event", "segment_open", "segment_sed", "tag_open")
"""Namespaces of JAMS whose observations are sound events: Scaper's of today and of 2017 (URBAN-SED), and general ones."""
_SUFFIXES = (".txt", ".jams", ".tsv", ".csv")


def label_files(place: str) -> Iterator[pa.Table]:
    """Yield the rows of a folder or glob of label files as LABELS, in parts. Raises ValueError naming file, line and
    fault.
    """
    folder, _ = split_glob(place)
    listed = ScratchDatabase("CREATE TABLE file (name TEXT)")
    named = (name for name, _ in list_files(place) if name.lower().endswith(_SUFFIXES))
    listed.add("file", ((utf8_name(name, masked(place)),) for name in named))
    if not listed.value("SELECT count(*) FROM file"):
        raise ValueError(f"{masked(place)}: holds no label files ({', '.join(_SUFFIXES)})")
    rows: list[dict[str, Any]] = []
    for (name,) in listed.rows("SELECT name FROM file ORDER BY name"):
        clip, file = str(PurePosixPath(name).with_suffix("")), f"{folder}/{name}"
        found = list(_events(file))
        rows += [{"filename": clip, **row} for row in found or [{"line": 1}]]
        if len(rows) >= ROWS_AT_ONCE:
            yield pa.Table.from_pylist(rows, schema=LABELS)
            rows = []
    yield pa.Table.from_pylist(rows, schema=LABELS)


def _events(file: str) -> Iterator[dict[str, Any]]:
    try:
        text = read_bytes(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{masked(file)}: is not UTF-8 text") from error
    return _jams_events(text, file) if file.lower().endswith(".jams") else _rows(text, file)


def _rows(text: str, file: str) -> Iterator[dict[str, Any]]:
    """Read rows `onset offset label [value]`, separated by tabs or commas; a first row of words is a header."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith(
            "\\"
        ):  # a second line of Audacity's, with frequencies
            continue
        separator = "\t" if "\t" in line else ","
        fields = [field.strip() for field in line.split(separator)]
        try:
            onset, offset = float(fields[0]), float(fields[1])
            value = float(fields[3]) if len(fields) > 3 else None
        except (ValueError, IndexError) as error:
            if number == 1 and not fields[0][:1].isdigit():
                _check_header(fields, file)
                continue
            raise ValueError(
                f"{masked(file)}, line {number}: expected onset, offset, label and perhaps a value, separated by tabs"
                f" or commas; given {line[:100]!r}"
            ) from error
        label = fields[2] if len(fields) > 2 else ""
        yield {
            "onset": onset,
            "offset": offset,
            "event_label": label,
            "confidence": value,
            "line": number,
        }


def _check_header(fields: list[str], file: str) -> None:
    """Raise ValueError for a header whose known names say that the columns are others, such as durations for offsets."""
    roles = {role: fields.index(name) for role, name in role_columns(fields).items()}
    expected = {"onset": 0, "offset": 1, "event_label": 2, "confidence": 3}
    elsewhere = any(roles.get(role, at) != at for role, at in expected.items())
    if elsewhere or ("onset" in roles) != ("offset" in roles):
        raise ValueError(
            f"{masked(file)}, line 1: expected the columns onset, offset, label and perhaps a value, in this order; given"
            f" {', '.join(fields)[:100]}"
        )


def _jams_events(text: str, file: str) -> Iterator[dict[str, Any]]:
    """Read the foreground events of JAMS, also of its old form in which observations are columns."""
    try:
        annotations = json.loads(text)["annotations"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{masked(file)}: is no JAMS ({error})") from error
    known = [a for a in annotations if a.get("namespace") in EVENT_NAMESPACES]
    if annotations and not known:
        spaces = sorted({str(a.get("namespace")) for a in annotations})
        raise ValueError(
            f"{masked(file)}: no annotation of sound events ({', '.join(EVENT_NAMESPACES)}), only {', '.join(spaces)}"
        )
    for annotation in known:
        try:
            yield from map(_jams_event, _sounding(annotation["data"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{masked(file)}: an observation without time, duration and value ({type(error).__name__}: {error})"
            ) from error


def _jams_event(observation: dict[str, Any]) -> dict[str, Any]:
    value = observation["value"]
    label = value.get("label") if isinstance(value, dict) else value
    onset = float(observation["time"])
    return {
        "onset": onset,
        "offset": onset + float(observation["duration"]),
        "event_label": None if label is None else str(label),
        "line": 1,
    }


def _sounding(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the observations but those of the background."""
    for observation in _observations(data):
        value = observation["value"]
        if not (isinstance(value, dict) and value.get("role") == "background"):
            yield observation


def _observations(data: Any) -> Iterator[dict[str, Any]]:
    if isinstance(data, dict):
        yield from (dict(zip(data, row, strict=True)) for row in zip(*data.values(), strict=True))
    else:
        yield from data
