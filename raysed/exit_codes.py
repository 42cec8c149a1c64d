"""The one table of exit codes, which the process, `status.json` and docs/commands.md share.

Ray does not pass a job's own exit code on, so `status.json` tells it too. Only the standard library is imported.
"""

import errno
from dataclasses import dataclass

DONE, CHECK_FAILED, REFUSED, HOLES, INTERRUPTED = 0, 1, 2, 3, 130

MEANINGS = {
    DONE: "done",
    CHECK_FAILED: "a check failed",
    REFUSED: "wrong usage, configuration or input: refused before work",
    HOLES: "finished with holes (failed trials, skipped recordings, too many unreadable clips) or stopped"
    " (a full disk, too little memory, a lost cluster, a fault of ours)",
    INTERRUPTED: "interrupted: the same command goes on",
}


@dataclass(frozen=True)
class Ending:
    """The end of a command that an error stops."""

    code: int
    """The exit code."""
    state: str
    """The state of a run, in `status.json`."""
    head: str
    """The words before the error's own."""
    advice: str | None = None
    """A sentence on what a person should know or do."""


_INTERRUPTED = Ending(INTERRUPTED, "interrupted", "interrupted")
_REFUSED = Ending(REFUSED, "refused", "error")
_STOPPED = Ending(
    HOLES,
    "stopped",
    "stopped",
    "Data sets and runs keep what is finished: the same command goes on.",
)
# Not 1, which scripts read as a check that failed.
OUR_FAULT = Ending(
    HOLES,
    "stopped",
    "internal error",
    "This is a fault of raysed; with --debug the same command shows where.",
)

_NO_ROOM = Ending(
    HOLES,
    "stopped",
    "stopped",
    "Make room there, or raise the quota. What is finished is kept: the same command goes on then.",
)
_NO_FILES = Ending(
    HOLES,
    "stopped",
    "stopped",
    "Raise the limit of open files (`ulimit -n 65536`). What is finished is kept: the same command goes on then.",
)
_NO_MEMORY = Ending(
    HOLES,
    "stopped",
    "stopped: memory ran out",
    "Let fewer processes work at once (data, predict: --workers; tune: a larger resources.cpus_per_worker), give a trial"
    " smaller batches (shares), or use a machine with more memory. What is finished is kept: the same command goes on"
    " then.",
)
_NO_PACKAGE = Ending(
    REFUSED,
    "refused",
    "error",
    "A package is missing or damaged here: `make setup` installs what is pinned, `pip install 'raysed[all]'` everything.",
)

_OF_A_PATH = (
    FileNotFoundError | FileExistsError | IsADirectoryError | NotADirectoryError | PermissionError
)
_OF_A_NUMBER = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _NO_ROOM),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), _NO_FILES),
    # Only the user can mend these: the same command would end the same.
    **dict.fromkeys(
        (errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, errno.EADDRINUSE, errno.EADDRNOTAVAIL),
        _REFUSED,
    ),
}
"""Ends by the operating system's number of an error."""


class StoppedError(RuntimeError):
    """Work that something stopped. The message says what and where, `cause`, where it is known, how the command ends."""

    def __init__(self, message: str, cause: BaseException | None = None) -> None:
        super().__init__(message)
        self.cause = cause


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether memory, this machine's or a GPU's, was too little; torch and Ray have classes and words of their own."""
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
    )


def ending(error: BaseException) -> Ending:
    """Return the end of a command that this error stops: refused, stopped, interrupted, or a fault of ours."""
    # Python 3.11 turns an interrupt that comes during the creation of a class into a RuntimeError.
    if isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt):
        return _INTERRUPTED
    if isinstance(error, StoppedError) and error.cause is not None:
        return ending(error.cause)
    if is_out_of_memory(error):
        return _NO_MEMORY
    if isinstance(error, ValueError | _OF_A_PATH):
        return _REFUSED
    if isinstance(error, OSError) and error.errno in _OF_A_NUMBER:
        return _OF_A_NUMBER[error.errno]
    if isinstance(error, ImportError):
        return _NO_PACKAGE
    if isinstance(error, RecursionError | NotImplementedError):
        return OUR_FAULT
    return _STOPPED if isinstance(error, OSError | RuntimeError) else OUR_FAULT
