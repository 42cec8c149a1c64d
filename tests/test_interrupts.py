"""SIGTERM as Ctrl-C, and that nothing that follows takes the place of the interrupt."""

import os
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from raysed.interrupts import handler_kept, interruptible, was_interrupted


@pytest.fixture(autouse=True)
def default_handlers() -> Iterator[None]:
    """As in a terminal: a shell's background processes ignore SIGINT, and so would tests in them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_interrupts_and_the_handler_is_put_back(number: int) -> None:
    handlers = signal.SIGTERM, signal.SIGINT
    before = [signal.getsignal(each) for each in handlers]
    with pytest.raises(KeyboardInterrupt), interruptible():
        assert not was_interrupted()
        os.kill(os.getpid(), number)
    assert [signal.getsignal(each) for each in handlers] == before
    assert was_interrupted()
    with interruptible():
        assert not was_interrupted()


def test_an_error_after_the_signal_is_the_interrupt() -> None:
    """The loss of Ray, which has got the same signal."""
    lost = RuntimeError("Ray is gone")
    with pytest.raises(KeyboardInterrupt) as caught, interruptible(), interruptible():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt:
            raise lost from None
    assert caught.value.__cause__ is lost


def test_an_error_without_a_signal_stays() -> None:
    with pytest.raises(RuntimeError, match="ours"), interruptible():
        raise RuntimeError("ours")


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGINT)
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_handler_of_a_library_gives_way_within_the_work_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        with interruptible():
            ours = signal.getsignal(signal.SIGTERM)
            with handler_kept():
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            assert signal.getsignal(signal.SIGTERM) is ours
        with handler_kept():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_library_that_ends_the_program_while_it_starts_interrupts_it() -> None:
    """Ray's handler exits with the signal's number, which is no exit code of ours."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), interruptible(), handler_kept():
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))
        os.kill(os.getpid(), signal.SIGTERM)
    assert was_interrupted() and signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(SystemExit), handler_kept():
        sys.exit(1)


def test_another_thread_changes_nothing() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with interruptible(), handler_kept():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
