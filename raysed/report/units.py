"""How metrics are written: F1 in per cent with one digit, PSDS as a fraction with three."""

SCALE = {"event_f1": 100.0, "psds": 1.0}
TITLE = {"event_f1": "event F1 %", "psds": "PSDS"}
_DIGITS = {"event_f1": 1, "psds": 3}


def number(value: float, metric: str) -> str:
    """34.1 or 0.502."""
    return f"{value * SCALE[metric]:.{_DIGITS[metric]}f}"


def signed(difference: float, metric: str) -> str:
    """+2.4 or -0.031."""
    return f"{difference * SCALE[metric]:+.{_DIGITS[metric]}f}"


def interval(low: float, high: float, metric: str) -> str:
    """[31.9, 36.5]."""
    return f"[{number(low, metric)}, {number(high, metric)}]"


def signed_interval(low: float, high: float, metric: str) -> str:
    """[+0.3, +4.5]."""
    return f"[{signed(low, metric)}, {signed(high, metric)}]"
