"""The course of every trial of a run: its state, its curves and its cost; half-finished trials included."""

import math
from collections.abc import Iterable
from typing import Any

from raysed.report.report import Report
from raysed.run.folders import TrialFolder, TrialResult, trial_name
from raysed.run.run_plan import PlannedTraining

SHOWN_TERMS = ("loss", "strong", "weak", "consistency_strong", "consistency_weak")
"""Of the training loss, as stored for every epoch."""
_HOUR_S = 3600.0


def short(value: float | None, digits: int = 4) -> float | None:
    """Round a number to so many significant digits; None for what JSON cannot hold (NaN, infinity)."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{digits}g}")


def trials_of(report: Report) -> list[dict[str, Any]]:
    """Return every training and seed of the plan, in its order."""
    return [
        _trial(report, training, seed)
        for training in report.plan.trainings
        for seed in report.plan.seeds_of(training.id)
    ]


def _trial(report: Report, training: PlannedTraining, seed: int) -> dict[str, Any]:
    """Return one trial with what it has written so far."""
    standing = report.trials[trial_name(training.id, seed)]
    folder = TrialFolder.of(report.run, training.id, seed)
    result, epochs = folder.result(), folder.epochs()
    selected = result.selected if result else {}
    return {
        "name": standing.name,
        "training": training.id,
        "cells": report.plan.cells_of(training.id),
        "seed": seed,
        "state": standing.state,
        "note": standing.note,
        "epochs": len(epochs),
        "epochs_planned": training.epochs,
        "losses": losses(epochs),
        "xvalid": xvalid_curves(epochs),
        "network": training.config.get("selection", {}).get("network", "student"),
        "selected": {
            xvalid: best.model_dump(exclude_none=True) for xvalid, best in selected.items()
        },
        "cost": cost(epochs, result, report.plan.resources_per_trial),
    }


def losses(epochs: list[dict[str, Any]]) -> dict[str, list[float | None]]:
    """Return the mean of each term over each epoch's steps; terms that are never more than 0 are left out."""
    found = {term: [short(epoch.get(term)) for epoch in epochs] for term in SHOWN_TERMS}
    return {term: curve for term, curve in found.items() if any(curve)}


def xvalid_curves(epochs: list[dict[str, Any]]) -> dict[str, dict[str, list[float | None]]]:
    """Return x-valid set -> network -> event-based macro-F1 after each epoch, as fractions."""
    names = dict.fromkeys(name for epoch in epochs for name in epoch.get("xvalid_f1", {}))
    networks = [n for n in ("student", "teacher") if any(f"xvalid_f1_{n}" in e for e in epochs)]
    return {
        name: {
            network: [short(epoch.get(f"xvalid_f1_{network}", {}).get(name)) for epoch in epochs]
            for network in networks
        }
        for name in names
    }


def cost(
    epochs: list[dict[str, Any]], result: TrialResult | None, resources: dict[str, Any]
) -> dict[str, Any]:
    """Return seconds, device-hours, speed and energy of one trial; `device` is the kind of device that the hours
    count, an energy that was not measured is None.
    """
    train_s = _total(epoch.get("train_s") for epoch in epochs)
    xvalid_s = _total(epoch.get("xvalid_s") for epoch in epochs)
    evaluation_s = (result.evaluation_seconds if result else None) or 0.0
    clips = _total(epoch.get("clips_per_s", 0) * epoch.get("train_s", 0) for epoch in epochs)
    world = max((epoch.get("world", 1) for epoch in epochs), default=resources.get("workers", 1))
    gpus = resources.get("gpus_per_worker") or 0
    devices = world * (gpus or resources.get("cpus_per_worker", 1))
    wall_s = train_s + xvalid_s + evaluation_s
    return {
        "train_s": short(train_s),
        "xvalid_s": short(xvalid_s),
        "evaluation_s": short(evaluation_s),
        "wall_s": short(wall_s),
        "clips": round(clips),
        "clips_per_s": short(clips / train_s) if train_s else None,
        "ranks": world,
        "device": "GPU" if gpus else "core",
        "device_hours": short(wall_s * devices / _HOUR_S),
        "training_kwh": short(result.training_energy.kwh) if result else None,
        "evaluation_kwh": short(result.evaluation_energy.kwh) if result else None,
        "counted": result.training_energy.counted if result else "",
    }


def _total(values: Iterable[float | None]) -> float:
    return float(sum(value for value in values if value is not None))
