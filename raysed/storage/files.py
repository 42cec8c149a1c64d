"""Files on any file system: those below a folder with their sizes, and the bytes of one, asked for again where a
storage fails for a moment.

A local folder of a million files is listed in some 10 s. A remote one is asked by pages, as its file system does.
"""

import fnmatch
import os
import re
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TypeVar

import fsspec
import pyarrow as pa
from pyarrow import fs as pafs

from raysed.storage.folder import Folder, ReadDeniedError
from raysed.storage.hidden_files import is_hidden
from raysed.storage.url import escaped, masked

TRIES = 5
FIRST_PAUSE_S = 0.2
_MAGIC = re.compile(r"[*?[]")
_ENTRIES_AT_ONCE = 20_000
"""Entries of a local folder that are put in order together: a folder of a million is never held whole."""

Answer = TypeVar("Answer")


def split_glob(place: str) -> tuple[str, str | None]:
    """Return the folder of a path or URL, and the pattern below it, None where it is no glob.

    What lies on the disk is no pattern, whatever its name looks like (`rec [2023]/*.wav`).
    """
    cut, start = -1, place.find("://") + 3 if "://" in place else 0
    for step in re.finditer("/|$", place[start:]):
        end = start + step.start()
        if _MAGIC.search(place, max(cut, start), end) and not _is_there(place[:end]):
            return (place[:cut] or "/", place[cut + 1 :]) if cut >= 0 else (".", place)
        cut = end
    return place.rstrip("/") or "/", None


def _is_there(place: str) -> bool:
    return "://" not in place and Path(place).expanduser().exists()


def absolute(place: str) -> str:
    """Return a local path as an absolute one, a URL as it is."""
    return place if "://" in place else str(Path(place).expanduser().absolute())


def list_files(place: str) -> Iterator[tuple[str, int]]:
    """Yield (name below the folder, bytes) of the files of a folder or glob, without hidden ones, in no order.

    Raises ValueError where the folder is not there.
    """
    folder, pattern = split_glob(place)
    keeps = _matcher(pattern)
    found = _local(folder) if "://" not in folder else _remote(folder)
    return ((name, size) for name, size in found if keeps(name) and not is_hidden(name))


def _matcher(pattern: str | None) -> Callable[[str], bool]:
    """Return what a glob keeps: `*` stays within a folder, `**/` is any number of folders."""
    if pattern is None:
        return lambda name: True
    parts = []
    for step in pattern.split("/"):
        one = fnmatch.translate(step).removeprefix("(?s:").removesuffix(r")\Z").removesuffix(r")\z")
        parts.append("(?:.*/)?" if step == "**" else one.replace(".*", "[^/]*") + "/")
    whole = re.compile("".join(parts).removesuffix("/"))
    return lambda name: whole.fullmatch(name) is not None


def _local(folder: str) -> Iterator[tuple[str, int]]:
    root = Path(folder).expanduser()
    if root.is_file():
        yield root.name, root.stat().st_size
        return
    if not root.is_dir():
        raise ValueError(f"{folder}: no such file or folder")
    yield from _below(root, "")


def _below(root: Path, below: str) -> Iterator[tuple[str, int]]:
    with os.scandir(root / below) as entries:
        while some := list(islice(entries, _ENTRIES_AT_ONCE)):
            # Mostly in the order of names already, which spares their sorting.
            for entry in sorted(some, key=lambda entry: entry.name):
                name = f"{below}{entry.name}"
                if entry.is_dir():
                    yield from _below(root, f"{name}/")
                elif entry.is_file():
                    yield name, entry.stat().st_size


def _remote(folder: str) -> Iterator[tuple[str, int]]:
    file_system, root = _file_system(folder)
    root = root.rstrip("/")
    (about,) = again(lambda: file_system.get_file_info([root]), folder)
    if about.type == pafs.FileType.File:
        yield PurePosixPath(root).name, about.size
        return
    if about.type == pafs.FileType.NotFound:
        raise ValueError(f"{masked(folder)}: no such file or folder")
    for info in again(
        lambda: file_system.get_file_info(pafs.FileSelector(root, recursive=True)), folder
    ):
        if info.type == pafs.FileType.File:
            yield info.path.removeprefix(root).lstrip("/"), info.size


def _file_system(folder: str) -> tuple[pafs.FileSystem, str]:
    Folder(folder)  # refuses a login or options in the URL, which would be stored
    try:
        return pafs.FileSystem.from_uri(escaped(folder))
    except pa.ArrowInvalid:
        try:
            file_system, root = fsspec.core.url_to_fs(folder)
        except (ValueError, ImportError) as error:
            raise ValueError(f"{masked(folder)}: {error}") from error
        return pafs.PyFileSystem(pafs.FSSpecHandler(file_system)), root


def open_random(place: str) -> tuple[pafs.FileSystem, str]:
    """Return the file system of a path or URL, and the path in it, for what reads parts of files or asks about them."""
    if "://" not in place:
        return pafs.LocalFileSystem(), absolute(place)
    folder, _, name = place.rstrip("/").rpartition("/")
    try:
        # The last name is as the storage lists it, without escapes, as `read_bytes` takes it.
        file_system, root = pafs.FileSystem.from_uri(escaped(folder))
    except pa.ArrowInvalid:  # another file system, or the whole place is a bucket
        return _file_system(place)
    return file_system, f"{root.rstrip('/')}/{name}"


def read_bytes(place: str) -> bytes:
    """Return the content of a file by path or URL.

    Raises ValueError where it is not there or reading is denied; OSError where the storage fails TRIES times.
    """
    folder, _, name = absolute(place).rpartition("/")
    content = again(lambda: Folder(folder or "/").read(name), place)
    if content is None:
        raise ValueError(f"{masked(place)}: no such file")
    return content


def open_stream(place: str) -> pa.NativeFile:
    """Open a file by path or URL for reading in parts; that of a storage is fetched whole, with its tries.

    Raises ValueError and OSError as `read_bytes` does.
    """
    if (
        "://" not in place
        and os.access(absolute(place), os.R_OK)
        and Path(absolute(place)).is_file()
    ):
        return pa.OSFile(absolute(place))
    return pa.BufferReader(read_bytes(place))


def again(ask: Callable[[], Answer], place: str) -> Answer:
    """Return what a storage answers, asked up to TRIES times with growing pauses. Only OSError is worth another try."""
    for number in range(TRIES):
        try:
            return ask()
        except (ReadDeniedError, FileNotFoundError, PermissionError):
            raise
        except OSError as error:
            if number == TRIES - 1:
                raise OSError(f"{masked(place)}: {error}") from error
            time.sleep(FIRST_PAUSE_S * 2**number)
    raise AssertionError("the last try returns or raises")
