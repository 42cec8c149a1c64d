"""A trial as a run of MLflow: in a database beside the trials, unless the user's own environment names a server."""

import importlib
import logging
import os
import re
import time
from typing import Any

from raysed.run.folders import MLFLOW

URI = "MLFLOW_TRACKING_URI"
_ID = "raysed.id"
_LONGEST_KEY, _LONGEST_VALUE = 250, 6000
"""Characters of a parameter's name and value that MLflow takes."""


class MlflowRuns:
    """The runs of one space, in the experiment of its name: RUN/mlflow.db, or MLFLOW_TRACKING_URI."""

    modules = ("mlflow", "sqlalchemy", "alembic")
    """The packages that have to be installed."""

    def __init__(self, place: str | None, space: str) -> None:
        # MLflow tells its makers how it is used, unless it is told not to.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        self.mlflow: Any = importlib.import_module("mlflow")
        self.entities: Any = importlib.import_module("mlflow.entities")
        for name in ("mlflow", "alembic"):  # not before the import, which sets it, too
            logging.getLogger(name).setLevel(logging.WARNING)
        uri = os.environ.get(URI)
        self.client = self.mlflow.MlflowClient(tracking_uri=uri or f"sqlite:///{place}/{MLFLOW}")
        artifacts = None if uri else f"{place}/mlflow-artifacts"
        found = self.client.get_experiment_by_name(space)
        self.experiment = (
            found.experiment_id if found else self.client.create_experiment(space, artifacts)
        )

    @staticmethod
    def needs_a_local_folder() -> bool:
        """Tell whether runs are written beside the trials."""
        return not os.environ.get(URI)

    def open(self, id: str, name: str, config: dict[str, Any]) -> "MlflowRun":
        """Begin the run of this id, or go on in it; `config` is what it is described by."""
        query = f"tags.`{_ID}` = '{id}'"
        found = self.client.search_runs([self.experiment], filter_string=query)
        if found:
            run = found[0].info.run_id
            self.client.update_run(run, status="RUNNING")
            return MlflowRun(self, run, len(self.client.get_metric_history(run, "epoch")))
        made = self.client.create_run(self.experiment, run_name=name, tags={_ID: id})
        run = made.info.run_id
        params = [self.entities.Param(key, value) for key, value in _parameters(config).items()]
        for start in range(0, len(params), 100):  # as many as MLflow takes at once
            self.client.log_batch(run, params=params[start : start + 100])
        return MlflowRun(self, run, 0)


class MlflowRun:
    """One trial's run, open."""

    def __init__(self, runs: MlflowRuns, run: str, epochs: int) -> None:
        self.runs, self.run = runs, run
        self.epochs = epochs
        """The epochs that it holds."""

    def log(self, metrics: dict[str, float]) -> None:
        """Write one more epoch."""
        now_ms = int(time.time() * 1000)
        made = [
            self.runs.entities.Metric(key, value, now_ms, self.epochs)
            for key, value in metrics.items()
        ]
        self.runs.client.log_batch(self.run, metrics=made)
        self.epochs += 1

    def end(self, state: str) -> None:
        """Close it: FINISHED, FAILED or KILLED."""
        self.runs.client.set_terminated(self.run, status=state)


def _parameters(config: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested settings as `model.gru_units: 128`, in characters and lengths that MLflow takes."""
    found = {}
    for key, value in config.items():
        name = prefix + re.sub(r"[^\w. /-]", "_", key)
        if isinstance(value, dict) and value:
            found |= _parameters(value, f"{name}.")
        else:
            found[name[:_LONGEST_KEY]] = str(value)[:_LONGEST_VALUE]
    return found
