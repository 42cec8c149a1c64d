"""Folders that live as long as a process, and what killed processes left of theirs."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def scratch(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """A private folder (mode 0700) `PREFIX` and some letters in `parent`, the temporary folder by default.

    It is removed at the end. Those of the same prefix whose processes are dead are removed before it is made.
    """
    parent = parent or Path(tempfile.gettempdir())
    remove_dead(prefix, parent)
    folder, held = _made(prefix, parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def remove_dead(prefix: str, parent: Path) -> None:
    """Remove this user's scratch folders that nobody holds: a lock ends with its process, also by kill -9.

    A folder that is a link, belongs to somebody else or is on a file system without locks stays.
    """
    for folder in parent.glob(f"{prefix}*"):
        with suppress(OSError):  # gone meanwhile, held, or no folder
            held = _open(folder)
            try:
                if os.fstat(held).st_uid == os.getuid():
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)


def _made(prefix: str, parent: Path) -> tuple[Path, int]:
    """A new folder, and the file descriptor that holds its lock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        with suppress(
            FileNotFoundError
        ):  # another process took it for a dead one's before it was locked
            held = _open(folder)
            with suppress(OSError):  # without locks nothing is removed there
                fcntl.flock(held, fcntl.LOCK_EX)
            if os.fstat(held).st_nlink:
                return folder, held
            os.close(held)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
