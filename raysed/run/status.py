"""The status of a run, `status.json`, with its real end (Ray does not pass on a job's own exit code).

Written at every change and every ten seconds by a thread of its own, whatever else the driver does.
"""

import threading
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from raysed import __version__
from raysed.beat import Beat
from raysed.exit_codes import REFUSED, ending
from raysed.package_version import version_of
from raysed.run.folders import STATUS
from raysed.run.lock import (
    HEARTBEAT_S,
    check_heartbeat,
    check_still_ours,
    system_lock,
    this_driver,
)
from raysed.run.provenance import commit
from raysed.storage.folder import Folder
from raysed.storage.json_file import read_json, write_json

_PACKAGES = ("torch", "ray", "numpy", "scaper", "pyarrow", "psds_eval", "sed_eval")
_STARTING = "starting"


class RunStatus:
    """The state of a run that this process drives; a context manager that excludes other drivers.

    What leaves the context decides the end: nothing (the state given last), or an error, by the table of
    raysed/exit_codes.py. A refusal while starting leaves the status of the run as it was before. Entering raises
    RunBusyError where another driver is at work.
    """

    def __init__(self, run: Folder, every_s: float = HEARTBEAT_S) -> None:
        self.run = run
        self.content: dict[str, Any] = {}
        self._before: dict[str, Any] | None = None
        self._lock, self._held = threading.Lock(), ExitStack()
        self._beat = Beat(every_s, self.update, "heartbeat")

    def __enter__(self) -> "RunStatus":
        with ExitStack() as held:
            has_lock = held.enter_context(system_lock(self.run))
            check_heartbeat(self.run, has_lock)
            driver = this_driver()
            self._before = read_json(self.run, STATUS)
            self.content = {
                "state": _STARTING,
                "exit_code": None,
                "heartbeat": time.time(),
                "driver": driver.model_dump(),
                "versions": _versions(),
                "commit": commit(),
            }
            try:
                write_json(self.run, STATUS, self.content)
            except OSError as error:
                raise ValueError(f"{self.run.url} cannot be written: {error}") from error
            if not has_lock:
                check_still_ours(self.run, driver)
            self._held = held.pop_all()
        self._beat.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._beat.stop()
        with self._held:
            if error is None:
                return
            if ending(error).code == REFUSED and self.state == _STARTING and self._before:
                write_json(self.run, STATUS, self._before)
            else:
                self.end(error)

    @property
    def state(self) -> str:
        """Return what the run does now."""
        return self.content["state"]

    def note(self, **about: Any) -> None:
        """Keep this for the next heartbeat."""
        with self._lock:
            self.content |= about

    def update(self, state: str | None = None, **about: Any) -> None:
        """Write a new state or more about it; a storage that cannot be written does not stop the run."""
        with self._lock:
            self.content |= {"state": state or self.state, **about, "heartbeat": time.time()}
            try:
                write_json(self.run, STATUS, self.content)
            except OSError as error:
                # Readers see an old heartbeat; the trials' own writes decide.
                self.content["status_error"] = str(error)

    def end(self, error: BaseException) -> None:
        """Write the end that an error makes."""
        end = ending(error)
        self.update(end.state, exit_code=end.code, reason=f"{type(error).__name__}: {error}")


def _versions() -> dict[str, str]:
    found = {name: version_of(name) for name in _PACKAGES}
    return {"raysed": __version__, **found}
