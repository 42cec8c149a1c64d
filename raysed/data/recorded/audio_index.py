"""The audio files of a recorded subset, found by the names that annotations give them."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from raysed.data.audio import AUDIO_EXTENSIONS
from raysed.storage.clip_name import clip_name, match_clips
from raysed.storage.hidden_files import is_hidden
from raysed.storage.places import files_in, is_file, is_url, joined

_SHOWN = 5


class AudioIndex:
    """The audio files of some folders under a root, the first folders first; hidden ones are not seen."""

    def __init__(self, root: str | Path, folders: Iterable[str]) -> None:
        self._root = root
        self._files = {folder: _audio_files(joined(root, folder)) for folder in folders}

    def find(self, names: Iterable[str]) -> dict[str, str]:
        """Return the path, relative to the root, of each name that has a file.

        First by the very name, or with another extension that is read. What is left then takes the file that means the
        same clip, where there is one only: another case of the suffix, no suffix, a folder before the name.
        """
        names = list(names)
        found = {name: path for name in names if (path := self._spelt(name)) is not None}
        for folder, files in self._files.items():
            taken = {path.removeprefix(f"{folder}/") for path in found.values()}
            rest = [name for name in names if name not in found]
            matched = match_clips(rest, sorted(files - taken))
            found |= {name: f"{folder}/{file}" for name, file in matched.items()}
        return {name: found[name] for name in names if name in found}

    def unlisted(self, found: dict[str, str]) -> list[str]:
        """Return the files that no name has found, as paths relative to the root.

        A file whose clip was found in another folder is a copy of it, at another rate.
        """
        clips = {clip_name(PurePosixPath(path).name) for path in found.values()}
        return sorted(
            f"{folder}/{file}"
            for folder, files in self._files.items()
            for file in files
            if clip_name(file) not in clips
        )

    def _spelt(self, name: str) -> str | None:
        stems = (str(PurePosixPath(name).with_suffix("")), clip_name(name))
        candidates = [name, *(stem + extension for stem in stems for extension in AUDIO_EXTENSIONS)]
        for folder, files in self._files.items():
            for candidate in candidates:
                below = (
                    "/" in candidate and PurePosixPath(candidate).suffix.lower() in AUDIO_EXTENSIONS
                )
                if candidate in files or (below and is_file(joined(self._root, folder, candidate))):
                    return PurePosixPath(folder, candidate).as_posix()
        return None


def describe_unlisted(paths: Sequence[str], rows: str) -> str:
    """Return a line about audio files that no row lists; empty where there are none."""
    if not paths:
        return ""
    shown = ", ".join(paths[:_SHOWN])
    more = f" … and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f"{len(paths)} audio file{'s' * (len(paths) > 1)} that no row of {rows} lists: {shown}{more}"


def _audio_files(folder: str) -> set[str]:
    if is_url(folder):
        names = files_in(folder)
        return {name for name in names if PurePosixPath(name).suffix.lower() in AUDIO_EXTENSIONS}
    with os.scandir(folder) as entries:
        return {
            entry.name
            for entry in entries
            if PurePosixPath(entry.name).suffix.lower() in AUDIO_EXTENSIONS
            and not is_hidden(entry.name)
            and entry.is_file()
        }
