"""Cells that hold predictions of systems from elsewhere: what is read, and what is refused with its place."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from raysed.config.external import PredictionFiles
from raysed.config.fault import ConfigError
from raysed.config.space import ResolvedSpace, read_space
from raysed.config.table import Cell
from raysed.run.run_plan import external_id
from tests.config.test_space import BASE, JOB, cell
from tests.paths import ROOT


@pytest.fixture
def space_with(tmp_path: Path):
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(JOB, sort_keys=False))
    (tmp_path / "points").mkdir()
    (tmp_path / "one.tsv").write_text("filename\tonset\toffset\tevent_label\n")

    def resolve(predictions: dict, others: list | None = None, **change) -> ResolvedSpace:
        external = {"id": "theirs", "table": "1", "column": "theirs", "predictions": predictions}
        space = {
            "name": "tiny",
            "data_job": str(tmp_path / "job.yaml"),
            "run": str(tmp_path / "run"),
            "seeds": [0, 1],
            "base": BASE,
            "cells": [*([cell("a")] if others is None else others), external],
            **change,
        }
        (tmp_path / "space.yaml").write_text(yaml.safe_dump(space, sort_keys=False))
        return read_space(tmp_path / "space.yaml")

    return resolve


def test_a_cell_of_predictions_trains_nothing(space_with, tmp_path: Path) -> None:
    points = str(tmp_path / "points")
    resolved = space_with({"validation": points}, contrasts=[{"cell": "a", "against": "theirs"}])
    assert [tuple(training.cells) for training in resolved.trainings] == [("a",)]
    (theirs,) = resolved.external
    assert theirs.predictions == {"validation": PredictionFiles(path=points)}
    alone = space_with({"validation": points}, others=[])
    assert (alone.trainings, alone.data_sets()) == ((), ("validation",))


def test_detections_may_stand_beside_operating_points(space_with, tmp_path: Path) -> None:
    both = {"path": str(tmp_path / "points"), "detections": str(tmp_path / "one.tsv")}
    (theirs,) = space_with({"validation": both}).external
    assert theirs.predictions["validation"].files == both


def test_a_training_keeps_its_id_beside_predictions(space_with, tmp_path: Path) -> None:
    """Cells of predictions stand between trained ones."""
    points = {"validation": str(tmp_path / "points")}
    alone = space_with(points, others=[cell("a"), cell("b", teacher={"snr_db": None})])
    ids = {name: t.id for t in alone.trainings for name in t.cells}
    first = {"id": "x", "table": "1", "column": "x", "predictions": points}
    mixed = space_with(points, others=[first, cell("b", teacher={"snr_db": None}), cell("a")])
    assert {name: t.id for t in mixed.trainings for name in t.cells} == ids


@pytest.mark.parametrize(
    ("predictions", "message"),
    [
        ({"validation": "nowhere"}, "predictions.validation.path: nowhere: no such file or folder"),
        ({"public": "."}, "predictions.public: the data job tiny has no such set (it has train"),
        ({"weak": "."}, "predictions.weak: this set has no strong labels to score against"),
        (
            {"validation": {"path": ".", "detections": "."}},
            "predictions.validation.detections: .: a folder, expected a TSV of events",
        ),
        ({"validation": {"folder": "."}}, "folder: unknown key"),
    ],
)
def test_faults_have_their_place(space_with, predictions: dict, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        space_with(predictions)
    assert any(message in fault and "space.yaml:" in fault for fault in error.value.faults)


def test_changes_of_predictions_are_refused(space_with, tmp_path: Path) -> None:
    points = str(tmp_path / "points")
    with pytest.raises(ConfigError, match="cell theirs holds predictions, which nothing changes"):
        space_with({"validation": points}, change={"theirs": {"schedule": {"epochs": 1}}})


def test_claims_may_be_about_sets_that_only_predictions_have(space_with, tmp_path: Path) -> None:
    points = str(tmp_path / "points")
    pair = {"cell": "theirs", "against": "a", "expect": "higher"}
    claim = {"id": "c", "text": "c", "evaluation": "dry", "comparisons": [pair]}
    assert space_with({"dry": points}, claims=[claim]).space.claims
    with pytest.raises(ConfigError, match="evaluation dry is no set that a cell is evaluated on"):
        space_with({"validation": points}, claims=[claim])


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"xvalid": "dry", "predictions": {"validation": "."}},
        {"predictions": {"validation": "."}, "set": {"schedule": {"epochs": 1}}},
    ],
)
def test_a_cell_is_a_training_or_predictions(more: dict) -> None:
    with pytest.raises(ValidationError, match=r"give either xvalid|set changes a training"):
        Cell.model_validate({"id": "a", "table": "1", "column": "a", **more})


def test_a_plan_is_made_without_predictions_that_are_not_there(space_with, tmp_path, monkeypatch):
    """The official baseline's public predictions are a folder of the user's."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DCASE2020_BASELINE", str(tmp_path))
    unset: list = []
    resolved = read_space("tune_spaces/official_baseline.yaml", unset=unset)
    absent = [str(fault) for fault in unset if fault.key[0] == "cells"]
    assert len(absent) == 2 and all("official_baseline.yaml:" in line for line in absent)
    assert f"predictions.val.path: {tmp_path}/predictions: no such file or folder" in absent[0]
    assert external_id(resolved.external[0]) == "absent"
    (tmp_path / "predictions").mkdir()
    (tmp_path / "predictions_default_threshold.tsv").write_text(
        "filename\tonset\toffset\tevent_label\n"
    )
    unset.clear()
    resolved = read_space("tune_spaces/official_baseline.yaml", unset=unset)
    assert not [fault for fault in unset if fault.key[0] == "cells"]
    assert external_id(resolved.external[0]) != "absent"
    # Its trainings are those of the ablation, so that results are shared.
    whole = read_space("tune_spaces/ablation.yaml", unset=[])
    ids = {whole.training_of(cell).id for cell in ("T6-01", "DCASE2020")}
    assert {training.id for training in resolved.trainings} == ids
