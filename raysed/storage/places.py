"""Folders and files by path or URL, asked in the same words.

A URL's file system is asked as few times as can be: a page of names a request, with their sizes.
"""

from collections.abc import Sequence
from os import path as os_path
from pathlib import Path

from pyarrow import fs as pafs

from raysed.storage.files import again, list_files, open_random
from raysed.storage.hidden_files import is_hidden


def is_url(place: str | Path) -> bool:
    """Tell whether a place is a URL, and no path of this machine."""
    return "://" in str(place)


def joined(place: str | Path, *names: str) -> str:
    """Return the place of a name below another place."""
    if not is_url(place):
        return str(Path(place, *names))
    return "/".join([str(place).rstrip("/"), *names])


def is_folder(place: str | Path) -> bool:
    """Tell whether a folder is there; of an object store, whether anything lies below it."""
    if not is_url(place):
        return Path(place).is_dir()
    return _about(str(place)).type == pafs.FileType.Directory


def is_file(place: str | Path) -> bool:
    """Tell whether a file is there."""
    if not is_url(place):
        return Path(place).is_file()
    return _about(str(place)).type == pafs.FileType.File


def _about(url: str) -> pafs.FileInfo:
    file_system, path = open_random(url)
    (info,) = again(lambda: file_system.get_file_info([path.rstrip("/")]), url)
    return info


def files_in(folder: str | Path) -> list[str]:
    """Return the names of what lies in a folder itself and is no folder, sorted, without hidden ones."""
    if is_url(folder):
        file_system, path = open_random(str(folder))
        selector = pafs.FileSelector(path.rstrip("/"))
        found = again(lambda: file_system.get_file_info(selector), str(folder))
        names = [info.base_name for info in found if info.type == pafs.FileType.File]
    else:
        names = [path.name for path in Path(folder).iterdir() if not path.is_dir()]
    return sorted(name for name in names if not is_hidden(name))


def files_by_folder(folder: str | Path) -> dict[str, list[str]]:
    """Return the sorted names in each folder of a folder, by the folders' sorted names; hidden ones are passed over.

    A URL's folder is listed once, with all that lies below it; an object store has no empty folders.
    """
    found: dict[str, list[str]] = {}
    if is_url(folder):
        for name, _ in list_files(str(folder)):
            first, _, rest = name.partition("/")
            if rest:
                found.setdefault(first, []).extend([rest] * ("/" not in rest))
    else:
        for path in Path(folder).iterdir():
            if path.is_dir() and not is_hidden(path.name):
                found[path.name] = files_in(path)
    return {name: sorted(found[name]) for name in sorted(found)}


def sizes_of(root: str, names: Sequence[str]) -> list[int]:
    """Return the bytes of files by their names below a root. Raises FileNotFoundError naming one that is not there.

    A URL's files are listed once, from the folder that all of them share.
    """
    if not is_url(root):
        return [Path(root, name).stat().st_size for name in names]
    if not names:
        return []
    shared = os_path.commonpath([name.rpartition("/")[0] for name in names])
    below = dict(list_files(joined(root, shared) if shared else root))
    cut = len(shared) + bool(shared)
    try:
        return [below[name[cut:]] for name in names]
    except KeyError as error:
        raise FileNotFoundError(f"{root}: {error.args[0]} is gone") from error
