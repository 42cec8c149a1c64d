"""Locks of the operating system: they have no race, and end with their holder, also by kill -9."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}


@contextmanager
def file_lock(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock of a file, which is made if need be and not changed; yields whether its file system has locks.

    BlockingIOError where another process holds it and we shall not wait; ValueError for a link, which could lead
    to any file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = _open(path)
        try:
            has_lock = _locked(file, wait)
            # A holder that ended has removed it meanwhile: nobody else would see our lock.
            if os.fstat(file).st_nlink:
                yield has_lock
                return
        finally:
            os.close(file)


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        file = os.open(path, flags, 0o644)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _is_link(path) from error
        raise
    if os.fstat(file).st_nlink > 1:
        os.close(file)
        raise _is_link(path)
    return file


def _is_link(path: Path) -> ValueError:
    return ValueError(f"{path}: is a link where a lock is to be: remove it")


def _locked(file: int, wait: bool) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True
