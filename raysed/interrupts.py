"""Signals that ask a command to end."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_asked = threading.Event()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let a batch system's SIGTERM end the work as Ctrl-C does, so that it is left true and can be resumed.

    Whatever goes wrong after the signal leaves as the KeyboardInterrupt, too: a shell and `timeout` send theirs to Ray's
    processes as well, whose loss is then no news. Another thread than the main one gets no signals, and changes
    nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if not _is_ours(signal.SIGTERM):
        _asked.clear()
    numbers = [signal.SIGTERM]
    # In the background of a script Ctrl-C is ignored, and stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        numbers.append(signal.SIGINT)
    before = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        yield
    except Exception as error:
        if was_interrupted():
            raise KeyboardInterrupt from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def handler_kept() -> Iterator[None]:
    """Around the start of a library that sets a handler of SIGTERM: that of `interruptible` work is put back, and where
    the library's has ended the program by then, it is interrupted.
    """
    ours = _is_ours(signal.SIGTERM)
    try:
        yield
    except SystemExit as error:
        if not ours:
            raise
        _asked.set()
        raise KeyboardInterrupt from error
    finally:
        if ours and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _interrupt)


def was_interrupted() -> bool:
    """Return whether the work has been asked to end."""
    return _asked.is_set()


def _is_ours(number: int) -> bool:
    return signal.getsignal(number) is _interrupt


def _interrupt(number: int, frame: FrameType | None) -> None:
    _asked.set()
    raise KeyboardInterrupt
