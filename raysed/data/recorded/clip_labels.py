"""From rows of labels to the events and labels of each clip, a part of the rows after the other.

They are kept on disk as the text that a data set's id is made of, so that a listing of any length takes the same memory.
"""

import json
from collections.abc import Collection, Iterator
from itertools import groupby
from operator import itemgetter

import numpy as np
import pyarrow as pa

from raysed.config.annotated_set import AnnotatedSet
from raysed.data.recorded.class_codes import ClassCodes
from raysed.data.recorded.meant_clips import LABEL, find_meant
from raysed.data.recorded.value_faults import ValueFaults
from raysed.storage.scratch_database import ScratchDatabase
from raysed.storage.url import masked
from raysed.text import counted

_OF_CLIPS = """SELECT coalesce(clip.n, meant.n) AS number, label.event FROM label
    LEFT JOIN clip ON clip.name = label.name LEFT JOIN meant ON meant.name = label.name
    WHERE number IS NOT NULL ORDER BY number, label.rowid"""


class ClipLabels:
    """The labels of a set's clips, collected from parts of their rows."""

    def __init__(
        self, data_set: AnnotatedSet, classes: Collection[str] | None, found: ScratchDatabase
    ) -> None:
        """Take the set, the job's classes (None: every label's), and a database with the recordings as CLIP."""
        self._codes, self._faults = ClassCodes(data_set, classes), ValueFaults(data_set.type)
        self._type, self._found = data_set.type, found
        self._repeated, self._repeats = 0, -1
        """The events so far that a clip has again, and the first such clip, by its number in CLIP."""
        found.run(LABEL)

    def add(self, labels: pa.Table) -> None:
        """Add some rows of LABELS."""
        self._faults.look(labels)
        row_E, code_E = self._codes.of(labels["event_label"].combine_chunks())
        name_R = labels["filename"].to_pylist()
        names = (name_R[row] for row in row_E.tolist())
        self._found.add("label", zip(names, self._events(labels, row_E, code_E), strict=True))

    def _events(
        self, labels: pa.Table, row_E: np.ndarray, code_E: np.ndarray
    ) -> Iterator[str | None]:
        """Yield each event as JSON with sorted keys (weak: its label), None where there is none."""
        # A class that is no class at all comes last: its code is -1.
        texts = [json.dumps(name) for name in self._codes.names] + [""]
        codes = code_E.tolist()
        if self._type == "weak":
            yield from (texts[code] or None for code in codes)
            return
        columns = ("onset", "offset", "confidence")
        onset_E, offset_E, value_E = (labels[c].to_numpy()[row_E].tolist() for c in columns)
        soft = self._type == "soft"
        for code, onset, offset, value in zip(codes, onset_E, offset_E, value_E, strict=True):
            first = f'"confidence":{value!r},' if soft else ""
            times = f'"offset":{offset!r},"onset":{onset!r}'
            yield None if code < 0 else f'{{{first}"event_label":{texts[code]},{times}}}'

    def finish(self, place: str) -> Iterator[str]:
        """Find the clip of each name; yield the sorted names that are no clip's. Raises ValueError for faulty rows and for
        labels that are no classes.
        """
        self._faults.refuse(place)
        self._codes.refuse_unknown(place)
        return find_meant(self._found)

    def warnings(self, place: str) -> tuple[str, ...]:
        """Return lines about labels that are no classes and were left out, and about events that clips so far have again."""
        if not self._repeated or self._type == "weak":
            return self._codes.ignored(place)
        name = self._found.value("SELECT name FROM clip WHERE n = ?", self._repeats)
        again = (
            f"{masked(place)}: {counted(self._repeated, 'row')} of an event that another row has, such as of {name}: metrics count"
            " each; remove them"
        )
        return (*self._codes.ignored(place), again)

    def of_clips(self) -> Iterator[tuple[int, str]]:
        """Yield each clip that a row names, by its number in CLIP and in this order, with the JSON list of its events (weak:
        of its labels); those of a clip are in the order of their rows.
        """
        for number, rows in groupby(self._found.rows(_OF_CLIPS), itemgetter(0)):
            events = [event for _, event in rows if event is not None]
            if again := len(events) - len(set(events)):
                self._repeats = number if not self._repeated else self._repeats
                self._repeated += again
            yield number, f"[{','.join(events)}]"
