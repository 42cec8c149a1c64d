"""`raysed.score`: what `raysed score` computes, of tables in memory or of files."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

import pandas as pd

from raysed.evaluation.metrics.registry import COUNT_METRICS, METRICS, metric_names
from raysed.evaluation.score.request import AtThreshold, IntervalMethod, Overlaps, ScoreRequest
from raysed.evaluation.score.score import score
from raysed.interface.frame_files import EventTable, FrameFiles

TableOfPredictions = (
    str | Path | EventTable | Mapping[float, EventTable] | Mapping[str, pd.DataFrame]
)


class ScoreOptions(TypedDict, total=False):
    """The options of `raysed score`, under the same names."""

    versus: TableOfPredictions
    groups: str | Path | EventTable
    overlaps: Overlaps
    threshold: float
    at_threshold: AtThreshold
    draws: int
    seed: int
    metrics: str | Sequence[str]
    method: IntervalMethod


@dataclass(frozen=True)
class ScoredPredictions:
    """The values of one system, with 95 % intervals over clips; all are fractions."""

    found: dict[str, Any]
    """The object that `raysed score --json` prints."""

    @property
    def metrics(self) -> pd.DataFrame:
        """One row a metric: value, low, high, se and jackknife_se; NaN where it cannot be computed."""
        rows = {name: self.found[name] or {} for name in METRICS if name in self.found}
        columns = ["value", "low", "high", "se", "jackknife_se"]
        return pd.DataFrame(list(rows.values()), index=list(rows), columns=columns).astype(float)

    @property
    def per_class(self) -> pd.DataFrame:
        """One row a class: its events, and value, low and high of each metric."""
        rows = []
        for values in self.found["per_class"].values():
            row: dict[str, Any] = {"events": values["events"]}
            for name, value in values.items():
                if name != "events":
                    row |= {name: value["value"], f"{name}_low": value["low"]}
                    row[f"{name}_high"] = value["high"]
            rows.append(row)
        return pd.DataFrame(rows, index=list(self.found["per_class"]))

    @property
    def versus(self) -> pd.DataFrame | None:
        """One row a metric: difference to the other system, low, high and p; None where there is no other."""
        if self.found["versus"] is None:
            return None
        rows = {name: value for name, value in self.found["versus"].items() if value is not None}
        return pd.DataFrame(list(rows.values()), index=list(rows))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Remarks on what was given, which a reader of the values should know."""
        return tuple(self.found["warnings"])

    def __getitem__(self, metric: str) -> float:
        """Return the value of one metric, such as `scored["event_f1"]`; NaN where it cannot be computed."""
        return float(self.metrics.loc[metric, "value"])

    def _repr_html_(self) -> str:
        return self.metrics.to_html(float_format="{:.4f}".format)


def score_predictions(
    predictions: TableOfPredictions,
    ground_truth: str | Path | EventTable,
    durations: str | Path | EventTable | Mapping[str, float] | None = None,
    **options: Unpack[ScoreOptions],
) -> ScoredPredictions:
    """Score predictions against strong labels: event-based, intersection and segment F1, PSDS, with intervals.

    Tables have the columns filename, onset, offset (seconds) and event_label, as DataFrame or as dictionary of arrays;
    paths are what `raysed score` takes. `predictions` may also be operating points, {threshold: table}, or frame scores,
    {clip: DataFrame of onset, offset and one column a class}, which PSDS needs. `durations` is {clip: seconds} or a
    table of filename and duration; without it there is no PSDS. Raises ValueError naming table and row.
    """
    with tempfile.TemporaryDirectory(prefix="raysed-score-") as place:
        files = FrameFiles(Path(place))
        try:
            request = _request(files, predictions, ground_truth, durations, options)
            found = score(request)
        except ValueError as error:
            raise ValueError(files.in_their_terms(str(error))) from error
    found["warnings"] = [files.in_their_terms(warning) for warning in found["warnings"]]
    return ScoredPredictions(found)


def _request(
    files: FrameFiles,
    predictions: TableOfPredictions,
    ground_truth: str | Path | EventTable,
    durations: str | Path | EventTable | Mapping[str, float] | None,
    options: ScoreOptions,
) -> ScoreRequest:
    more: dict[str, Any] = dict(options)
    if (versus := more.get("versus")) is not None:
        more["versus"] = files.events(versus, "versus")
    if (groups := more.get("groups")) is not None:
        more["groups"] = files.table(groups, "groups")
    given = more.get("metrics")
    more["metrics"] = COUNT_METRICS if given is None else metric_names(given)
    unknown = sorted(more.keys() - ScoreOptions.__annotations__.keys())
    if unknown:
        raise ValueError(
            f"unknown option {unknown[0]}; expected one of {', '.join(ScoreOptions.__annotations__)}"
        )
    return ScoreRequest(
        predictions=files.events(predictions, "predictions"),
        ground_truth=files.table(ground_truth, "ground_truth"),
        durations=None if durations is None else files.durations(durations, "durations"),
        **more,
    )
