"""The predictions of systems that are not trained here, as cells of a space name them."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator

from raysed.config.base import Config
from raysed.config.data_job import DataJob
from raysed.config.fault import Fault, KeyPath, Places
from raysed.config.fit import fits

if TYPE_CHECKING:
    from raysed.config.table import Cell


class PredictionFiles(Config):
    """The predictions of a system on one evaluation set, as `raysed score` reads them."""

    path: str
    """A folder of score files or of the operating points .01, .03 ... .99, or a TSV of events (no PSDS)."""
    detections: str | None = None
    """A TSV with the events of the F1 metrics, beside operating points; default: those at 0.5."""

    @property
    def files(self) -> dict[str, str]:
        """The paths that are given, by their keys."""
        return {"path": self.path} | ({"detections": self.detections} if self.detections else {})


def _from_text(given: Any) -> Any:
    """Read a text as the path alone."""
    return {"path": given} if isinstance(given, str) else given


GivenPredictions = Annotated[
    PredictionFiles, BeforeValidator(_from_text, json_schema_input_type=str | PredictionFiles)
]
"""Predictions, or a text for their path alone."""


def external_faults(cell: "Cell", index: int, job: DataJob) -> Iterator[Fault]:
    """Yield why the predictions of cell `index` can never be scored: unknown sets, and folders for files."""
    for name, given in cell.predictions.items():
        key: KeyPath = ("cells", index, "predictions", name)
        where = f"cell {cell.id}: predictions.{name}"
        if name not in job.sets:
            known = ", ".join(job.sets)
            yield Fault(key, f"{where}: the data job {job.name} has no such set (it has {known})")
        elif not fits(job.sets[name], "strong"):
            yield Fault(key, f"{where}: this set has no strong labels to score against")
        for what, path in given.files.items():
            if what == "detections" and Path(path).is_dir():
                yield Fault(key, f"{where}.{what}: {path}: a folder, expected a TSV of events")


def absent_lines(cell: "Cell", index: int, places: Places, unset: list[Fault] | None) -> list[str]:
    """Return which predictions of cell `index` are not there. A plan can be made without them, a run cannot: where the list
    `unset` is given they are added to it, and nothing is returned.
    """
    absent = [
        Fault(
            ("cells", index, "predictions", name),
            f"cell {cell.id}: predictions.{name}.{what}: {path}: no such file or folder (relative to the working"
            " directory); put the predictions of that system there, or leave the cell out",
        ).at(places)
        for name, given in cell.predictions.items()
        for what, path in given.files.items()
        if not Path(path).exists()
    ]
    if unset is None:
        return [str(fault) for fault in absent]
    unset += absent
    return []
