"""A metric of a user's own: a function by its name, `package.module:function`, which says the rest about itself.

What raysed asks of a metric are attributes of the function: `event_recall.margin = 0.02`. Those that it lacks have defaults.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from raysed.storage.own_python import load_own

OWN_MARK = ":"
"""The character in the name of a user's own metric, and in no other."""
OWN_PATTERN = r"^\w+(\.\w+)*:\w+$"
_FACTS: dict[str, Callable[[Any], bool]] = {
    "title": lambda value: _is_line(value),
    "column": lambda value: _is_line(value),
    "scale": lambda value: value in (1, 100),
    "digits": lambda value: isinstance(value, int) and 0 <= value <= 9,
    "margin": lambda value: isinstance(value, float) and 0 < value < 1,
    "needs": lambda value: value in ("counts", "scores"),
    "needs_durations": lambda value: isinstance(value, bool),
}
_EXPECTED = {
    "title": "a line of text",
    "column": "a line of text",
    "scale": "1 or 100",
    "digits": "an integer from 0 to 9",
    "margin": "a fraction between 0 and 1",
    "needs": "'counts' or 'scores'",
    "needs_durations": "True or False",
}


def own_function(name: str) -> Callable[..., Any]:
    """Return the function, whose values are checked at every call. Raises ValueError where there is none."""
    function = load_own(name)
    if not callable(function):
        raise ValueError(f"metric {name} is no function, but {type(function).__name__}")

    def checked(statistics: Any, weights_BN: np.ndarray | None = None) -> Any:
        found = function(statistics, weights_BN)
        values_B = found[0] if isinstance(found, tuple) else found
        _check(name, values_B, 1 if weights_BN is None else len(weights_BN))
        return found

    return checked


def facts_of(name: str) -> dict[str, Any]:
    """Return what else the registry knows of a metric, by the function's attributes. Raises ValueError for a wrong one."""
    function = load_own(name)
    words = name.split(OWN_MARK)[1].replace("_", " ")
    found: dict[str, Any] = {
        **{"title": words, "column": words, "scale": 1.0, "digits": 3},
        **{"margin": 0.03, "needs": "counts", "needs_durations": False},
    }
    for key, is_right in _FACTS.items():
        value = getattr(function, key, found[key])
        if not is_right(value):
            raise ValueError(f"metric {name}: {key} is {value!r}, expected {_EXPECTED[key]}")
        found[key] = value
    return found


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and bool(value.strip())


def _check(name: str, values_B: Any, draws: int) -> None:
    if not isinstance(values_B, np.ndarray) or values_B.shape != (draws,):
        found = getattr(values_B, "shape", type(values_B).__name__)
        raise ValueError(
            f"metric {name} returned {found}, expected an array of {draws} values: one for each row of weights_BN, one in"
            " all where that is None"
        )
    outside = values_B[(values_B < 0) | (values_B > 1)]
    if len(outside):
        raise ValueError(f"metric {name} returned {outside[0]:g}: a metric lies in 0 to 1")
