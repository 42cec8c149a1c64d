"""The folder of a node in which data sets lie converted, and how a file there is known to be whole.

Beside each file stands what it was when it was made: the SHA-256 of its bytes, and what the system says of it
(inode, size, times). While that says the same, nobody has written to it; else its bytes are hashed once, and a
file that is not what was made is made again.
"""

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from raysed.storage.file_lock import file_lock
from raysed.storage.folder import write_atomically
from raysed.storage.private_folder import private_folder
from raysed.storage.whole_file import remove_unfinished, whole_file

_log = logging.getLogger(__name__)


def cache_dir() -> str:
    """Return the node-local folder of memory-mapped features: RAYSED_CACHE, or one of this user's under the
    temporary folder.
    """
    return os.environ.get("RAYSED_CACHE") or f"{tempfile.gettempdir()}/raysed-cache-{os.getuid()}"


def cached(path: Path, source: str, make: Callable[[IO[bytes]], None]) -> Path:
    """Return `path` once it holds what `make` writes, which it does at most once on a node.

    `source` is a hash of what it is made of. Raises ValueError for a folder that may be somebody else's.
    """
    private_folder(path.parent)
    if not _is_untouched(path, source):
        with file_lock(path.with_suffix(".lock"), wait=True):
            if not (_is_untouched(path, source) or _is_whole(path, source)):
                # Killed conversions leave files of up to gigabytes each.
                remove_unfinished(path.parent)
                with whole_file(path) as file:
                    make(file)
                _remember(path, source, _sha256(path))
    return path


def _is_untouched(path: Path, source: str) -> bool:
    about = _about(path)
    return path.is_file() and about.get("source") == source and about.get("stat") == _stat(path)


def _is_whole(path: Path, source: str) -> bool:
    """Hash a file that may be another than the one that was made; say so where it is."""
    if not path.is_file():
        return False
    about = _about(path)
    if about.get("source") == source and about.get("sha256") == _sha256(path):
        _remember(path, source, about["sha256"])
        return True
    _log.warning(
        "%s: is not the file that was converted, or of a version that did not say: made again", path
    )
    return False


def _about(path: Path) -> dict:
    try:
        found = json.loads(_beside(path).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _remember(path: Path, source: str, sha256: str) -> None:
    about = {"source": source, "sha256": sha256, "stat": _stat(path)}
    write_atomically(_beside(path), json.dumps(about).encode())


def _beside(path: Path) -> Path:
    return path.with_suffix(".json")


def _stat(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
