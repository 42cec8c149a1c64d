"""Words for numbers."""

import pytest

from raysed.text import clock, counted


@pytest.mark.parametrize(("seconds", "text"), [(0, "0m00s"), (59.6, "1m00s"), (3720, "1h02m")])
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_counts_are_singular_and_plural():
    assert [counted(n, "trial") for n in (0, 1, 2)] == ["0 trials", "1 trial", "2 trials"]
