"""Recordings of an annotated set as a source of clips; its rows stay one Arrow table, also on their way to workers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from raysed.config.annotated_set import AnnotatedSet
from raysed.config.data_job import Features
from raysed.data.clip import Clip, Event, SoftEvent
from raysed.data.labels import hard, weak_labels
from raysed.data.recorded.annotated import content_of, list_annotated
from raysed.data.recorded.desed import RecordedEntry
from raysed.data.recorded.reading import read_recorded

EXACT = 1e-3
"""The share by which a clip may pass the set's duration and still be one row: what a last frame hears anyway."""
SHARD_BYTES = 64 * 2**20
"""Bytes of the files of a shard: 35 min of 16-bit mono at 16 kHz, so that long recordings make short shards."""


@dataclass(frozen=True)
class AnnotatedSource:
    """Recordings whose audio is there, with their labels."""

    root: str
    subset: str
    features: Features
    rows: pa.Table
    missing: tuple[str, ...]
    warnings: tuple[str, ...]

    @classmethod
    def of(
        cls, data_set: AnnotatedSet, features: Features, classes: tuple[str, ...]
    ) -> "AnnotatedSource":
        """List a set. Raises ValueError for what is missing or impossible."""
        listing = list_annotated(data_set, classes)
        return cls(
            root=listing.root,
            subset=data_set.type,
            features=features,
            rows=listing.rows,
            missing=listing.missing,
            warnings=listing.warnings,
        )

    @property
    def count(self) -> int:
        """Return the number of recordings."""
        return len(self.rows)

    def filename(self, index: int) -> str:
        """Return the name of recording `index`."""
        return self.rows["filename"][index].as_py()

    def entry(self, index: int) -> RecordedEntry:
        """Return recording `index` with its labels."""
        (row,) = self.rows.slice(index, 1).to_pylist()
        events, weak = row.get("events"), row.get("weak_labels")
        if events is not None:
            kind = SoftEvent if self.subset == "soft" else Event
            events = tuple(kind(**event) for event in events)
            weak = weak_labels(hard(events))
        elif weak is not None:
            weak = tuple(sorted(set(weak)))
        return RecordedEntry(row["filename"], row["path"], events, weak)

    def make(self, index: int) -> tuple[Clip, ...]:
        """Decode recording `index`: one clip, or the windows of a long one. Raises ValueError if it cannot be read."""
        return read_recorded(self.root, self.entry(index), self.features, EXACT)

    def reason(self, error: ValueError) -> str:
        """Return the reason why a clip cannot be made, without the folders of this machine."""
        return str(error).replace(f"{self.root}/", "")

    def fingerprint(self) -> Any:
        """Return the hash of names, labels and sizes that decide the clips, wherever the root lies."""
        return content_of(self.rows)

    def starts(self, most: int) -> list[int]:
        """Return the first recording of each shard, of at most so many recordings and SHARD_BYTES together."""
        starts, first = [], 0
        ends = np.cumsum(self.rows["size"].to_numpy())
        while first < len(ends):
            starts.append(first)
            before = ends[first - 1] if first else 0
            fits = int(np.searchsorted(ends, before + SHARD_BYTES, side="right"))
            first = max(first + 1, min(fits, first + most))
        return starts
