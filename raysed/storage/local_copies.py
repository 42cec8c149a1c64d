"""Copies of remote files on this node, for libraries that read local files alone (SoX, Scaper's sources).

A file is fetched once it is needed, at most once on a node, into the folder of `node_cache`, which knows it to be whole by its
SHA-256. What it is known by is its URL, size and time of change: a file that is replaced in its store is fetched anew by the
next process. Where a store tells no time of change, a new file of the same size is not seen.
"""

import functools
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from pyarrow import fs as pafs

from raysed.storage.files import again, open_random, read_bytes
from raysed.storage.node_cache import cache_dir, cached
from raysed.storage.places import is_url
from raysed.storage.private_folder import private_folder
from raysed.storage.url import masked

_FOLDER = "files"


@contextmanager
def local_copy(place: str | Path) -> Iterator[str]:
    """Yield the path of a file of this machine with the content of a path or URL; errors name the place.

    Raises ValueError where a URL's file is not there or not given; RuntimeError where its store fails again and again.
    """
    if not is_url(place):
        yield str(place)
        return
    try:
        path = _fetched(str(place))
    except OSError as error:
        # No fault of the file: its clips must not be quarantined for it.
        raise RuntimeError(f"{masked(str(place))}: cannot be fetched now ({error})") from error
    try:
        yield path
    except ValueError as error:
        raise ValueError(str(error).replace(path, masked(str(place)))) from error


def copies_folder() -> Path:
    """Return the folder of this node that holds the copies, whether or not it is there."""
    return Path(cache_dir(), _FOLDER)


@functools.lru_cache(maxsize=100_000)
def _fetched(url: str) -> str:
    """Return the path of the copy of a URL, which is asked for its state once in a process."""
    file_system, name = open_random(url)
    (info,) = again(lambda: file_system.get_file_info([name]), url)
    if info.type != pafs.FileType.File:
        raise ValueError(f"{masked(url)}: no such file")
    version = hashlib.sha256(f"{url}\n{info.size}\n{info.mtime_ns}".encode()).hexdigest()
    suffix = PurePosixPath(name).suffix
    # Folders of a hundredth each: what killed processes left is looked for in one of them.
    path = copies_folder() / version[:2] / f"{version}{suffix}"
    private_folder(Path(cache_dir()))

    def fetch(file: IO[bytes]) -> None:
        content = read_bytes(url)
        if len(content) != info.size:
            raise OSError(f"{len(content)} bytes came, {info.size} were told: it changes now")
        file.write(content)

    return str(cached(path, version, fetch))
