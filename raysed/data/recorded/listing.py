"""The recordings of a set with their labels, in the order of their names: a table on disk, read a part at once.

A million of them take the memory of a thousand. What leaves the process is a part of them.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from raysed.storage.scratch_database import ScratchDatabase


class ListedRecording(NamedTuple):
    """A recording of a listing."""

    filename: str
    path: str
    """Relative to the root, or whole."""
    size: int
    labels: str | None
    """A JSON list of its events, or of its labels where these are of whole clips; None where there are none."""

    @property
    def classes(self) -> set[str]:
        """Return the classes that its labels name."""
        found = json.loads(self.labels or "[]")
        return {label if isinstance(label, str) else label["event_label"] for label in found}


class Listing:
    """The recordings of a set in the order of their names, and the clips that labels name and that have no audio."""

    def __init__(
        self,
        root: str,
        labels: str | None,
        recordings: Iterable[ListedRecording],
        missing: Iterable[str] = (),
    ) -> None:
        """Take what labels are called: `events`, `weak_labels`, or None where there are none."""
        self.warnings: tuple[str, ...] = ()
        self.root, self._labels = root, labels
        self._rows = ScratchDatabase(
            "CREATE TABLE recording (filename TEXT, path TEXT, size INTEGER, labels TEXT)",
            "CREATE TABLE missing (name TEXT)",
        )
        self._rows.add("recording", recordings)
        self._rows.add("missing", ((name,) for name in missing))
        self.missing = Missing(self._rows)
        self._count = self._rows.value("SELECT count(*) FROM recording")

    def __len__(self) -> int:
        return self._count

    def part(self, start: int, stop: int) -> Iterator[ListedRecording]:
        """Yield recordings `start` (included) to `stop`."""
        found = self._rows.rows(
            "SELECT * FROM recording WHERE rowid > ? AND rowid <= ? ORDER BY rowid", start, stop
        )
        return map(ListedRecording._make, found)

    def __iter__(self) -> Iterator[ListedRecording]:
        return self.part(0, self._count)

    def content(self) -> str:
        """Return the SHA-256 of names, sizes and labels, wherever the recordings lie."""
        digest = hashlib.sha256()
        for name, _, size, labels in self:
            columns = {"filename": json.dumps(name), "size": str(size)}
            if self._labels is not None:
                columns[self._labels] = str(labels)
            row = ",".join(f'"{key}":{columns[key]}' for key in sorted(columns))
            digest.update(f"{{{row}}},".encode())
        return digest.hexdigest()


class Missing:
    """The sorted names of clips without audio."""

    def __init__(self, rows: ScratchDatabase) -> None:
        self._rows = rows
        self._count = rows.value("SELECT count(*) FROM missing")

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return (name for (name,) in self._rows.rows("SELECT name FROM missing ORDER BY rowid"))
