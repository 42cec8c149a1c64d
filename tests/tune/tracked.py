"""What trackers wrote, read back; and plans of trials whose epochs are made up."""

import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from raysed.run.folders import TrialFolder
from raysed.storage.folder import Folder
from tests.training.tiny import trial

VARIABLES = ("WANDB_MODE", "WANDB_DIR", "WANDB_PROJECT", "MLFLOW_TRACKING_URI")


def own_environment(monkeypatch: pytest.MonkeyPatch, **given: str) -> None:
    """An environment that says nothing of trackers but what is given; put back after the test."""
    for name in (*VARIABLES, "WANDB_ERROR_REPORTING", "WANDB_SILENT", "MLFLOW_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)


def made_up_trial(run: Path, name: str = "a-seed0") -> SimpleNamespace:
    """What is looked at of a TrialPlan."""
    out = TrialFolder(Folder(str(run / "trials" / name)))
    training = SimpleNamespace(trial=trial(), cells={"all": ("validation",)})
    return SimpleNamespace(name=name, label="all seed 0", seed=0, out=out, training=training)


def write_epochs(plan: SimpleNamespace, count: int) -> None:
    """Its record: losses 1, 1/2, 1/4 and so on."""
    lines = [{"epoch": n, "loss": 0.5**n, "xvalid_f1": {"dry": n / 8}} for n in range(count)]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    plan.out.folder.write("progress.jsonl", text.encode())


def losses_in_wandb(run: Path) -> list[list[tuple[int, float]]]:
    """The steps and losses of each run of W&B, once its process has closed them, which `finish` does not wait for."""
    deadline = time.monotonic() + 60
    while True:
        paths = sorted(run.glob("wandb/offline-run-*/run-*.wandb"))
        records = [list(_records(path.read_bytes())) for path in paths]
        if records and all(any(r.HasField("exit") for r in each) for each in records):
            return [[point for r in each for point in _points(r)] for each in records]
        assert time.monotonic() < deadline, "W&B did not close its files"
        time.sleep(0.05)


def _records(content: bytes) -> Iterator[Any]:
    """A log in LevelDB's format behind seven bytes: checksum, length, kind, content."""
    pb = pytest.importorskip("wandb.proto.wandb_internal_pb2")
    assert len(content) < 32_000, "more than one block"
    content = content[7:]
    while len(content) > 7:
        length, kind = struct.unpack("<HB", content[4:7])
        assert kind == 1, "a record that goes on in the next block"
        yield pb.Record.FromString(content[7 : 7 + length])
        content = content[7 + length :]


def _points(record: Any) -> Iterator[tuple[int, float]]:
    for item in record.history.item:
        if [*item.nested_key, item.key][0] == "loss":
            yield record.history.step.num, json.loads(item.value_json)


def losses_in_mlflow(run: Path, space: str) -> dict[str, list[tuple[int, float]]]:
    """The steps and losses of each run of MLflow, by name and state."""
    mlflow = pytest.importorskip("mlflow")
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{run}/mlflow.db")
    experiment = client.get_experiment_by_name(space)
    return {
        f"{each.info.run_name} {each.info.status}": [
            (point.step, point.value)
            for point in client.get_metric_history(each.info.run_id, "loss")
        ]
        for each in client.search_runs([experiment.experiment_id])
    }
