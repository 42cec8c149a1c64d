"""The post-processing of a cell: what it may say, what it is called, and that it costs no training."""

from typing import get_args

import pytest

from raysed.config.cell_postprocessing import CellPostProcessing
from raysed.config.fault import ConfigError
from raysed.config.reader import validate
from raysed.config.space import read_space
from raysed.config.table import Cell
from raysed.evaluation.postprocessing.methods import METHODS
from raysed.evaluation.postprocessing.setting_search import GOALS
from tests.paths import ROOT


def cell(**more):
    given = {"id": "a", "table": "1", "column": "a", "xvalid": "dry", **more}
    return validate(given, Cell, source="s.yaml")


def test_a_text_is_the_method_alone():
    assert cell(postprocessing="raw").postprocessing == CellPostProcessing(method="raw")
    assert not cell().postprocessing_differs
    assert not cell(postprocessing="median").postprocessing_differs
    assert cell(postprocessing="boxes").postprocessing_differs


def test_it_is_read_as_a_plan_stores_it():
    for method in METHODS:
        found = CellPostProcessing(method=method)
        assert CellPostProcessing.model_validate(found.model_dump(mode="json")) == found


def test_names_say_all_that_differs():
    assert CellPostProcessing(method="median").name == ""
    assert CellPostProcessing(method="raw").name == "raw"
    boxes = CellPostProcessing(method="boxes", tuned_for="psds1", tuned_on="evaluation")
    assert boxes.name == "boxes-psds1-evaluation"


def test_methods_and_goals_are_those_that_are_searched():
    fields = CellPostProcessing.model_fields
    assert set(get_args(fields["method"].annotation)) == set(METHODS)
    assert get_args(fields["tuned_for"].annotation) == GOALS
    tuned = {name for name, method in METHODS.items() if method.tuned}
    assert {name for name in METHODS if CellPostProcessing(method=name).is_tuned} == tuned


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "raw", "tuned_for": "psds1"}, "nothing is tuned in raw: leave out tuned_for"),
        ("smooth", "postprocessing"),
        ({"method": "boxes", "tuned_on": "val"}, "tuned_on"),
    ],
)
def test_what_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        cell(postprocessing=given)


def test_predictions_from_elsewhere_have_none():
    with pytest.raises(ConfigError, match="raysed postprocess --scores"):
        cell(xvalid=None, predictions={"val": "P"}, postprocessing="raw")


def test_cells_that_differ_in_it_share_their_training(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DESED", "d")
    other = read_space("tune_spaces/postprocessing.yaml", unset=[])
    (training,) = other.trainings
    assert len(training.cells) == len(other.space.cells) == 7
    ablation = read_space("tune_spaces/ablation.yaml", unset=[])
    assert training.id == ablation.training_of("B").id
