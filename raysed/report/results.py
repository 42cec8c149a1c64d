"""The results of a run so far: the stored statistics of each cell, seed and evaluation set, and their
metrics.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zipfile import BadZipFile
from zlib import error as ZlibError

import pandas as pd

from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.intervals.significance import Drawn, drawn, mean_value
from raysed.report.table_metrics import TABLE_METRICS
from raysed.run.folders import RESULT, TrialFolder, TrialResult, statistics_file, trial_name
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
    """One finished trial seen from one cell, on one evaluation set."""

    cell: str
    table: str
    training: str
    xvalid: str
    seed: int
    evaluation: str
    statistics: Statistics
    baselines: dict[str, Statistics]
    about: TrialResult

    @property
    def trial(self) -> str:
        """Return the trial's folder under `trials/`."""
        return trial_name(self.training, self.seed)

    @property
    def system(self) -> tuple[str, str, str]:
        """Return what was scored on which set; cells that share it have the same numbers."""
        return self.trial, self.xvalid, self.evaluation

    @property
    def selected_epoch(self) -> int:
        """Return the epoch that the cell's x-valid set selected."""
        return self.about.selected[self.xvalid].epoch

    @property
    def xvalid_f1(self) -> float:
        """Return the event F1 on the x-valid set at that epoch, a fraction."""
        return self.about.selected[self.xvalid].xvalid_f1


class Measured:
    """The results of a run; every metric of a system is drawn once, however many cells show it."""

    def __init__(self, results: list[Result], draws: int) -> None:
        self.results, self.draws = results, draws
        self._drawn: dict[tuple[str, ...], Drawn] = {}

    def by_seed(self, cell: str, evaluation: str) -> dict[int, Result]:
        """Return the finished seeds of one cell on one evaluation set."""
        return {r.seed: r for r in self.results if (r.cell, r.evaluation) == (cell, evaluation)}

    def drawn(self, result: Result, metric: str) -> Drawn:
        """Return a metric of TABLE_METRICS in every draw."""
        key = (*result.system, metric)
        if key not in self._drawn:
            self._drawn[key] = drawn(TABLE_METRICS[metric], result.statistics, draws=self.draws)
        return self._drawn[key]


def read_results(run: Folder, plan: RunPlan) -> list[Result]:
    """Read every finished cell, seed and evaluation set, in the plan's order; unfinished trials are left out.

    Raises ValueError for statistics that are missing, unreadable or of different sets under one name.
    """
    loaded: dict[str, Statistics] = {}
    results = []
    for cell in plan.cells:
        for seed in plan.seeds:
            trial = TrialFolder.of(run, cell.training, seed)
            about = trial.result()
            if about is None:
                continue
            for evaluation in cell.evaluation:
                results.append(_result(cell, evaluation, seed, (trial, about), loaded))
    _refuse_mixed_sets(results)
    return results


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

    def load(system: str = "") -> Statistics:
        return _load(trial, statistics_file(evaluation, cell.xvalid, system), loaded)

    return Result(
        cell=cell.id,
        table=cell.table,
        training=cell.training,
        xvalid=cell.xvalid,
        seed=seed,
        evaluation=evaluation,
        statistics=load(),
        baselines={name: load(name) for name in BASELINES},
        about=about,
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


def _load(trial: TrialFolder, name: str, loaded: dict[str, Statistics]) -> Statistics:
    where = f"{trial.url}/{name}"
    if where in loaded:
        return loaded[where]
    content = trial.folder.read(name)
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
    """Return one row for each cell, seed and evaluation set: metrics with clip-bootstrap intervals, epoch,
    seconds.
    """
    rows = []
    for result in measured.results:
        row: dict[str, Any] = {
            "table": result.table,
            "cell": result.cell,
            "training": result.training,
            "xvalid": result.xvalid,
            "seed": result.seed,
            "set": result.evaluation,
            "trial": result.trial,
            "selected_epoch": result.selected_epoch,
            "xvalid_f1": result.xvalid_f1,
            "train_seconds": result.about.train_seconds,
            "loss_first": result.about.loss_first,
            "loss_last": result.about.loss_last,
        }
        for name in metrics:
            found = mean_value([measured.drawn(result, name)])
            row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        rows.append(row)
    return pd.DataFrame(rows)
