"""The one table of exit codes, which the process, `status.json` and the README share.

Ray does not pass a job's own exit code on, so `status.json` tells it too. Only the standard library is imported.
"""

from dataclasses import dataclass

DONE, CHECK_FAILED, REFUSED, HOLES, INTERRUPTED = 0, 1, 2, 3, 130

MEANINGS = {
    DONE: "done",
    CHECK_FAILED: "a check failed",
    REFUSED: "wrong usage, configuration or input: refused before work",
    HOLES: "finished with holes (failed trials, skipped recordings, too many unreadable clips) or stopped"
    " (a full disk, a lost cluster, a fault of ours)",
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

_OF_A_PATH = (
    FileNotFoundError | FileExistsError | IsADirectoryError | NotADirectoryError | PermissionError
)


def ending(error: BaseException) -> Ending:
    """Return the end of a command that this error stops: refused, stopped, interrupted, or a fault of ours."""
    # Python 3.11 turns an interrupt that comes during the creation of a class into a RuntimeError.
    if isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt):
        return _INTERRUPTED
    if isinstance(error, ValueError | _OF_A_PATH):
        return _REFUSED
    if isinstance(error, OSError | RuntimeError):
        return _STOPPED
    return OUR_FAULT
