"""What tables are made of: cells with their published values, the differences to judge, and the claims."""

from typing import Any, Literal

from pydantic import Field

from raysed.config.base import Config, Name


class Metrics(Config):
    """Published values of one cell, as fractions."""

    event_f1: float | None = Field(None, ge=0, le=1)
    psds: float | None = Field(None, ge=0, le=1)


class Cell(Config):
    """One column of one table."""

    id: Name
    table: str
    column: str
    set: dict[str, Any] = Field(default_factory=dict)
    """What differs from `base`, in the form of a Trial."""
    xvalid: Name
    """The x-valid set that selects this cell's epoch."""
    published: dict[Name, Metrics] = Field(default_factory=dict)
    """Published values by evaluation set."""


class Contrast(Config):
    """A difference that the report judges: metric of `cell` minus metric of `against`."""

    cell: Name
    against: Name


class Comparison(Contrast):
    """What a claim says of one difference."""

    expect: Literal["higher", "lower", "not_higher", "equal"]


class Claim(Config):
    """A sentence of the paper, as the differences that would bear it out."""

    id: Name
    text: str
    evaluation: Name
    """The set that it speaks of."""
    metrics: tuple[Literal["event_f1", "psds"], ...] = Field(("event_f1", "psds"), min_length=1)
    comparisons: tuple[Comparison, ...] = Field(min_length=1)
