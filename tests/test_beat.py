"""A beat goes on until it is stopped."""

import threading

import pytest

from raysed.beat import Beat


def test_it_calls_until_it_is_stopped() -> None:
    called = threading.Semaphore(0)
    beat = Beat(0.001, called.release, "test")
    assert not beat.is_going
    beat.start()
    for _ in range(3):
        assert called.acquire(timeout=10)
    beat.stop()
    assert not beat.is_going
    with pytest.raises(RuntimeError):  # a thread is started once
        beat.start()


def test_one_that_never_began_is_stopped_too() -> None:
    beat = Beat(10.0, lambda: pytest.fail("called"), "test")
    beat.stop()
    assert not beat.is_going


def test_stopping_waits_for_the_call_under_way() -> None:
    entered, leave, done = threading.Event(), threading.Event(), []

    def do() -> None:
        entered.set()
        leave.wait(10)
        done.append(1)

    beat = Beat(0.001, do, "test")
    beat.start()
    assert entered.wait(10)
    leave.set()
    beat.stop()
    assert done
