"""What a run has so far: per cell, seed and evaluation set the stored statistics, and the metrics in them."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd

from raysed.data.folder import Folder
from raysed.evaluation import bootstrap
from raysed.evaluation.bootstrap import Metric, interval
from raysed.evaluation.statistics import Statistics
from raysed.training.files import read_json

METRICS: dict[str, Metric] = {
    "event_f1": bootstrap.METRICS["event_f1"],
    "psds": bootstrap.METRICS["psds_2020"],
}
"""The paper's two metrics; PSDS as psds_eval computed it in 2020 (cross-triggers averaged over K)."""

BASELINES = {
    "always_on": "every class always on",
    "permuted": "its own predictions, clip names permuted",
}


@dataclass(frozen=True)
class Result:
    """One finished trial seen from one cell, on one evaluation set."""

    cell: str
    seed: int
    evaluation: str
    statistics: Statistics
    baselines: dict[str, Statistics]
    selected_epoch: int
    xvalid_f1: float
    about: dict[str, Any]
    """`result.json` of the trial."""
    trial: str


def read_plan(run: Folder) -> dict[str, Any]:
    """`plan.json` of a run. Raises ValueError where there is none."""
    plan = read_json(run, "plan.json")
    if plan is None:
        raise ValueError(
            f"{run.url} holds no plan.json: not a run folder, or its data are still being built"
        )
    return plan


def read_results(run: Folder, plan: dict[str, Any]) -> list[Result]:
    """Every finished cell, seed and evaluation set, in the plan's order; unfinished trials are left out."""
    results = []
    for cell in plan["cells"]:
        for seed in plan["seeds"]:
            name = f"{cell['training']}-seed{seed}"
            trial = run.child(f"trials/{name}")
            about = read_json(trial, "result.json")
            if about is None:
                continue
            for evaluation in cell["evaluation"]:
                stem = f"statistics/{evaluation}.{cell['xvalid']}"
                selected = about["selected"][cell["xvalid"]]
                results.append(
                    Result(
                        cell=cell["id"],
                        seed=seed,
                        evaluation=evaluation,
                        statistics=_load(trial, f"{stem}.npz"),
                        baselines={key: _load(trial, f"{stem}.{key}.npz") for key in BASELINES},
                        selected_epoch=selected["epoch"],
                        xvalid_f1=selected["xvalid_f1"],
                        about=about,
                        trial=name,
                    )
                )
    return results


def _load(trial: Folder, name: str) -> Statistics:
    content = trial.read(name)
    if content is None:
        raise ValueError(
            f"{trial.url}/{name} is missing, although the trial is finished; remove its result.json"
        )
    return Statistics.load(BytesIO(content))


def results_frame(results: list[Result], draws: int) -> pd.DataFrame:
    """One row a cell, seed and evaluation set: metrics with clip-bootstrap intervals, epoch, seconds."""
    rows = []
    for result in results:
        row: dict[str, Any] = {
            "cell": result.cell,
            "seed": result.seed,
            "set": result.evaluation,
            "trial": result.trial,
            "selected_epoch": result.selected_epoch,
            "xvalid_f1": result.xvalid_f1,
            "train_seconds": result.about["train_seconds"],
            "loss_first": result.about["loss_first"],
            "loss_last": result.about["loss_last"],
        }
        for name, metric in METRICS.items():
            found = interval(metric, result.statistics, draws=draws)
            row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        rows.append(row)
    return pd.DataFrame(rows)


def by_seed(results: list[Result], cell: str, evaluation: str) -> dict[int, Statistics]:
    """Statistics of one cell on one evaluation set, by seed."""
    return {r.seed: r.statistics for r in results if (r.cell, r.evaluation) == (cell, evaluation)}


def values(metric: Metric, by_seed: dict[int, Statistics]) -> np.ndarray:
    """The metric of each seed, fractions (S,)."""
    return np.array([metric(statistics, None)[0] for statistics in by_seed.values()])
