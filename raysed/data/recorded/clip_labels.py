"""From rows of labels to the events and labels of each clip, a part of the rows after the other.

What is kept of a row are numbers, its clip, class, times and value: 24 bytes of an event (soft: 32), however long the names are.
"""

from collections.abc import Collection

import numpy as np
import pyarrow as pa

from raysed.config.annotated_set import AnnotatedSet
from raysed.data.recorded.class_codes import ClassCodes
from raysed.data.recorded.clip_index import ClipIndex
from raysed.data.recorded.growing import Numbers
from raysed.data.recorded.value_faults import ValueFaults

_TYPES = {"clip": np.int32, "event_label": np.int32}


class ClipLabels:
    """The labels of a set's clips, collected from parts of their rows."""

    def __init__(
        self, data_set: AnnotatedSet, classes: Collection[str] | None, clips: pa.Array
    ) -> None:
        """Take the set, the job's classes (None: every label's), and the names of the recordings."""
        self._index, self._clips = ClipIndex(clips), len(clips)
        self._codes, self._faults = ClassCodes(data_set, classes), ValueFaults(data_set.type)
        self._fields = {
            "weak": ("event_label",),
            "strong": ("onset", "offset", "event_label"),
            "soft": ("onset", "offset", "event_label", "confidence"),
        }[data_set.type]
        self._columns = {
            name: Numbers(_TYPES.get(name, np.float64)) for name in ("clip", *self._fields)
        }

    def add(self, labels: pa.Table) -> None:
        """Add some rows of LABELS."""
        self._faults.look(labels)
        clip_R = self._index.find(labels["filename"].combine_chunks())
        row_E, code_E = self._codes.of(labels["event_label"].combine_chunks())
        self._columns["clip"].extend(clip_R[row_E])
        for name in self._fields:
            found_E = code_E if name == "event_label" else labels[name].to_numpy()[row_E]
            self._columns[name].extend(found_E)

    def finish(self, place: str) -> tuple[pa.Array, list[str]]:
        """Return for each clip its list of events (weak: of labels), null where no row names it, and the sorted names
        that are no clip's. Raises ValueError for faulty rows and for labels that are no classes.
        """
        self._faults.refuse(place)
        self._codes.refuse_unknown(place)
        clip_E, missing = self._index.settled(self._columns.pop("clip").finish())
        del self._index
        label_E = self._columns["event_label"].finish() >= 0
        order_E, first_C, named_C = grouping(clip_E, label_E, self._clips)
        del clip_E, label_E
        values: list[pa.Array] = []
        for name in self._fields:
            value_E = self._columns.pop(name).finish()
            # In the order of the clips already, as most tables are, they are taken as they lie.
            value_E = value_E if order_E is None else value_E[order_E]
            is_label = name == "event_label"
            values.append(self._codes.named(value_E) if is_label else pa.array(value_E))
        weak = len(values) == 1
        flat = values[0] if weak else pa.StructArray.from_arrays(values, list(self._fields))
        return pa.ListArray.from_arrays(first_C, flat, mask=pa.array(~named_C)), missing


def grouping(
    clip_E: np.ndarray, is_label_E: np.ndarray, clips: int
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """Return the rows with a label in the order of their clips (None: all, as they are), each clip's first among them and
    at last their number, and which clips any row names. Rows of a clip keep their order; those of clip -1 are left out.
    """
    named_C = np.zeros(clips, bool)
    named_C[clip_E[clip_E >= 0]] = True
    kept_E = is_label_E & (clip_E >= 0)
    of_E = clip_E if kept_E.all() else clip_E[kept_E]
    order_E = None if of_E is clip_E else np.flatnonzero(kept_E)
    if (of_E[1:] < of_E[:-1]).any():
        rank_E = np.argsort(of_E, kind="stable")
        order_E = rank_E if order_E is None else order_E[rank_E]
    first_C = np.zeros(clips + 1, np.int32)
    np.cumsum(np.bincount(of_E, minlength=clips), out=first_C[1:])
    return order_E, first_C, named_C
