"""Recordings of an annotated set as a source of clips: their listing stays on disk, parts of it go to workers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from raysed.config.annotated_set import AnnotatedSet
from raysed.config.data_job import Features
from raysed.data.clip import Clip, Event, SoftEvent
from raysed.data.labels import hard, weak_labels
from raysed.data.recorded.annotated import list_annotated
from raysed.data.recorded.desed import RecordedEntry
from raysed.data.recorded.listing import ListedRecording, Listing, Missing
from raysed.data.recorded.reading import read_recorded

EXACT = 1e-3
"""The share by which a clip may pass the set's duration and still be one row: what a last frame hears anyway."""
SHARD_BYTES = 64 * 2**20
"""Bytes of the files of a shard: 35 min of 16-bit mono at 16 kHz, so that long recordings make short shards."""


@dataclass(frozen=True)
class AnnotatedPart:
    """Some recordings of a set, from the `first` on, as a worker needs them."""

    root: str
    features: Features
    first: int
    entries: tuple[RecordedEntry, ...]

    def filename(self, index: int) -> str:
        """Return the name of recording `index` of the set."""
        return self.entries[index - self.first].filename

    def make(self, index: int) -> tuple[Clip, ...]:
        """Decode recording `index`: one clip, or the windows of a long one. Raises ValueError if it cannot be read."""
        return read_recorded(self.root, self.entries[index - self.first], self.features, EXACT)

    def reason(self, error: ValueError) -> str:
        """Return the reason why a clip cannot be made, without the folders of this machine."""
        return str(error).replace(f"{self.root}/", "")


@dataclass(frozen=True)
class AnnotatedSource:
    """Recordings whose audio is there, with their labels."""

    subset: str
    features: Features
    listing: Listing

    @classmethod
    def of(
        cls, data_set: AnnotatedSet, features: Features, classes: tuple[str, ...]
    ) -> "AnnotatedSource":
        """List a set. Raises ValueError for what is missing or impossible."""
        return cls(data_set.type, features, list_annotated(data_set, classes))

    @property
    def root(self) -> str:
        """Return the folder or URL that paths are relative to."""
        return self.listing.root

    @property
    def missing(self) -> Missing:
        """Return the clips that labels name and that have no audio."""
        return self.listing.missing

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return warnings about the recordings."""
        return self.listing.warnings

    @property
    def count(self) -> int:
        """Return the number of recordings."""
        return len(self.listing)

    def listed(self, start: int, stop: int) -> Iterator[RecordedEntry]:
        """Yield recordings `start` (included) to `stop` with their labels."""
        return map(self._entry, self.listing.part(start, stop))

    def part(self, start: int, stop: int) -> AnnotatedPart:
        """Return recordings `start` (included) to `stop` as a source of their own, with the numbers that they have here."""
        return AnnotatedPart(self.root, self.features, start, tuple(self.listed(start, stop)))

    def filename(self, index: int) -> str:
        """Return the name of recording `index`."""
        return self.part(index, index + 1).filename(index)

    def make(self, index: int) -> tuple[Clip, ...]:
        """Decode recording `index`: one clip, or the windows of a long one. Raises ValueError if it cannot be read."""
        return self.part(index, index + 1).make(index)

    def reason(self, error: ValueError) -> str:
        """Return the reason why a clip cannot be made, without the folders of this machine."""
        return self.part(0, 0).reason(error)

    def fingerprint(self) -> Any:
        """Return the hash of names, labels and sizes that decide the clips, wherever the root lies."""
        return self.listing.content()

    def starts(self, most: int) -> list[int]:
        """Return the first recording of each shard, of at most so many recordings and SHARD_BYTES together."""
        starts: list[int] = []
        together = 0
        for n, recording in enumerate(self.listing):
            together += recording.size
            if not starts or n - starts[-1] == most or together > SHARD_BYTES:
                starts.append(n)
                together = recording.size
        return starts

    def _entry(self, recording: ListedRecording) -> RecordedEntry:
        events, weak = None, None
        if recording.labels is not None and self.subset == "weak":
            weak = tuple(sorted(set(json.loads(recording.labels))))
        elif recording.labels is not None:
            kind = SoftEvent if self.subset == "soft" else Event
            events = tuple(kind(**event) for event in json.loads(recording.labels))
            weak = weak_labels(hard(events))
        return RecordedEntry(recording.filename, recording.path, events, weak)
