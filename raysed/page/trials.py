"""The course of every trial of a run: its state, its curves and its cost; half-finished trials included."""

import json
import math
from collections.abc import Iterable
from typing import Any

from raysed.report.report import Report
from raysed.run.trial_states import TrialState, trial_name
from raysed.storage.folder import Folder
from raysed.storage.json_file import read_json

TERMS = ("loss", "strong", "weak", "consistency_strong", "consistency_weak")
"""Terms of the training loss, as in `progress.jsonl`."""
_HOUR_S = 3600.0


def short(value: float | None, digits: int = 4) -> float | None:
    """Round a number to so many significant digits; None for what JSON cannot hold (NaN, infinity)."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{digits}g}")


def trials_of(report: Report) -> list[dict[str, Any]]:
    """Return every training and seed of the plan, in its order."""
    return [
        _trial(
            report.run, report.plan, training, seed, report.trials[trial_name(training["id"], seed)]
        )
        for training in report.plan["trainings"]
        for seed in report.plan["seeds"]
    ]


def _trial(
    run: Folder, plan: dict[str, Any], training: dict[str, Any], seed: int, state: TrialState
) -> dict[str, Any]:
    """Return one trial with what it has written so far."""
    folder = run.child(f"trials/{state.name}")
    result, epochs = read_json(folder, "result.json"), read_progress(folder)
    return {
        "name": state.name,
        "training": training["id"],
        "cells": [cell["id"] for cell in plan["cells"] if cell["training"] == training["id"]],
        "seed": seed,
        "state": state.state,
        "note": state.note,
        "epochs": len(epochs),
        "epochs_planned": training["config"].get("schedule", {}).get("epochs"),
        "losses": losses(epochs),
        "xvalid": xvalid_curves(epochs),
        "network": training["config"].get("selection", {}).get("network", "student"),
        "selected": (result or {}).get("selected", {}),
        "cost": cost(epochs, result, plan.get("resources_per_trial", {})),
    }


def read_progress(folder: Folder) -> list[dict[str, Any]]:
    """Read the epochs in `progress.jsonl`; none where there is none yet. Raises ValueError where it is not
    JSON.
    """
    text = (folder.read("progress.jsonl") or b"").decode()
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except json.JSONDecodeError as error:
        raise ValueError(f"{folder.url}/progress.jsonl: not JSON lines ({error})") from error


def losses(epochs: list[dict[str, Any]]) -> dict[str, list[float | None]]:
    """Return the mean of each term over each epoch's steps; terms that are never more than 0 are left out."""
    found = {term: [short(epoch.get(term)) for epoch in epochs] for term in TERMS}
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
    epochs: list[dict[str, Any]], result: dict[str, Any] | None, resources: dict[str, Any]
) -> dict[str, Any]:
    """Return seconds, device-hours and speed of one trial; `device` is the kind of device that the hours
    count.
    """
    train_s = _total(epoch.get("train_s") for epoch in epochs)
    xvalid_s = _total(epoch.get("xvalid_s") for epoch in epochs)
    evaluation_s = (result or {}).get("evaluation_seconds") or 0.0
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
    }


def _total(values: Iterable[float | None]) -> float:
    return float(sum(value for value in values if value is not None))
