"""What stands in the way of a tracker is told before work."""

from types import SimpleNamespace

import pytest

from raysed.storage.folder import Folder
from raysed.tune import trackers
from raysed.tune.trackers import tracking_faults
from tests.tune.tracked import own_environment

BOTH = SimpleNamespace(trackers=("wandb", "mlflow"))


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    own_environment(monkeypatch)
    monkeypatch.setattr(trackers, "find_spec", lambda name: None if name == "alembic" else name)
    (fault,) = tracking_faults(BOTH, Folder("runs/demo"))
    assert fault.startswith("trackers: mlflow: no module named alembic; `raysed tune` needs more")
    assert "'raysed[tune,tracking]'" in fault
    assert [*tracking_faults(SimpleNamespace(trackers=()), Folder("s3://bucket/run"))] == []


def test_a_far_run_needs_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda name: name)
    own_environment(monkeypatch, WANDB_MODE="online")
    (fault,) = tracking_faults(BOTH, Folder("s3://bucket/run"))
    assert fault.startswith("trackers: mlflow writes to a local folder, and s3://bucket/run is")
    own_environment(monkeypatch, MLFLOW_TRACKING_URI="http://127.0.0.1:5000")
    (fault,) = tracking_faults(BOTH, Folder("s3://bucket/run"))
    assert fault.startswith("trackers: wandb writes to a local folder")
