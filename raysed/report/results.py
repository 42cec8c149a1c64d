"""The results of a run so far: the stored statistics of each cell, seed and evaluation set, and their
metrics.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zipfile import BadZipFile
from zlib import error as ZlibError

import numpy as np
import pandas as pd

from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.intervals.bootstrap import published_recipe
from raysed.evaluation.intervals.significance import Drawn, drawn, mean_value
from raysed.evaluation.metrics.psds import DEFINITIONS
from raysed.evaluation.metrics.registry import METRICS
from raysed.report.ledger import ledger_columns
from raysed.report.table_metrics import TABLE_METRICS
from raysed.run.folders import (
    RESULT,
    TrialFolder,
    TrialResult,
    external_file,
    external_folder,
    fitted,
    statistics_file,
    trial_name,
)
from raysed.run.postprocessing_record import PostProcessingRecord
from raysed.run.run_plan import PlannedCell, RunPlan
from raysed.storage.folder import Folder

UNREADABLE = (
    *(BadZipFile, ZlibError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(NotImplementedError, OverflowError),
)
"""The errors of numpy, zipfile and JSON for bytes that are no statistics, or damaged ones."""
BASELINES = {
    "always_on": "every class always on",
    "permuted": "its own predictions, clip names permuted",
}


@dataclass(frozen=True)
class Result:
    """One finished trial seen from one cell, on one evaluation set; or a system from elsewhere, which is the same
    for every seed.
    """

    cell: str
    table: str
    training: str
    xvalid: str
    seed: int
    evaluation: str
    statistics: Statistics
    baselines: dict[str, Statistics]
    about: TrialResult | None
    """None for a system from elsewhere."""
    postprocessing: str = ""
    """The name of its post-processing; empty for the training's own."""
    fitted: Statistics | None = None
    """The system that it would be had its post-processing been tuned on these very clips: no result."""

    @property
    def trial(self) -> str:
        """Return the trial's folder under `trials/`, or that of a system from elsewhere."""
        return (
            external_folder(self.training)
            if self.about is None
            else trial_name(self.training, self.seed)
        )

    @property
    def trained(self) -> TrialResult:
        """Return what its training left; there must be one."""
        assert self.about is not None, f"{self.cell} was not trained here"
        return self.about

    def has(self, metric: str) -> bool:
        """Tell whether the metric can be computed: without operating points there is no PSDS."""
        if METRICS[metric].needs == "scores":
            return self.statistics.scored is not None
        return bool(self.statistics.psds) or metric not in DEFINITIONS

    @property
    def system(self) -> tuple[str, str, str, str]:
        """Return what was scored on which set; cells that share it have the same numbers."""
        return self.trial, self.xvalid, self.evaluation, self.postprocessing

    @property
    def selected_epoch(self) -> int:
        """Return the epoch that the cell's x-valid set selected."""
        return self.trained.selected[self.xvalid].epoch

    @property
    def xvalid_f1(self) -> float:
        """Return the event F1 on the x-valid set at that epoch, a fraction."""
        return self.trained.selected[self.xvalid].xvalid_f1


class Measured:
    """The results of a run; every metric of a system is drawn once, however many cells show it."""

    def __init__(self, results: list[Result], draws: int) -> None:
        self.results, self.draws = results, draws
        self._drawn: dict[tuple[str, ...], Drawn] = {}
        self._recipes: dict[tuple[str, ...], tuple[float, float, float]] = {}

    def by_seed(self, cell: str, evaluation: str, metric: str | None = None) -> dict[int, Result]:
        """Return the finished seeds of one cell on one evaluation set, of those that have the metric."""
        here = [r for r in self.results if (r.cell, r.evaluation) == (cell, evaluation)]
        return {r.seed: r for r in here if metric is None or r.has(metric)}

    def drawn(self, result: Result, metric: str) -> Drawn:
        """Return a metric of TABLE_METRICS in every draw."""
        key = (*result.system, metric)
        if key not in self._drawn:
            statistics = result.statistics
            if metric not in DEFINITIONS:  # systems with and without operating points are compared
                statistics = statistics.without_psds()
            self._drawn[key] = drawn(TABLE_METRICS[metric], statistics, draws=self.draws)
        return self._drawn[key]

    def recipe(self, cell: str, evaluation: str, metric: str) -> tuple[float, float, float]:
        """Return mean and ends of the 90 % interval of the paper's own recipe, over the cell's seeds."""
        here = {r.system: r for r in self.by_seed(cell, evaluation, metric).values()}
        key = (*(part for system in here for part in system), metric)
        if key not in self._recipes:
            statistics = [result.statistics for result in here.values()]
            self._recipes[key] = published_recipe(TABLE_METRICS[metric], statistics)
        return self._recipes[key]


def read_results(run: Folder, plan: RunPlan) -> list[Result]:
    """Read every finished cell, seed and evaluation set, in the plan's order; unfinished trials are left out.

    Raises ValueError for statistics that are missing, unreadable or of different sets under one name.
    """
    loaded: dict[str, Statistics] = {}
    results = []
    for cell in plan.cells:
        if cell.predictions:
            results += _external(run, plan, cell, loaded)
            continue
        for seed in plan.seeds_of(cell.training):
            trial = TrialFolder.of(run, cell.training, seed)
            about = trial.result()
            if about is None:
                continue
            for evaluation in cell.evaluation:
                # A post-processing that was asked for since is made by the next `raysed tune`.
                if is_postprocessed(trial.folder, cell, evaluation):
                    results.append(_result(cell, evaluation, seed, (trial, about), loaded))
    _refuse_mixed_sets(results)
    return results


def is_postprocessed(trial: Folder, cell: PlannedCell, evaluation: str) -> bool:
    """Tell whether a finished trial has the counts of a cell's own post-processing, where it has one."""
    asked = cell.postprocessing
    return asked is None or (
        PostProcessingRecord.read(trial, evaluation, cell.xvalid, asked.name) is not None
    )


def _external(
    run: Folder, plan: RunPlan, cell: PlannedCell, loaded: dict[str, Statistics]
) -> list[Result]:
    """Return a system from elsewhere, once for each seed, so that it can be compared with every seed of a training."""
    found = []
    for evaluation in cell.evaluation:
        name = external_file(cell.training, evaluation)
        if run.read(name) is None:
            continue
        statistics = _load(run, name, loaded)
        about = {"cell": cell.id, "table": cell.table, "training": cell.training, "xvalid": ""}
        found += [
            Result(
                **about,
                seed=seed,
                evaluation=evaluation,
                statistics=statistics,
                baselines={},
                about=None,
            )
            for seed in plan.seeds
        ]
    return found


def _result(
    cell: PlannedCell,
    evaluation: str,
    seed: int,
    finished: tuple[TrialFolder, TrialResult],
    loaded: dict[str, Statistics],
) -> Result:
    trial, about = finished
    if cell.xvalid not in about.selected:
        raise ValueError(
            f"{trial.url}: its result has no epoch selected by {cell.xvalid}, which cell {cell.id} asks for"
        )

    name, asked = cell.postprocessing_name, cell.postprocessing

    def load(system: str) -> Statistics:
        return _load(trial.folder, statistics_file(evaluation, cell.xvalid, system), loaded)

    return Result(
        cell=cell.id,
        table=cell.table,
        training=cell.training,
        xvalid=cell.xvalid,
        seed=seed,
        evaluation=evaluation,
        statistics=load(name),
        baselines={name: load(name) for name in BASELINES},
        about=about,
        postprocessing=name,
        fitted=load(fitted(name)) if asked and asked.is_tuned else None,
    )


def _refuse_mixed_sets(results: list[Result]) -> None:
    """Raise ValueError unless all trials saw the same clips and labels under one set's name."""
    first: dict[str, Result] = {}
    for result in results:
        other = first.setdefault(result.evaluation, result)
        if other.statistics.key != result.statistics.key:
            raise ValueError(
                f"{result.evaluation}: trial {other.trial} was scored on"
                f" {other.statistics.n_clips} clips (set {other.statistics.key[:12]}), trial"
                f" {result.trial} on {result.statistics.n_clips} clips (set"
                f" {result.statistics.key[:12]}): one table cannot compare different sets. Remove"
                f" the {RESULT} of the trials that are out of date and run again"
            )


def _load(folder: Folder, name: str, loaded: dict[str, Statistics]) -> Statistics:
    where = f"{folder.url}/{name}"
    if where in loaded:
        return loaded[where]
    content = folder.read(name)
    if content is None:
        raise ValueError(f"{where} is missing, although the trial is finished; remove its {RESULT}")
    try:
        loaded[where] = Statistics.load(BytesIO(content))
    except UNREADABLE as error:
        raise ValueError(
            f"{where} cannot be read ({type(error).__name__}: {error}): remove the {RESULT} of its trial"
            " and run again"
        ) from error
    return loaded[where]


def results_frame(measured: Measured, metrics: Sequence[str]) -> pd.DataFrame:
    """Return one row for each cell, seed and evaluation set: metrics with bootstrap intervals, epoch,
    seconds.
    """
    rows = []
    for result in _once(measured.results):
        about = result.about
        row: dict[str, Any] = {
            "table": result.table,
            "cell": result.cell,
            "training": result.training,
            "xvalid": result.xvalid,
            "seed": result.seed if about else None,
            "set": result.evaluation,
            "trial": result.trial,
            "selected_epoch": result.selected_epoch if about else None,
            "xvalid_f1": result.xvalid_f1 if about else np.nan,
            "train_seconds": about.train_seconds if about else np.nan,
            "loss_first": about.loss_first if about else np.nan,
            "loss_last": about.loss_last if about else np.nan,
            **ledger_columns(about),
        }
        for name in metrics:
            ends = (np.nan, np.nan, np.nan)
            if result.has(name):
                found = mean_value([measured.drawn(result, name)])
                ends = (found.value, found.low, found.high)
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
        rows.append(row)
    frame = pd.DataFrame(rows)
    if any(result.about is None for result in measured.results):
        frame = frame.astype({"seed": "Int64", "selected_epoch": "Int64"})
    return frame


def _once(results: list[Result]) -> list[Result]:
    """Return the results with each system from elsewhere once, not for every seed."""
    first = {(r.cell, r.evaluation, r.seed if r.about else None): r for r in reversed(results)}
    return list(reversed(first.values()))
