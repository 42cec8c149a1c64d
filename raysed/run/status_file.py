"""`status.json` as other processes read it."""

from typing import Any

from raysed.run.folders import STATUS
from raysed.run.stored_file import Stored, read_stored
from raysed.storage.folder import Folder


class Driver(Stored):
    """The process that works on a run."""

    host: str
    pid: int
    since: float = 0.0


class StatusFile(Stored):
    """The state of a run, and how it really ended (a job's own exit code is not passed on by Ray)."""

    state: str
    exit_code: int | None = None
    """None while it runs."""
    heartbeat: float = 0.0
    """The last time that its driver was alive, in seconds of the epoch."""
    driver: Driver | None = None
    reason: str | None = None
    commit: str | None = None
    versions: dict[str, Any] | None = None

    @classmethod
    def read(cls, run: Folder) -> "StatusFile | None":
        """Read it, None where there is none. Raises ValueError naming file and key."""
        return read_stored(run, STATUS, cls)
