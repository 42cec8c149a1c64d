"""A search: configurations drawn at random, as cells. The same file always draws the same ones."""

from typing import Any

import numpy as np
from pydantic import Field, model_validator

from raysed.config.base import LARGEST_SEED, Config
from raysed.config.table import Cell


class Parameter(Config):
    """The distribution of one value; exactly one of these keys is given."""

    uniform: tuple[float, float] | None = None
    """Any number of the range [low, high]."""
    log_uniform: tuple[float, float] | None = None
    """Uniform in the logarithm, as suits learning rates."""
    choice: tuple[Any, ...] | None = Field(None, min_length=1)
    """Any values that the key may have, mappings too (`shares`)."""

    @model_validator(mode="after")
    def _one_range(self) -> "Parameter":
        given = [key for key, value in self if value is not None]
        if len(given) != 1:
            raise ValueError(
                f"give one of uniform, log_uniform and choice; given {', '.join(given) or 'none'}"
            )
        low, high = self.uniform or self.log_uniform or (1.0, 2.0)
        if low >= high:
            raise ValueError(f"{given[0]}: [{low:g}, {high:g}] is not [low, high]")
        if self.log_uniform and low <= 0:
            raise ValueError(f"log_uniform: {low:g} has no logarithm")
        return self

    def draw(self, random: np.random.Generator) -> Any:
        """Draw one value; numbers have 4 significant digits, so that the tables can show what was used."""
        if self.choice is not None:
            return self.choice[random.integers(len(self.choice))]
        if self.uniform is not None:
            return float(f"{random.uniform(*self.uniform):.4g}")
        assert self.log_uniform is not None, "one of the three is given"
        return float(f"{np.exp(random.uniform(*np.log(self.log_uniform))):.4g}")


class Search(Config):
    """A random search: the number of configurations, their distributions, and when ASHA stops the worst of
    them.
    """

    samples: int = Field(ge=1, le=10_000)
    """Configurations to draw: cells s00, s01, ..."""
    seed: int = Field(0, ge=0, le=LARGEST_SEED)
    """Seed of the draws, not of the trainings."""
    grace_epochs: int = Field(1, ge=1, le=1_000_000)
    """No trial is stopped before this many epochs."""
    reduction_factor: int = Field(3, ge=2, le=10_000)
    """About one in this many trials goes on at each decision."""
    parameters: dict[str, Parameter] = Field(min_length=1)
    """The distributions, by their dotted key in a Trial (`optimiser.learning_rate`)."""

    @model_validator(mode="after")
    def _keys_are_apart(self) -> "Search":
        for key in self.parameters:
            inside = [other for other in self.parameters if other.startswith(f"{key}.")]
            if inside:
                raise ValueError(f"parameters: {inside[0]} is inside {key}, which is drawn whole")
        return self


def draw_cells(search: Search, xvalid: str) -> tuple[Cell, ...]:
    """Return the configurations as cells s00, s01, ..., selected on one x-valid set.

    Sample i is a function of (seed, i, key) alone: more samples or other parameters leave it as it was.
    """
    width = max(2, len(str(search.samples - 1)))
    cells = []
    for index in range(search.samples):
        values = {
            key: parameter.draw(np.random.default_rng([search.seed, index, *key.encode()]))
            for key, parameter in search.parameters.items()
        }
        cells.append(
            Cell(
                id=f"s{index:0{width}d}",
                table="search",
                column=", ".join(f"{_short(key)} {_show(value)}" for key, value in values.items()),
                set=_nested(values),
                xvalid=xvalid,
            )
        )
    return tuple(cells)


def _nested(values: dict[str, Any]) -> dict[str, Any]:
    """Return {"a.b": 1} as {"a": {"b": 1}}."""
    nested: dict[str, Any] = {}
    for key, value in values.items():
        *above, last = key.split(".")
        inner = nested
        for step in above:
            inner = inner.setdefault(step, {})
        inner[last] = value
    return nested


def _short(key: str) -> str:
    return key.rsplit(".", 1)[-1].replace("_", " ")


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return "/".join(_show(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return "[" + " ".join(_show(inner) for inner in value) + "]"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
