"""Folders that live as long as a process, and what killed processes left of theirs."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_DAY_S = 86_400.0


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


def remove_forsaken(prefix: str, parent: Path) -> None:
    """Remove this user's folders of a prefix whose makers held no lock, as they were made before there were locks.

    They belong to nobody where nothing in them has changed for a day and no Python of this user, here, is older than
    they are. Links, and whatever another user or a running process holds a lock of, stay.
    """
    for folder in parent.glob(f"{prefix}*"):
        with suppress(OSError):  # gone meanwhile, or no folder
            held = _open(folder)
            try:
                about = os.fstat(held)
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if about.st_uid == os.getuid() and _is_forsaken(folder, about.st_mtime):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)


def _is_forsaken(folder: Path, made_by: float) -> bool:
    """Tell whether what was made at this time at the latest can have no maker any more."""
    within = [made_by, *(path.lstat().st_mtime for path in folder.rglob("*"))]
    return time.time() - max(within) > _DAY_S and made_by < min(_starts_of_pythons())


def _starts_of_pythons() -> Iterator[float]:
    """The times at which the Pythons of this user that run here were started; this one is among them."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            if (
                process.stat().st_uid == os.getuid()
                and "python" in (process / "exe").readlink().name
            ):
                # The folder of a process gets the time at which it is first looked at: its own file tells the start.
                ticks = int((process / "stat").read_text().rpartition(")")[2].split()[19])
                yield _booted() + ticks / os.sysconf("SC_CLK_TCK")


def _booted() -> float:
    """The time at which this machine was started."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


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
