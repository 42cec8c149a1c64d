"""The ledger of a run: operations and energy of every cell, and its PSDS weighted by energy.

EW-PSDS (DCASE 2023 task 4; Ronchini and Serizel, arXiv:2310.03455) is PSDS times the baseline's kWh over the system's own, both on
the same hardware; the challenge gives it for the energy of training and for that of the test.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from raysed.evaluation.metrics.psds import DEFINITIONS
from raysed.report.table_metrics import TABLE_METRICS
from raysed.run.folders import Energy, TrialResult
from raysed.run.run_plan import RunPlan

PARTS = ("training", "evaluation")


def ledger_columns(about: TrialResult | None) -> dict[str, Any]:
    """Return the columns of `results.parquet` on operations and energy; NaN is not measured."""
    columns: dict[str, Any] = {"macs_10s": about.macs_10s if about else None}
    for part in PARTS:
        energy: Energy = getattr(about, f"{part}_energy") if about else Energy()
        kwh = {"kwh": energy.kwh, "gpu_kwh": energy.gpu_kwh, "cpu_kwh": energy.cpu_kwh}
        columns |= {f"{part}_{key}": value for key, value in kwh.items()}
    return {key: np.nan if value is None else float(value) for key, value in columns.items()}


def ledger_rows(plan: RunPlan, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a row for each trained cell and evaluation set, in the frame's order: means over the seeds; kWh are None
    unless every seed has them.

    `frame` is that of `results_frame`.
    """
    if frame.empty:
        return []
    trained = frame[frame.macs_10s.notna() | frame.training_kwh.notna()]
    rows = []
    for (cell, evaluation), here in trained.groupby(["cell", "set"], sort=False):
        row = {"cell": cell, "set": evaluation, "training": here.training.iloc[0]}
        row |= {"seeds": len(here), "macs_10s": _mean(here.macs_10s)}
        for part in PARTS:
            row[f"{part}_kwh"] = _mean(here[f"{part}_kwh"])
            row[f"{part}_counted"] = _counted(here, part)
        row |= {metric: _mean(here[metric]) for metric in psds_metrics(plan)}
        rows.append(row)
    return [row | _weighted(row, rows, plan) for row in rows]


def psds_metrics(plan: RunPlan) -> list[str]:
    """Return the metrics of the run that EW-PSDS is made of."""
    return [name for name in plan.all_metrics if TABLE_METRICS[name].name in {*DEFINITIONS, "psds"}]


def _weighted(
    row: dict[str, Any], rows: Sequence[dict[str, Any]], plan: RunPlan
) -> dict[str, float | None]:
    """Return the EW-PSDS of a row, None where the energies cannot be compared: without a baseline, or with other
    counters.
    """
    found: dict[str, float | None] = {}
    baselines = [
        other
        for other in rows
        if (other["cell"], other["set"]) == (plan.energy_baseline, row["set"])
    ]
    for metric in psds_metrics(plan):
        for part in PARTS:
            name, kwh = f"ew_{metric}_{part}", row[f"{part}_kwh"]
            found[name] = None
            if not baselines or kwh is None or row[metric] is None:
                continue
            base = baselines[0]
            if base[f"{part}_counted"] == row[f"{part}_counted"]:
                found[name] = row[metric] * base[f"{part}_kwh"] / kwh
    return found


def _mean(values: pd.Series) -> float | None:
    return float(values.mean()) if len(values) and values.notna().all() else None


def _counted(here: pd.DataFrame, part: str) -> str:
    """Return the counters behind the energy, which every seed has; empty where nothing is measured."""
    kinds = [kind for kind in ("gpu", "cpu") if here[f"{part}_{kind}_kwh"].notna().all()]
    return "" if here[f"{part}_kwh"].isna().any() else " and ".join(kind.upper() for kind in kinds)
