import pytest

from raysed.text import clock, counted


@pytest.mark.parametrize(("count", "text"), [(0, "0 trials"), (1, "1 trial"), (2, "2 trials")])
def test_one_alone_has_no_plural(count: int, text: str) -> None:
    assert counted(count, "trial") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0m00s"),
        (59.4, "0m59s"),
        (59.6, "1m00s"),
        (3599.6, "1h00m"),
        (3600 * 26 + 119, "26h01m"),
    ],
)
def test_hours_and_minutes(seconds: float, text: str) -> None:
    assert clock(seconds) == text
