"""A trial as a run of Weights & Biases, on disk only unless the user's own environment says otherwise.

Offline, W&B cannot go on in a run: its folder is written anew, with every epoch so far. So there is one folder to a
trial, which `wandb sync` sends. Online, the run on the server goes on.
"""

import importlib
import os
import shutil
from pathlib import Path
from typing import Any

MODE = "WANDB_MODE"
_PLACE = "WANDB_DIR"
_QUIET = {"WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true"}
"""Without them W&B reports its own errors to its makers, and prints a banner for every run."""


class WandbRuns:
    """The runs of one space, in the project of its name: RUN/wandb, or WANDB_DIR."""

    modules = ("wandb",)
    """The packages that have to be installed."""

    def __init__(self, place: str | None, space: str) -> None:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        self.wandb: Any = importlib.import_module("wandb")
        self.mode = os.environ.get(MODE) or "offline"
        self.place = os.environ.get(_PLACE) or place
        self.project = os.environ.get("WANDB_PROJECT") or space

    @staticmethod
    def needs_a_local_folder() -> bool:
        """Tell whether runs are written beside the trials."""
        return not os.environ.get(_PLACE) and (os.environ.get(MODE) or "offline") == "offline"

    def open(self, id: str, name: str, config: dict[str, Any]) -> "WandbRun":
        """Begin the run of this id, or go on in it; `config` is what it is described by."""
        offline = self.mode == "offline"
        if offline and self.place:
            _remove(Path(self.place) / "wandb", id)
        run = self.wandb.init(
            mode=self.mode, dir=self.place, project=self.project, id=id, name=name, config=config,
            resume=None if offline else "allow",
            reinit="create_new",  # trials that train at once have a run each
            # The driver's output and load are not those of the trial.
            settings=self.wandb.Settings(console="off", x_disable_stats=True),
        )  # fmt: skip
        return WandbRun(run)


class WandbRun:
    """One trial's run, open."""

    def __init__(self, run: Any) -> None:
        self.run = run
        self.epochs = int(run.starting_step)
        """The epochs that it holds."""

    def log(self, metrics: dict[str, float]) -> None:
        """Write one more epoch."""
        # Else W&B keeps it back until the next one.
        self.run.log(metrics, step=self.epochs, commit=True)
        self.epochs += 1

    def end(self, state: str) -> None:
        """Close it: FINISHED, FAILED or KILLED."""
        self.run.finish(exit_code=int(state != "FINISHED"))


def _remove(folder: Path, id: str) -> None:
    """Remove what an earlier process wrote of a run: its epochs stand in the trial's folder."""
    for path in folder.glob(f"offline-run-*-{id}"):
        shutil.rmtree(path)
