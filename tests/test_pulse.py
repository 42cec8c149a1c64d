"""Silences are broken, at first often, later seldom; the clock is the test's."""

from itertools import pairwise
from types import SimpleNamespace

import pytest

from raysed import pulse as module
from raysed.pulse import Pulse


@pytest.fixture
def now(monkeypatch):
    at = SimpleNamespace(s=100.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: at.s))
    return at


def test_a_silence_is_broken_by_what_is_being_done(now):
    said = []
    pulse = Pulse(said.append)
    pulse.now("starting Ray")
    assert pulse.due(108.9) is None
    assert pulse.due(109.0) == "starting Ray (0m09s so far)"
    assert pulse.due(117.9) is None and pulse.due(118.0) is not None
    now.s = 120.0
    pulse("a line of its own")
    assert said == ["a line of its own"] and pulse.due(128.9) is None
    assert pulse.due(129.0) == "starting Ray (0m29s so far)"


def test_after_two_minutes_the_lines_become_rare(now):
    pulse = Pulse(print)
    pulse.now("training")
    told = [s for s in range(100, 2000) if pulse.due(float(s))]
    gaps = [b - a for a, b in pairwise(told)]
    assert max(gaps[:12]) == 9 and gaps[-1] == 300
    assert len(told) < 25


def test_a_steady_one_is_never_silent_for_ten_seconds(now):
    pulse = Pulse(print, steady=True)
    pulse.now("scoring")
    told = [s for s in range(100, 2000) if pulse.due(float(s))]
    assert {b - a for a, b in pairwise(told)} == {9}


def test_an_empty_name_keeps_it_quiet(now):
    pulse = Pulse(print)
    assert pulse.due(1000.0) is None
    pulse.now("x")
    pulse.now("")
    assert pulse.due(1000.0) is None


def test_its_thread_ends_with_it():
    with Pulse(print) as pulse:
        assert pulse._beat.is_going
    assert not pulse._beat.is_going


def test_short_pieces_of_work_are_no_long_silence(now):
    pulse = Pulse(print)
    pulse.now("draws")
    now.s = 105.0
    before = pulse.now("counting")
    assert pulse.due(108.9) is None and pulse.due(109.0) == "counting (0m04s so far)"
    now.s = 112.0
    pulse.now(before)
    assert pulse.due(117.9) is None and pulse.due(118.0) == "draws (0m06s so far)"
    pulse.now("")
    now.s = 300.0
    pulse.now("more")
    assert pulse.due(308.9) is None and pulse.due(309.0) == "more (0m09s so far)"
