"""The faults of rows of labels: impossible times, labels and values."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from pyarrow import compute

from raysed.storage.url import masked

_pc: Any = compute
"""Arrow's functions are made when it is imported, where no type checker sees them."""


class ValueFaults:
    """Rows whose times, labels or values are impossible for labels of a kind: the first of each fault, and how many."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._first: dict[int, str] = {}
        self._count: Counter[int] = Counter()

    def look(self, labels: pa.Table) -> None:
        """Look at some rows."""
        for number, (bad, say) in enumerate(_checks(labels, self._kind)):
            if count := _pc.sum(bad).as_py():
                row = labels.filter(bad).slice(0, 1).to_pylist()[0]
                self._first.setdefault(number, f"line {row['line']}, {row['filename']}: {say(row)}")
                self._count[number] += count

    def refuse(self, place: str) -> None:
        """Raise ValueError for the first rows of the first fault."""
        if self._first:
            number = min(self._first)
            count = self._count[number]
            more = f" ({count} such rows)" if count > 1 else ""
            raise ValueError(f"{masked(place)}, {self._first[number]}{more}")


def _checks(labels: pa.Table, kind: str) -> list[tuple[pa.ChunkedArray, Callable[[dict], str]]]:
    """Return the rows that have each fault, and its words."""
    has_label = _pc.is_valid(labels["event_label"])
    onset, offset = labels["onset"], labels["offset"]
    checks: list[tuple[pa.ChunkedArray, Callable[[dict], str]]] = [
        (_pc.is_null(labels["filename"]), lambda row: "names no recording")
    ]
    if kind in ("strong", "soft"):
        timed = _pc.and_(_pc.is_valid(onset), _pc.is_valid(offset))
        good = _pc.and_(_pc.greater_equal(onset, 0.0), _pc.less(onset, offset))
        good = _pc.and_(_pc.fill_null(good, False), _pc.fill_null(_pc.is_finite(offset), False))
        checks += [
            (
                _pc.and_(has_label, _pc.invert(timed)),
                lambda row: f"{row['event_label']!r} has no onset and offset",
            ),
            (
                _pc.and_(has_label, _pc.invert(good)),
                lambda row: (
                    f"onset {row['onset']} and offset {row['offset']} do not fulfil 0 <= onset < offset"
                ),
            ),
            (
                _pc.and_(_pc.invert(has_label), _pc.is_valid(onset)),
                lambda row: "has times but no label",
            ),
        ]
    if kind == "soft":
        value = labels["confidence"]
        inside = _pc.and_(_pc.greater_equal(value, 0.0), _pc.less_equal(value, 1.0))
        bad = _pc.and_(has_label, _pc.invert(_pc.fill_null(inside, False)))
        checks.append((bad, lambda row: f"the value {row['confidence']} is not from 0 to 1"))
    return checks
