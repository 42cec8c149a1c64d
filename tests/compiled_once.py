"""A kernel that several processes of tests need is compiled by one of them; the others wait, and load what it has kept."""

import fcntl
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numba.core.dispatcher import Dispatcher

_PLACE = Path(tempfile.gettempdir(), f"raysed-kernels-{os.getuid()}.lock")
_held = threading.RLock()
"""A kernel compiles those that it calls, in the same thread."""
_depth = 0


def compile_once() -> None:
    """From now on numba compiles in one process at a time: it looks for a kept kernel first, and keeps a new one at once."""
    alone = Dispatcher.compile

    def compile(self: Dispatcher, sig: Any) -> Any:
        with _alone():
            return alone(self, sig)

    Dispatcher.compile = compile


@contextmanager
def _alone() -> Iterator[None]:
    global _depth
    with _held:
        if _depth:
            yield
            return
        with _PLACE.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            _depth += 1
            try:
                yield
            finally:
                _depth -= 1
