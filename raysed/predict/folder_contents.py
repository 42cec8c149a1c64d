"""The contents of a folder of recordings: those that can be read, and how much of what else is left out."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from raysed.data.containers.ffmpeg import readable_suffixes
from raysed.storage.clip_name import AUDIO_SUFFIXES
from raysed.storage.hidden_files import is_hidden


@dataclass
class Contents:
    """A folder, file by file."""

    recordings: list[tuple[str, str]] = field(default_factory=list)
    """The name within the folder, and the place."""
    hidden: int = 0
    """Audio files whose name begins with a dot, or that lie in a hidden folder or a bin."""
    irregular: int = 0
    """Pipes, sockets and devices with an audio suffix."""
    unread: Counter[str] = field(default_factory=Counter)
    """Files of each suffix that holds sound and cannot be read."""
    readable: tuple[str, ...] = field(default_factory=readable_suffixes)
    """The suffixes of what can be read: ffmpeg's formats, too, where it is there."""
    closed: list[tuple[str, str]] = field(default_factory=list)
    """Folders that cannot be listed, and why."""

    def add(self, name: str, place: str) -> None:
        """Sort a file in."""
        suffix = PurePosixPath(name).suffix.lower()
        if suffix not in self.readable and suffix not in AUDIO_SUFFIXES:
            return
        if is_hidden(name):
            self.hidden += 1
        elif suffix not in self.readable:
            self.unread[suffix] += 1
        else:
            self.recordings.append((name, place))

    def notes(self) -> list[str]:
        """Return a line for each kind that was left out, with its number."""
        found = []
        if self.unread:
            kinds = ", ".join(f"{count} {suffix}" for suffix, count in sorted(self.unread.items()))
            found.append(
                f"left out, in formats that are not read: {kinds}; install ffmpeg, or convert them to WAV or FLAC"
            )
        if self.hidden:
            found.append(f"left out: {_files(self.hidden)} that are hidden or in a bin")
        if self.irregular:
            found.append(f"left out: {_files(self.irregular)} that are pipes, sockets or devices")
        return found


def local_contents(root: Path) -> Contents:
    """Walk a folder of this machine, links followed once; a link to nothing counts as a recording."""
    found, seen = Contents(), set()

    def note(error: OSError) -> None:
        found.closed.append((str(error.filename), error.strerror or str(error)))

    for folder, below, names in os.walk(root, onerror=note, followlinks=True):
        place = os.path.realpath(folder)
        if place in seen:
            below.clear()
            continue
        seen.add(place)
        for name in names:
            path = Path(folder, name)
            if path.is_file() or not path.exists():
                found.add(path.relative_to(root).as_posix(), str(path))
            elif path.suffix.lower() in found.readable:
                found.irregular += 1
    found.recordings.sort(key=lambda each: each[1])
    return found


def remote_contents(file_system: Any, root: str) -> Contents:
    """Walk a folder of an fsspec file system, an archive too."""
    found, root = Contents(), root.rstrip("/")
    for path in sorted(file_system.find(root)):
        found.add(path.removeprefix(root).lstrip("/"), path)
    return found


def _files(count: int) -> str:
    return f"{count} audio file{'s' * (count > 1)}"
