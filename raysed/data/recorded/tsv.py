"""Reading of DESED's TSV annotations: they are checked row by row, and all faults of a file are reported at
once.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from raysed.config.base import checked_line
from raysed.data.clip import Event
from raysed.storage.places import is_file
from raysed.storage.safe_name import name_fault
from raysed.storage.tab_separated import read_table

_FAULTS_SHOWN = 10


@dataclass
class Faults:
    """The faults of one file; `raise_if_any` makes one message of them."""

    path: str | Path
    found: list[str] = field(default_factory=list)

    def add(self, line: int, fault: str) -> None:
        """Note a fault of a line; the header is line 1."""
        self.found.append(f"line {line}: {fault}")

    def raise_if_any(self) -> None:
        """Raise ValueError naming the file and its first faults."""
        if self.found:
            shown = self.found[:_FAULTS_SHOWN]
            more = len(self.found) - len(shown)
            tail = [f"… and {more} more"] if more else []
            raise ValueError("\n  ".join([f"{self.path}: {len(self.found)} faults", *shown, *tail]))


def read_unlabelled(path: str | Path) -> list[str]:
    """Read the file names of a TSV with the one column `filename`."""
    faults = Faults(path)
    names: dict[str, None] = {}
    for line, (name,) in _rows(path, ("filename",), faults):
        _check_name(name, line, faults)
        if name in names:
            faults.add(line, f"{name} stands there twice")
        names[name] = None
    faults.raise_if_any()
    return list(names)


def read_weak(path: str | Path, classes: Collection[str] | None) -> dict[str, tuple[str, ...]]:
    """Read the sorted labels of each file name, from the columns `filename` and `event_labels`
    (comma-joined).
    """
    faults = Faults(path)
    clips: dict[str, tuple[str, ...]] = {}
    for line, (name, joined) in _rows(path, ("filename", "event_labels"), faults):
        _check_name(name, line, faults)
        labels = tuple(sorted({label.strip() for label in joined.split(",") if label.strip()}))
        for label in labels:
            _check_label(label, classes, line, faults)
        if name in clips:
            faults.add(line, f"{name} stands there twice")
        clips[name] = labels
    faults.raise_if_any()
    return clips


def read_strong(path: str | Path, classes: Collection[str] | None) -> dict[str, tuple[Event, ...]]:
    """Read the events of each file name in file order, unchanged, from `filename`, `onset`, `offset`,
    `event_label`.

    A row whose three event fields are empty stands for a clip without events; the clip is kept.
    """
    faults = Faults(path)
    clips: dict[str, list[Event]] = {}
    for line, (name, *fields) in _rows(
        path, ("filename", "onset", "offset", "event_label"), faults
    ):
        _check_name(name, line, faults)
        events = clips.setdefault(name, [])
        if any(fields) and (event := _event(fields, classes, line, faults)) is not None:
            events.append(event)
    faults.raise_if_any()
    return {name: tuple(events) for name, events in clips.items()}


def _rows(
    path: str | Path, columns: tuple[str, ...], faults: Faults
) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of every row, after the header was found to be exactly `columns`."""
    if not is_file(path):
        raise ValueError(f"{path}: no such file; it should hold the columns {', '.join(columns)}")
    table = read_table(path, columns)
    if table.columns != columns:
        raise ValueError(
            f"{path}, line 1: the columns are {list(table.columns)}, expected {list(columns)} "
            "separated by tabs"
        )
    for line, fault in table.faults:
        faults.add(line, fault)
    yield from zip(table.lines, table.rows, strict=True)


def _check_name(name: str, line: int, faults: Faults) -> None:
    if fault := name_fault(name):
        faults.add(line, f"the filename {name!r} {fault}; give a name relative to the audio folder")


def _check_label(label: str, classes: Collection[str] | None, line: int, faults: Faults) -> None:
    if classes is not None and label not in classes:
        faults.add(line, f"label {label!r} is not one of the classes {', '.join(classes)}")
    try:
        checked_line(label)
    except ValueError as error:
        faults.add(line, f"can be no label: {error}")


def _event(
    fields: list[str], classes: Collection[str] | None, line: int, faults: Faults
) -> Event | None:
    try:
        onset, offset = float(fields[0]), float(fields[1])
    except ValueError:
        faults.add(line, f"onset and offset are not two numbers: {fields[0]!r}, {fields[1]!r}")
        return None
    if not (0 <= onset < offset < math.inf):
        faults.add(line, f"onset {onset} and offset {offset} do not fulfil 0 <= onset < offset")
    if not fields[2]:
        faults.add(line, "the event_label is empty")
    else:
        _check_label(fields[2], classes, line, faults)
    return Event(onset, offset, fields[2])
