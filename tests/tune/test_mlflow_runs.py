"""A trial as a run of MLflow, with the package itself, in a database beside the trials."""

import os
from pathlib import Path

import pytest

from raysed.tune.mlflow_runs import MlflowRuns, _parameters
from tests.tune.tracked import losses_in_mlflow, own_environment


def test_a_run_goes_on_with_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow")
    own_environment(monkeypatch)
    runs = MlflowRuns(str(tmp_path), "space")
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    run = runs.open("abc", "all seed 0", {"model": {"gru_units": 4}, "seed": 3})
    run.log({"epoch": 0, "loss": 1.0, "xvalid_f1/dry": 0.5})
    run.end("KILLED")
    again = MlflowRuns(str(tmp_path), "space").open("abc", "all seed 0", {})
    assert (again.run, again.epochs) == (run.run, 1)
    again.log({"epoch": 1, "loss": 0.5})
    assert losses_in_mlflow(tmp_path, "space") == {"all seed 0 RUNNING": [(0, 1.0), (1, 0.5)]}
    again.end("FINISHED")
    other = runs.open("def", "all seed 1", {})
    assert other.run != run.run
    other.end("FAILED")
    states = {"all seed 0 FINISHED": [(0, 1.0), (1, 0.5)], "all seed 1 FAILED": []}
    assert losses_in_mlflow(tmp_path, "space") == states
    stored = runs.client.get_run(run.run)
    assert stored.data.params == {"model.gru_units": "4", "seed": "3"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlflow.db"]


def test_parameters_are_flat_and_as_long_as_mlflow_takes_them() -> None:
    given = {"a": {"b": [1, 2], "c": {}}, "weights": {"Dog (bark)": 0.5}, "long": "x" * 9000}
    found = _parameters(given)
    assert found.pop("long") == "x" * 6000
    assert found == {"a.b": "[1, 2]", "a.c": "{}", "weights.Dog _bark_": "0.5"}


def test_a_server_of_ones_own_needs_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    own_environment(monkeypatch)
    assert MlflowRuns.needs_a_local_folder()
    own_environment(monkeypatch, MLFLOW_TRACKING_URI="http://127.0.0.1:5000")
    assert not MlflowRuns.needs_a_local_folder()
