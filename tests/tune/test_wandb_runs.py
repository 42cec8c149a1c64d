"""A trial as a run of W&B, with the package itself, offline."""

import os
from pathlib import Path

import pytest

from raysed.tune.wandb_runs import WandbRuns
from tests.tune.tracked import losses_in_wandb, own_environment


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WandbRuns:
    pytest.importorskip("wandb")
    own_environment(monkeypatch)
    return WandbRuns(str(tmp_path), "space")


def test_a_run_that_goes_on_is_one_folder_with_all_epochs(runs: WandbRuns, tmp_path: Path) -> None:
    assert runs.mode == "offline"
    run = runs.open("abc", "all seed 0", {"model": {"gru_units": 4}})
    run.log({"epoch": 0, "loss": 1.0})
    run.end("KILLED")
    again = runs.open("abc", "all seed 0", {"model": {"gru_units": 4}})
    assert again.epochs == 0  # all of it is to be written once more
    for epoch, loss in enumerate((1.0, 0.5)):
        again.log({"epoch": epoch, "loss": loss})
    again.end("FINISHED")
    assert losses_in_wandb(tmp_path) == [[(0, 1.0), (1, 0.5)]]


def test_runs_are_open_side_by_side(runs: WandbRuns, tmp_path: Path) -> None:
    one, two = (runs.open(id, id, {}) for id in ("one", "two"))
    one.log({"loss": 1.0})
    two.log({"loss": 0.25})
    one.log({"loss": 0.5})
    one.end("FINISHED")
    two.end("FINISHED")
    assert sorted(losses_in_wandb(tmp_path)) == [[(0, 0.25)], [(0, 1.0), (1, 0.5)]]


def test_the_users_own_environment_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    own_environment(monkeypatch)
    assert WandbRuns.needs_a_local_folder()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    own_environment(
        monkeypatch, WANDB_MODE="disabled", WANDB_DIR=str(elsewhere), WANDB_PROJECT="mine"
    )
    assert not WandbRuns.needs_a_local_folder()
    runs = WandbRuns(None, "space")
    assert (runs.mode, runs.place, runs.project) == ("disabled", str(elsewhere), "mine")
    run = runs.open("abc", "name", {})
    run.log({"loss": 1.0})
    run.end("FINISHED")
    assert [*elsewhere.rglob("*.wandb")] == []


def test_its_makers_hear_nothing(runs: WandbRuns, tmp_path: Path) -> None:
    assert os.environ["WANDB_ERROR_REPORTING"] == "false"
    run = runs.open("abc", "name", {})
    settings = run.run.settings
    run.end("FINISHED")
    assert settings.mode == "offline" and settings.x_disable_stats
    assert settings.console == "off"
