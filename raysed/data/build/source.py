"""The sources of clips: each is a list, and each clip is a pure function of its index."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from raysed.config.annotated_set import AnnotatedSet
from raysed.config.data_job import DataJob, Features, RecordedSet
from raysed.data.build.annotated_source import AnnotatedSource
from raysed.data.clip import Clip
from raysed.data.recorded.desed import RecordedEntry, list_recorded
from raysed.data.recorded.reading import read_recorded
from raysed.data.soundscapes.context import SoundscapeContext, soundscape_indices, soundscape_name
from raysed.data.soundscapes.reverb import Room
from raysed.storage.places import sizes_of


@dataclass(frozen=True)
class RecordedSource:
    """Clips of a recorded subset whose audio is there."""

    root: str
    subset: str
    features: Features
    entries: tuple[RecordedEntry, ...]
    missing: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def count(self) -> int:
        """Return the number of raw clips."""
        return len(self.entries)

    def filename(self, index: int) -> str:
        """Return the name of raw clip `index`."""
        return self.entries[index].filename

    def make(self, index: int) -> tuple[Clip, ...]:
        """Decode recording `index`: one clip, or the windows of a long one. Raises ValueError if it cannot be read."""
        return read_recorded(self.root, self.entries[index], self.features)

    def reason(self, error: ValueError) -> str:
        """Return the reason why a clip cannot be made, without the folders of this machine."""
        return str(error).replace(f"{self.root}/", "")

    def listed(self, start: int, stop: int) -> tuple[RecordedEntry, ...]:
        """Return recordings `start` (included) to `stop` with their labels."""
        return self.entries[start:stop]

    def fingerprint(self) -> Any:
        """Return the names, labels and sizes that decide the clips, wherever the root lies."""
        sizes = sizes_of(self.root, [entry.path for entry in self.entries])
        return [[asdict(entry), size] for entry, size in zip(self.entries, sizes, strict=True)]


@dataclass(frozen=True)
class SyntheticSource:
    """Soundscapes, before the polyphony filter."""

    context: SoundscapeContext
    subset: str = "synthetic"
    missing: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return warnings about the sources."""
        return self.context.warnings

    @property
    def count(self) -> int:
        """Return the number of raw clips."""
        return len(soundscape_indices(self.context))

    def filename(self, index: int) -> str:
        """Return the name of raw clip `index`."""
        return soundscape_name(self.context, soundscape_indices(self.context)[index])

    def make(self, index: int) -> tuple[Clip, ...]:
        """Render raw clip `index`; nothing if the polyphony filter drops it. Raises ValueError if it cannot be
        made.
        """
        # Workers need Scaper, plans do not.
        from raysed.data.soundscapes.soundscape import make_soundscape

        made = make_soundscape(self.context, soundscape_indices(self.context)[index])
        return () if made is None else (made,)

    def reason(self, error: ValueError) -> str:
        """Return the reason why a soundscape cannot be made, without the folders of this machine."""
        bank, reason = self.context.soundbank, str(error)
        roots = [bank.foreground_root, bank.background_root]
        roots += [_rooms_root(room) for room in self.context.rooms[:1]]
        for root in roots:
            reason = reason.replace(f"{root.rpartition('/')[0]}/", "")
        return reason

    def fingerprint(self) -> Any:
        """Return the co-occurrences, and the names and sizes of all audio, wherever the roots lie."""
        bank, rooms = self.context.soundbank, self.context.rooms
        return {
            "cooccurrences": [asdict(row) for row in self.context.cooccurrences],
            "foreground": _listing(
                bank.foreground_root, [p for ps in bank.foreground.values() for p in ps]
            ),
            "background": _listing(bank.background_root, bank.backgrounds),
            "rooms": _room_listing(rooms),
        }


ClipSource = RecordedSource | SyntheticSource | AnnotatedSource


def open_source(job: DataJob, name: str, classes: tuple[str, ...]) -> ClipSource:
    """List the sources of a data set. Raises ValueError naming what is missing or impossible."""
    data_set = job.sets[name]
    if isinstance(data_set, AnnotatedSet):
        return AnnotatedSource.of(data_set, job.features, classes)
    if not isinstance(data_set, RecordedSet):
        return SyntheticSource(SoundscapeContext.from_job(job, name))
    root = job.roots.recorded
    assert root is not None, "DataJob checks that the roots cover the sets"
    listing = list_recorded(root, data_set, classes)
    return RecordedSource(
        root=root,
        subset=data_set.subset,
        features=job.features,
        entries=listing.entries,
        missing=listing.missing,
        warnings=listing.warnings,
    )


def _listing(root: str, paths: Sequence[str]) -> list[list[str | int]]:
    names = [path.removeprefix(f"{root}/") for path in paths]
    return [[name, size] for name, size in zip(names, sizes_of(root, names), strict=True)]


def _rooms_root(room: Room) -> str:
    """Return the folder above that of a room."""
    return room.background.rsplit("/", 2)[0]


def _room_listing(rooms: Sequence[Room]) -> list[list[list[str | int]]]:
    """Return folder, name and size of each response of each room."""
    if not rooms:
        return []
    root = _rooms_root(rooms[0])
    files = [path.removeprefix(f"{root}/") for r in rooms for path in (r.background, *r.foreground)]
    sizes = iter(sizes_of(root, files))
    return [
        [[*path.rsplit("/", 2)[1:], next(sizes)] for path in (room.background, *room.foreground)]
        for room in rooms
    ]
