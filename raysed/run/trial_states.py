"""The state of each trial of a run: finished, failed with a reason, or the number of epochs so far."""

from dataclasses import dataclass
from typing import Any

from raysed.storage.folder import Folder
from raysed.storage.json_file import read_json


@dataclass(frozen=True)
class TrialState:
    """One training with one seed."""

    name: str
    """Its folder under `trials/`."""
    state: str
    """finished, failed, stopped (by a search), unfinished or not started."""
    note: str = ""
    """The reason of a failure, or the epochs so far."""

    @property
    def brief(self) -> str:
        """Return what a table shows instead of a seed's value: `failed`, `stopped`, `epoch 12` or `-`."""
        if self.state == "unfinished":
            return self.note.split("/")[0]
        return "-" if self.state == "not started" else self.state


def trial_name(training: str, seed: int) -> str:
    """`<training>-seed<N>`: the folder's name."""
    return f"{training}-seed{seed}"


def read_trials(run: Folder, plan: dict[str, Any]) -> dict[str, TrialState]:
    """Return the state of every trial of the plan, by its name."""
    found = {}
    for training in plan["trainings"]:
        epochs = training["config"].get("schedule", {}).get("epochs")
        for seed in plan["seeds"]:
            name = trial_name(training["id"], seed)
            found[name] = _state(run.child(f"trials/{name}"), name, epochs)
    return found


def _state(trial: Folder, name: str, epochs: int | None) -> TrialState:
    if trial.read("result.json") is not None:
        return TrialState(name, "finished")
    lines = (trial.read("progress.jsonl") or b"").splitlines()
    so_far = f"epoch {len(lines)}" + (f"/{epochs}" if epochs else "")
    if trial.read("stopped.json") is not None:
        return TrialState(name, "stopped", so_far)
    failed = read_json(trial, "failed.json")
    if failed is not None:
        return TrialState(name, "failed", failed["reason"])
    return TrialState(name, "unfinished", so_far) if lines else TrialState(name, "not started")
