"""Files of a local file system that readers see whole or not at all, and the removal of what killed writers
left.
"""

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_SUFFIX = ".part"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a temporary file beside `path` (its `name` is the place), renamed to `path` at the end.

    After an error, after a crash and on a full disk the old file stays. OSError has the name of `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _named(path):
        yield from _written(path)


def _written(path: Path) -> Iterator[IO[bytes]]:
    file = _held(path)
    try:
        with file:
            yield file
            file.flush()
            # Temporary files are private, but others read data sets too.
            Path(file.name).chmod(0o644)
            # Renamed before closing the handle releases the lock.
            Path(file.name).replace(path)
    except BaseException:
        Path(file.name).unlink(missing_ok=True)
        raise


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Within, an error of the temporary file, or of a disk without room, which names none, is one of `path`."""
    try:
        yield
    except OSError as error:
        temporary = Path(str(error.filename)).name.startswith(f".{path.name}.")
        if temporary or (error.filename is None and error.errno in _NO_ROOM):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def remove_unfinished(folder: Path) -> None:
    """Remove unfinished files that killed writers left in a folder and below it; files being written stay."""
    for path in folder.rglob(f".*{_SUFFIX}"):
        # Gone meanwhile, held by its writer, a link, or on a file system without locks. NFS locks what is open for
        # writing.
        with suppress(OSError), open(path, "r+b", opener=_unlinked) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _unlinked(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _held(path: Path) -> IO[bytes]:
    """Open a new file beside `path`, locked for as long as its writer lives and holds it."""
    while True:
        file = tempfile.NamedTemporaryFile(  # noqa: SIM115  closed by whole_file
            dir=path.parent, prefix=f".{path.name}.", suffix=_SUFFIX, delete=False
        )
        with suppress(OSError):  # a file system without locks: nothing is removed there
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file
        # Another process took it for a dead writer's before it was locked.
        file.close()
