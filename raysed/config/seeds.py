"""The seeds of a space: a list, or a number that grows where claims and contrasts are still open."""

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from raysed.config.base import LARGEST_SEED, Config

MOST_LOOKS = 3
"""The error that is allowed is shared by this many looks, so that each of more would see less."""


class GrowingSeeds(Config):
    """Seeds 0, 1, 2 ...: at first `from` of them for every cell, then more, up to `to`, for the cells of which a claim or
    a contrast is open. There are at most three looks, which share the 5 % of error of the simultaneous intervals.
    """

    first: int = Field(alias="from", ge=2, le=100)
    """The number of seeds of every cell, behind the first look."""
    last: int = Field(alias="to", ge=3, le=1000)
    """The largest number of seeds of a cell."""

    @model_validator(mode="after")
    def _grow(self) -> "GrowingSeeds":
        if self.last <= self.first:
            raise ValueError(f"from {self.first} to {self.last}: `to` has to be more than `from`")
        return self

    @property
    def looks(self) -> tuple[int, ...]:
        """The number of seeds behind each look: the first, the last, and one half-way where it is another."""
        return tuple(sorted({self.first, (self.first + self.last) // 2, self.last}))


SeedList = Annotated[tuple[Annotated[int, Field(ge=0, le=LARGEST_SEED)], ...], Field(min_length=1)]


def _form(given: Any) -> str:
    return "growing" if isinstance(given, dict | GrowingSeeds) else "listed"


Seeds = Annotated[
    Annotated[SeedList, Tag("listed")] | Annotated[GrowingSeeds, Tag("growing")],
    Discriminator(_form),
]
