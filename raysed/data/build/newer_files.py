"""Sources that were written after the data set that was made of them: an id is of names and sizes, so that a file that is
replaced by one of its size leaves the set as it was.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from raysed.data.build.annotated_source import AnnotatedSource
from raysed.data.build.source import ClipSource, RecordedSource
from raysed.data.features.shards import MANIFEST
from raysed.data.recorded.audio_rows import ROW_MARK
from raysed.storage.folder import Folder
from raysed.storage.places import is_url, joined

_LOOKED_AT = 200_000
"""Recordings of a set up to which each is asked for its time, some 2 microseconds each."""


def newer_files(url: str, source: ClipSource) -> tuple[str, ...]:
    """Return a line on the local files of a source that are newer than the set in this folder, where there are any."""
    manifest = Path(url, MANIFEST)
    if not (Folder(url).is_local and manifest.is_file()) or source.count > _LOOKED_AT:
        return ()
    built_s = manifest.stat().st_mtime
    newer = sorted(path for path in set(_files(source)) if _written_s(path) > built_s)
    if not newer:
        return ()
    files = f"{len(newer)} files are" if len(newer) > 1 else "1 file is"
    return (
        f"{url}: {files} newer than this set, of the names and sizes that it was made of, such as {newer[0]}; where the"
        " sound is another, remove the folder and the same command builds it anew",
    )


def _files(source: ClipSource) -> Iterator[str]:
    """Yield the local files whose content decides the clips."""
    if isinstance(source, RecordedSource):
        found: Iterator[str] = (joined(source.root, entry.path) for entry in source.entries)
    elif isinstance(source, AnnotatedSource):
        found = (
            row.path if is_url(row.path) else joined(source.root, row.path)
            for row in source.listing
        )
    else:
        bank, rooms = source.context.soundbank, source.context.rooms
        responses = chain.from_iterable((room.background, *room.foreground) for room in rooms)
        found = chain(bank.foregrounds, bank.backgrounds, responses)
    for path in found:
        if not is_url(path):
            yield path.rpartition("#")[0] if ROW_MARK in path else path


def _written_s(path: str) -> float:
    with suppress(OSError):
        return Path(path).stat().st_mtime
    return 0.0
