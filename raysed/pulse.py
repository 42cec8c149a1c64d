"""A sign of life while work says nothing: a line that names the work, so that nobody wonders whether it hangs."""

import threading
import time
from collections.abc import Callable
from types import TracebackType

from raysed.beat import Beat
from raysed.text import clock

EVERY_S = 9.0
"""A silence that is broken, the first two minutes long; after these each one is twice as long as the one before."""
_LONGEST_S = 300.0
_LOOK_S = 1.0
_STEADY_S = 120.0


class Pulse:
    """Lines for people go through it, and where none has come for a while it says what goes on and since when.

    A context manager: its thread ends with it. `now` names the work; an empty name keeps it quiet. A `steady` one never
    waits longer.
    """

    def __init__(self, say: Callable[[str], None], *, steady: bool = False) -> None:
        self._say, self._steady = say, steady
        self._lock = threading.Lock()
        self._beat = Beat(_LOOK_S, self._say_due, "raysed-pulse")
        self._doing = ""
        self.now("")

    def now(self, doing: str) -> str:
        """Say from now on that this is being done. Returns what was being done before."""
        with self._lock:
            before, self._doing = self._doing, doing
            self._began, self._wait_s = time.monotonic(), EVERY_S
            if (
                not before
            ):  # else short pieces of work, one after the other, would be one long silence
                self._last = self._began
        return before

    def __call__(self, line: str) -> None:
        """Say a line of the work's own."""
        with self._lock:
            self._last, self._wait_s = time.monotonic(), EVERY_S
        self._say(line)

    def due(self, now_s: float) -> str | None:
        """Return the line that is due at this moment of the monotonic clock, or None."""
        with self._lock:
            if not self._doing or now_s - self._last < self._wait_s:
                return None
            if now_s - self._began > _STEADY_S and not self._steady:
                self._wait_s = min(2 * self._wait_s, _LONGEST_S)
            self._last = now_s
            return f"{self._doing} ({clock(now_s - self._began)} so far)"

    def __enter__(self) -> "Pulse":
        self._beat.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._beat.stop()

    def _say_due(self) -> None:
        line = self.due(time.monotonic())
        if line is not None:
            self._say(line)


def silent() -> Pulse:
    """Return one that says nothing, for work that nobody waits for."""
    return Pulse(lambda line: None)
