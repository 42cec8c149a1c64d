"""The typed plan of a run."""

import json
import re

import pytest

from raysed.run.run_plan import RunPlan
from raysed.storage.folder import Folder

PLAN = {
    "space": "s",
    "seeds": [0, 3],
    "cells": [
        {"id": "a", "table": "1", "column": "A", "training": "t", "xvalid": "dry",
         "evaluation": ["val", "eval"], "published": {"val": {"event_f1": 0.3, "psds": None}}},
        {"id": "b", "table": "2", "column": "B", "training": "t", "xvalid": "rir", "evaluation": ["val"]},
    ],
    "bootstrap_draws": 200,
    "trainings": [{"id": "t", "cells": ["a", "b"], "config": {"schedule": {"epochs": 7}}}],
    "trials": 2,
}  # fmt: skip


def stored(tmp_path, **changes):
    run = Folder(str(tmp_path))
    run.write("plan.json", json.dumps(PLAN | changes).encode())
    return run


def test_what_a_plan_answers(tmp_path):
    plan = RunPlan.require(stored(tmp_path))
    assert plan.evaluations == ("val", "eval")
    assert plan.cells_of("t") == ["a", "b"] and plan.trial_names("t") == ["t-seed0", "t-seed3"]
    assert plan.training("t").epochs == 7
    a, b = plan.cell("a"), plan.cell("b")
    assert a.published_value("val", "event_f1") == 0.3
    assert a.published_value("val", "psds") is None is b.published_value("eval", "psds")


def test_it_is_read_as_it_is_written_and_plans_from_before_have_defaults(tmp_path):
    plan = RunPlan.require(stored(tmp_path))
    assert (plan.job, plan.claims, plan.recorded_root, plan.resources_per_trial) == (
        None,
        (),
        None,
        {},
    )
    plan.write(Folder(str(tmp_path / "other")))
    assert RunPlan.read(Folder(str(tmp_path / "other"))) == plan


def test_no_plan_is_none_or_refused(tmp_path):
    run = Folder(str(tmp_path))
    assert RunPlan.read(run) is None
    with pytest.raises(
        ValueError, match=r"holds no plan\.json of a run: no run folder, or its data"
    ):
        RunPlan.require(run)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": "0"}, "plan.json: seeds: "),
        ({"trainings": [{"id": "t"}]}, "plan.json: trainings[0].config: missing"),
        ({"cells": [{"id": "a"}]}, "plan.json: cells[0].table: missing"),
        ({"claims": [{"id": "K1"}]}, "plan.json: claims[0].text: missing"),
    ],
)
def test_an_edited_plan_is_refused_with_file_and_key(tmp_path, changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        RunPlan.require(stored(tmp_path, **changes))
