"""The choice of a setting from noisy measurements: the slower half is dropped after each round, and only a
clear gain replaces the default.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Value = int | float | str | None
Rates = dict[Value, list[float]]
"""The rates of each value, one entry for each round; more is better, 0 where it did not run at all."""

GAIN = 0.05
"""The share of the default's rate that another value must gain to replace it."""
ROUNDS = 3


@dataclass(frozen=True)
class Axis:
    """One setting: its dotted key in the file, the values to try, and what it is if nothing is better."""

    key: str
    default: Value
    others: tuple[Value, ...]

    @property
    def values(self) -> tuple[Value, ...]:
        """Return all values, the default first."""
        return (self.default, *self.others)


def faster_half(rates: Mapping[Value, Sequence[float]], default: Value) -> list[Value]:
    """Return the values that stay, in their order: the faster half by medians, rounded up, without those that
    did not run. The default always stays, since the others are compared with it.
    """
    others = [value for value in rates if value != default and median(rates[value]) > 0]
    places = max(len(rates) // 2, 1)
    fastest = sorted(others, key=lambda value: -median(rates[value]))[:places]
    return [value for value in rates if value == default or value in fastest]


def winner(rates: Mapping[Value, Sequence[float]], default: Value) -> Value:
    """Return the value with the highest median rate if it is clearly above the default's, else the default.

    Values measured in fewer rounds have been dropped and cannot win; the default wins where nothing ran.
    """
    rounds = max((len(r) for r in rates.values()), default=0)
    if not rounds:
        return default
    last = {value: median(r) for value, r in rates.items() if len(r) == rounds}
    best = max(last, key=lambda value: last[value])
    clear = last[best] > (1 + GAIN) * last.get(default, 0.0)
    return best if clear else default


def search(
    axis: Axis,
    measure: Callable[[Value], float],
    has_time: Callable[[], bool],
    rounds: int = ROUNDS,
) -> Rates:
    """Measure the values of an axis in turns; each round has the values that the round before has left.

    A round that cannot be finished in time does not count.
    """
    rates: Rates = {value: [] for value in axis.values}
    left = list(axis.values)
    for number in range(rounds):
        found: dict[Value, float] = {}
        # Back and forth, so that a machine that gets busier favours no one.
        for value in left if number % 2 == 0 else reversed(left):
            if not has_time():
                return rates
            found[value] = measure(value)
        for value, rate in found.items():
            rates[value].append(rate)
        left = faster_half({value: rates[value] for value in left}, axis.default)
        if left == [axis.default]:
            break
    return rates
