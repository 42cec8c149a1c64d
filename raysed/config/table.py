"""The parts of tables: cells with their published values, the differences to judge, and the claims."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from raysed.config.base import Config, Line, Name
from raysed.config.cell_postprocessing import GivenPostProcessing
from raysed.config.external import GivenPredictions
from raysed.evaluation.metrics.own_metric import OWN_PATTERN
from raysed.evaluation.metrics.registry import METRICS, known_metric

KEPT_STEMS = frozenset({"claims", "contrasts", "postprocessing", "tables"})
"""The other files of a report's folder `tables`."""

MetricName = Annotated[
    str,
    AfterValidator(known_metric),
    WithJsonSchema(
        {"type": "string", "anyOf": [{"enum": list(METRICS)}, {"pattern": OWN_PATTERN}]}
    ),
]
"""A metric of raysed/evaluation/metrics/registry.py (`psds` is the paper's, over K classes), or a function of your own as
`package.module:function`."""
Fraction = Annotated[float, Field(ge=0, le=1)]
DEFAULT_METRICS = ("event_f1", "psds")
"""The paper's two."""


class Cell(Config):
    """One column of one table."""

    id: Name
    """Names the cell in tables, contrasts, claims and `change`."""
    table: Line
    """The table that it stands in."""
    column: Line
    """The label of its column."""
    set: dict[str, Any] = Field(default_factory=dict)
    """The changes to `base`, in the form of a Trial."""
    xvalid: Name | None = None
    """The x-valid set that selects this cell's epoch; or else `predictions`."""
    postprocessing: GivenPostProcessing | None = None
    """The way from scores to events, instead of the training's own threshold and median; it costs no training."""
    predictions: dict[Name, GivenPredictions] = Field(default_factory=dict)
    """Instead of a training: the predictions of a system from elsewhere, by evaluation set."""
    published: dict[Name, dict[MetricName, Fraction | None]] = Field(default_factory=dict)
    """Published values, fractions, by evaluation set and metric."""

    @model_validator(mode="after")
    def _training_or_predictions(self) -> "Cell":
        if bool(self.predictions) == (self.xvalid is not None):
            raise ValueError(
                f"{self.id}: give either xvalid, the set that selects the epoch of a training, or predictions"
            )
        if self.predictions and self.set:
            raise ValueError(f"{self.id}: set changes a training; leave it out beside predictions")
        if self.predictions and self.postprocessing:
            raise ValueError(
                f"{self.id}: postprocessing is of a training's scores; of score files from elsewhere"
                " `raysed postprocess --scores` compares it"
            )
        return self

    @property
    def postprocessing_differs(self) -> bool:
        """Tell whether anything but the training's own follows the network."""
        return self.postprocessing is not None and self.postprocessing.method != "median"


class Contrast(Config):
    """A difference that the report judges: metric of `cell` minus metric of `against`."""

    cell: Name
    """Id of a cell."""
    against: Name
    """Id of the cell that it is compared with."""


class Comparison(Contrast):
    """One difference that a claim is about."""

    expect: Literal["higher", "lower", "far_higher", "far_lower", "not_higher", "equal"]
    """The claimed place of the metric of `cell` beside that of `against`; `far` is more than the metric's
    margin."""


class Claim(Config):
    """A sentence of the paper, as the differences that would confirm it."""

    id: Name
    """Names the claim in the report."""
    text: str
    """The claim in words, for the report."""
    evaluation: Name | Annotated[tuple[Name, ...], Field(min_length=1)]
    """The evaluation set that it is about, or several: it then has to hold on each."""
    metrics: tuple[MetricName, ...] = Field(DEFAULT_METRICS, min_length=1)
    """The metrics that it is about."""
    comparisons: tuple[Comparison, ...] = Field(min_length=1)
    """The claim is confirmed when every one of these is."""

    @property
    def evaluations(self) -> tuple[str, ...]:
        """The evaluation sets that it is about."""
        return (self.evaluation,) if isinstance(self.evaluation, str) else self.evaluation


def table_stem(table: str) -> str:
    """Return the name of a table's files, without suffix: lower-case letters and digits, joined by `-`."""
    return re.sub(r"[^a-z0-9]+", "-", table.lower()).strip("-") or "table"


def tables_by_file(cells: Iterable[Cell]) -> dict[str, list[str]]:
    """Return the tables of the cells by the names of their files."""
    stems: dict[str, list[str]] = {}
    for table in dict.fromkeys(cell.table for cell in cells):
        stems.setdefault(table_stem(table), []).append(table)
    return stems
