"""A fault of a configuration file is a value: the key at fault and what is wrong with it.

It becomes a line for people where it is shown. What code asks of it, it asks of the key, never of the line.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

KeyPath = tuple[str | int, ...]
Places = dict[KeyPath, str]
"""The place of each key, as `file:line`."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong."""

    key: KeyPath
    """The key at fault, empty where it is the content as a whole."""
    text: str
    """The sentence for people: the key, what is wrong with it, and what to do."""
    place: str = ""
    """The place of the key, as `file:line`; empty as long as only the content is known."""

    def at(self, places: Places) -> "Fault":
        """Return the same fault with the place of its key, or of the nearest key above it that has one."""
        return replace(self, place=place_of(self.key, places))

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class ConfigError(ValueError):
    """One or more faults of a configuration file; `faults` holds a line for each."""

    def __init__(self, faults: Iterable[Fault | str]) -> None:
        self.faults = [str(fault) for fault in faults]
        super().__init__("\n".join(self.faults))


def place_of(key_path: KeyPath, places: Places) -> str:
    """Return the place of a key, or of the nearest key above it."""
    prefixes = (key_path[:n] for n in range(len(key_path), -1, -1))
    return next(places[prefix] for prefix in prefixes if prefix in places)


def dotted(key_path: KeyPath) -> str:
    """Return a key as people write it: `cells[0].set.shares`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in key_path)
    return text.lstrip(".") or "the file"
