"""The trials that a space asks for, and what they need; nothing runs here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raysed.config.space import ResolvedSpace, Training
from raysed.storage.folder import Folder


@dataclass(frozen=True)
class TrialPlan:
    """One training with one seed, and its folder."""

    training: Training
    seed: int
    out: Folder

    @property
    def name(self) -> str:
        """Return the folder's name, `<training>-seed<N>`."""
        return f"{self.training.id}-seed{self.seed}"

    @property
    def finished(self) -> bool:
        """Tell whether the trial's result is stored."""
        return self.out.read("result.json") is not None

    @property
    def label(self) -> str:
        """Return a name of the trial for people: its cells and seed."""
        return f"{'/'.join(self.training.cells)} seed {self.seed}"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: `1 trial`, `2 trials`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def plan_trials(resolved: ResolvedSpace, run: Folder) -> list[TrialPlan]:
    """List trainings x seeds, seed by seed, so that a run cut short has whole grids of the first seeds."""
    return [
        TrialPlan(training, seed, run.child(f"trials/{training.id}-seed{seed}"))
        for seed in resolved.space.seeds
        for training in resolved.trainings
    ]


def refusals(resolved: ResolvedSpace, clips: dict[str, int]) -> list[str]:
    """Return what cannot be trained with data sets of these numbers of clips, a line for each fault."""
    faults = []
    for training in resolved.trainings:
        trial, cells = training.trial, ", ".join(training.cells)
        if trial.shares.total < resolved.space.resources.workers:
            faults.append(
                f"cell {cells}: {resolved.space.resources.workers} workers for batches of"
                f" {trial.shares.total} clips"
            )
        for subset, name in trial.used_subsets().items():
            share = getattr(trial.shares, subset)
            if clips[name] < share:
                faults.append(
                    f"cell {cells}: shares.{subset} is {share}, but {name} holds {clips[name]} clips"
                )
        for name in trial.set_names():
            if not clips[name]:
                faults.append(f"cell {cells}: {name} holds no clips")
    return faults


def describe(
    resolved: ResolvedSpace, data_sets: dict[str, dict[str, Any]], concurrent_trials: int
) -> dict[str, Any]:
    """Return the content of `plan.json`: cells, claims, trainings, data sets and resources."""
    space, recorded = resolved.space, resolved.job.roots.recorded
    return {
        "space": space.name,
        "job": resolved.job.name,
        "seeds": list(space.seeds),
        "cells": [
            {
                "id": cell.id,
                "table": cell.table,
                "column": cell.column,
                "training": resolved.training_of(cell.id).id,
                "xvalid": cell.xvalid,
                "evaluation": list(resolved.training_of(cell.id).cells[cell.id]),
                "published": {
                    name: metrics.model_dump(mode="json")
                    for name, metrics in cell.published.items()
                },
            }
            for cell in space.cells
        ],
        "contrasts": [contrast.model_dump(mode="json") for contrast in space.contrasts],
        "claims": [claim.model_dump(mode="json") for claim in space.claims],
        "search": space.search.model_dump(mode="json") if space.search else None,
        "bootstrap_draws": space.bootstrap_draws,
        "trainings": [
            {"id": t.id, "cells": list(t.cells), "config": t.trial.model_dump(mode="json")}
            for t in resolved.trainings
        ],
        "trials": len(resolved.trainings) * len(space.seeds),
        "datasets": [{"name": name, **about} for name, about in data_sets.items()],
        # Absolute, so that a report finds recordings from whatever folder it is called in.
        "recorded_root": str(Path(recorded).absolute()) if recorded else None,
        "resources_per_trial": space.resources.model_dump(mode="json"),
        "concurrent_trials": concurrent_trials,
    }
