"""A thread that does something again and again beside other work, until that is over."""

import threading
from collections.abc import Callable


class Beat:
    """A thread that calls `do` every so many seconds, from `start` to `stop`; it never outlives its process."""

    def __init__(self, every_s: float, do: Callable[[], None], name: str) -> None:
        self._every_s, self._do, self._over = every_s, do, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=name)

    @property
    def is_going(self) -> bool:
        """Tell whether the thread is there."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin; the first call comes after a first pause."""
        self._thread.start()

    def stop(self) -> None:
        """End after the call that is under way, if one is; where it was never started, do nothing."""
        self._over.set()
        if self.is_going:
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._every_s):
            self._do()
