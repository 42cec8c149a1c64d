"""`raysed.Run`: a run folder, finished or not, as DataFrames."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from raysed.evaluation.metrics.registry import METRICS, known_metric
from raysed.report.cells import cell_values
from raysed.report.contrasts import pair_value
from raysed.report.grouped_results import read_grouped
from raysed.report.looked_contrasts import judged_contrasts
from raysed.report.results import Measured, Result, results_frame
from raysed.report.trial_scores import frame_scores, with_scores
from raysed.run.folders import TrialFolder, best_checkpoint
from raysed.run.run_plan import RunPlan
from raysed.run.trial_state import read_standings
from raysed.storage.folder import Folder


class FinishedRun:
    """A run as `raysed tune` left it; nothing in its folder is changed. What is read is kept."""

    def __init__(self, url: str | Path) -> None:
        """Open a run folder by path or URL. Raises ValueError where it holds no run."""
        self.folder = Folder(str(url))
        self.plan = RunPlan.require(self.folder)

    @property
    def cells(self) -> tuple[str, ...]:
        """The ids of its cells, the columns of its tables."""
        return tuple(cell.id for cell in self.plan.cells)

    @property
    def data_sets(self) -> dict[str, str]:
        """The folder or URL of each data set that it reads, for `raysed.open_dataset`."""
        return {about.name: about.url for about in self.plan.datasets if about.url}

    @property
    def table(self) -> pd.DataFrame:
        """One row for each cell, evaluation set and metric: value, low, high (fractions, 95 %), seed_values, published."""
        standings = read_standings(self.folder, self.plan)
        values = cell_values(self.plan, self._measured, standings)
        return pd.DataFrame([value.as_row() for value in values])

    @property
    def differences(self) -> pd.DataFrame:
        """One row for each planned comparison: difference, low, high, simultaneous_low, simultaneous_high, p, outcome."""
        found = judged_contrasts(self.folder, self.plan, self._measured)
        return pd.DataFrame([value.as_row() for value in found])

    @property
    def trials(self) -> pd.DataFrame:
        """One row for each finished trial and evaluation set: metrics with intervals over clips (or groups), epoch, seconds, losses."""
        return results_frame(self._measured, self.plan.all_metrics)

    @property
    def curves(self) -> pd.DataFrame:
        """One row for each epoch of each trial, finished or not: training, seed, epoch, losses, x-valid values."""
        rows = [
            {"training": training.id, "seed": seed} | _flat(epoch)
            for training in self.plan.trainings
            for seed in self.plan.seeds
            for epoch in TrialFolder.of(self.folder, training.id, seed).epochs()
        ]
        return pd.DataFrame(rows)

    def compare(
        self, cell: str, against: str, metric: str = "event_f1", evaluation: str | None = None
    ) -> pd.Series:
        """Return the metric of `cell` minus that of `against`: difference, low, high (95 %), p, seed by seed.

        The interval is for this pair alone; who looks at many pairs takes `differences`. Raises ValueError for cells
        without a finished seed in common.
        """
        known_metric(metric)
        for name in (cell, against):
            self._check_cell(name)
        evaluation = self._evaluation(evaluation)
        measured = self._measured_in(metric)
        found = pair_value(self.plan, measured, (cell, against), evaluation, metric)
        if found is None:
            raise ValueError(
                f"{self.folder.url}: {cell} and {against} have no finished seed in common on {evaluation} that has {metric}"
            )
        return pd.Series(found.as_row())

    def clips(
        self, cell: str, evaluation: str | None = None, seed: int | None = None
    ) -> pd.DataFrame:
        """Return one row a clip: duration_s, events, and event-based hits, false_alarms and misses of one trial."""
        result = self._result(cell, evaluation, seed)
        statistics, counts = result.statistics, result.statistics.event
        hits_N, found_N = counts.tp_NK.sum(axis=1), counts.n_sys_NK.sum(axis=1)
        events_N = counts.n_ref_NK.sum(axis=1)
        return pd.DataFrame(
            {
                "filename": statistics.filenames,
                "duration_s": statistics.durations_s,
                "events": events_N,
                "hits": hits_N,
                "false_alarms": found_N - hits_N,
                "misses": events_N - hits_N,
            }
        )

    def scores(
        self, cell: str, filename: str, evaluation: str | None = None, seed: int | None = None
    ) -> pd.DataFrame:
        """Return the smoothed frame scores of one clip: onset, offset (seconds) and one column a class, 0 to 1."""
        result = self._result(cell, evaluation, seed)
        if filename not in result.statistics.filenames:
            raise ValueError(f"{filename} is not a clip of {result.evaluation}")
        if result.about is None:
            raise ValueError(f"{cell} was not trained here: its scores are not stored")
        found = frame_scores(self.folder, self.plan, result)
        n = result.statistics.filenames.index(filename)
        edge_T1 = found.edges_NT1[n]
        ends = np.searchsorted(edge_T1, result.statistics.durations_s[n])
        frames = min(int(ends), found.scores_NTK.shape[1])
        frame = pd.DataFrame(
            found.scores_NTK[n, :frames].astype(np.float32),
            columns=pd.Index(result.statistics.classes),
        )
        frame.insert(0, "onset", edge_T1[:frames])
        frame.insert(1, "offset", edge_T1[1 : frames + 1])
        return frame

    def checkpoint(self, cell: str, seed: int | None = None) -> str:
        """Return the path of the checkpoint that a cell's x-valid set selected, for `raysed.Detector.load`."""
        self._check_cell(cell)
        planned = self.plan.cell(cell)
        if planned.predictions:
            raise ValueError(f"{cell} was not trained here: it has no checkpoint")
        of = self.plan.seeds[0] if seed is None else seed
        if of not in (seeds := self.plan.seeds_of(planned.training)):
            raise ValueError(f"{cell} has no seed {of}; it has {', '.join(map(str, seeds))}")
        trial = TrialFolder.of(self.folder, planned.training, of)
        return f"{trial.url}/{best_checkpoint(planned.xvalid)}"

    @cached_property
    def _measured(self) -> Measured:
        results = with_scores(self.folder, self.plan, read_grouped(self.folder, self.plan))
        if not results:
            raise ValueError(f"{self.folder.url}: no trial is finished yet")
        return Measured(results, self.plan.bootstrap_draws)

    def _measured_in(self, metric: str) -> Measured:
        """Return the results with a metric, for which frame scores are read where the plan does not ask for it."""
        if METRICS[metric].needs == "counts" or metric in self.plan.all_metrics:
            return self._measured
        plan = self.plan.model_copy(update={"metrics": (metric,), "claims": ()})
        return Measured(
            with_scores(self.folder, plan, self._measured.results), plan.bootstrap_draws
        )

    def _result(self, cell: str, evaluation: str | None, seed: int | None) -> Result:
        """Return one trial seen from a cell: of the first finished seed where none is named."""
        self._check_cell(cell)
        name = self._evaluation(evaluation)
        found = self._measured.by_seed(cell, name)
        if not found or (seed is not None and seed not in found):
            there = ", ".join(map(str, found)) or "none"
            raise ValueError(f"{cell} on {name}: seed {seed} is not finished (finished: {there})")
        return next(iter(found.values())) if seed is None else found[seed]

    def _check_cell(self, cell: str) -> None:
        if cell not in self.cells:
            raise ValueError(
                f"{self.folder.url} has no cell {cell}; it has {', '.join(self.cells)}"
            )

    def _evaluation(self, given: str | None) -> str:
        names = self.plan.evaluations
        if given is not None and given not in names:
            raise ValueError(f"no evaluation set {given}; there are {', '.join(names)}")
        return names[0] if given is None else given


def _flat(epoch: dict[str, Any], head: str = "") -> dict[str, Any]:
    """Return the numbers of an epoch under one level of names, such as `xvalid_f1.xvalid`."""
    found: dict[str, Any] = {}
    for key, value in epoch.items():
        found |= _flat(value, f"{head}{key}.") if isinstance(value, dict) else {head + key: value}
    return found
