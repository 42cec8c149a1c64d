"""The recordings to predict: files, folders and URLs of any fsspec file system."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import fsspec
from fsspec.implementations.local import LocalFileSystem

from raysed.predict.folder_contents import Contents, local_contents, remote_contents
from raysed.storage.clip_name import clip_name
from raysed.storage.safe_name import leaves_folder, name_fault
from raysed.storage.url import masked, masked_in


@dataclass(frozen=True)
class Recording:
    """A recording, by its name in the output and by its place."""

    name: str
    """Unique in a run: the file's name, or its path within the folder that was given."""
    url: str
    """Absolute path or URL."""

    @property
    def shown(self) -> str:
        """The place as it may be shown and stored: a URL without login and query."""
        return masked(self.url)

    def output(self, extension: str) -> str:
        """Return the relative path of a file that is written about it."""
        return f"{clip_name(self.name)}{extension}"


@dataclass(frozen=True)
class Found:
    """The recordings of a run, and what else was given or lay beside them."""

    sources: tuple[Recording, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    """Place and reason of what cannot be predicted: folders without recordings, names that no table can hold."""
    notes: tuple[str, ...] = ()
    """Lines about what was left out of each folder, with its number."""


def find_sources(arguments: Sequence[str]) -> Found:
    """Expand files, folders (recursively, sorted) and URLs.

    Raises ValueError naming every argument that is not there, or that holds names which leave it.
    """
    sources: list[Recording] = []
    skipped, notes, faults = [], [], []
    for argument in arguments:
        try:
            found, contents = _expand(argument)
        except (ValueError, ImportError, OSError) as error:
            faults.append(f"{masked(argument)}: {masked_in(str(error))}")
            continue
        notes += [f"{masked(argument)}: {note}" for note in contents.notes()]
        skipped += contents.closed
        if not found:
            skipped.append((masked(argument), "holds no audio file that can be read"))
        for source in found:
            fault = name_fault(source.name)
            if leaves_folder(source.name):
                faults.append(f"{masked(argument)}: the name {source.name!r} {fault}")
            elif fault:
                skipped.append((repr(source.shown), f"its name {fault}"))
            else:
                sources.append(source)
    unique = _unique(sources)
    for name, count in Counter(source.name for source in unique).items():
        if count > 1:
            faults.append(f"{name}: the name of {count} URLs that differ in their query only")
    if faults:
        raise ValueError("\n  ".join(["these cannot be predicted:", *faults]))
    return Found(unique, tuple(skipped), tuple(notes))


def refuse_shared_outputs(sources: Sequence[Recording], folder: str, extension: str) -> None:
    """Raise ValueError where two recordings would write the same file."""
    count = Counter(source.output(extension) for source in sources)
    for source in sources:
        if count[output := source.output(extension)] > 1:
            urls = [other.shown for other in sources if other.output(extension) == output]
            raise ValueError(f"{folder}: {' and '.join(urls)} would both write {output}")


def _expand(argument: str) -> tuple[list[Recording], Contents]:
    """The recordings of one argument. What is on the disk is no URL, whatever its name looks like."""
    path = os.path.expanduser(argument)  # noqa: PTH111 - leaves `~nobody` as it is
    if os.path.lexists(path) or "://" not in argument:
        return _on_disk(Path(path))
    file_system, root = fsspec.core.url_to_fs(argument)
    if isinstance(file_system, LocalFileSystem):
        return _on_disk(Path(root))
    if file_system.isfile(root):
        return [Recording(PurePosixPath(_decoded(root, argument)).name, argument)], Contents()
    if not file_system.isdir(root):
        raise ValueError("no such file or folder")
    contents = remote_contents(file_system, root)
    # The outer part of a chained URL (`zip://folder::s3://bucket/a.zip`).
    head, chain, rest = argument.partition("::")
    within = chain + rest if "://" in head else ""
    return [
        Recording(_decoded(name, path), file_system.unstrip_protocol(path) + within)
        for name, path in contents.recordings
    ], contents


def _on_disk(path: Path) -> tuple[list[Recording], Contents]:
    path = path.resolve()
    if path.is_dir():
        contents = local_contents(path)
        return [Recording(name, place) for name, place in contents.recordings], contents
    if not path.exists():
        raise ValueError("no such file or folder")
    if not path.is_file():
        raise ValueError(
            "is no regular file (a pipe, a socket or a device); write it to a file first"
        )
    return [Recording(path.name, str(path))], Contents()


def _decoded(name: str, url: str) -> str:
    """Of a web address, a name without query, its percent signs decoded; of other file systems the name."""
    if not url.startswith(("http://", "https://")):
        return name
    return unquote(urlsplit(name).path)


def _unique(sources: list[Recording]) -> tuple[Recording, ...]:
    """Return each recording once; where two have one name, both are called by where they are."""
    sources = list({source.url: source for source in sources}.values())
    count = Counter(source.name for source in sources)
    return tuple(
        Recording(_place(source), source.url) if count[source.name] > 1 else source
        for source in sources
    )


def _place(source: Recording) -> str:
    return source.shown.partition("?")[0].lstrip("/").replace("://", "/").replace("::", "/")
