"""Tuned post-processings in a report: columns of one training, and what tuning on the test set would have claimed."""

import json

import pandas as pd
import pytest

from raysed.evaluation.counts.statistics import Parameters, collect
from raysed.page.content import page_content
from raysed.report.optimism import optimism_lines
from raysed.report.report import write_report
from raysed.run.postprocessing_record import FORMAT, PostProcessingRecord
from raysed.run.run_plan import RunPlan
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json
from tests.report.made_up import cell, changed_plan, plan_of, put, reference, system, write_trial

BOXES = {"method": "boxes", "tuned_for": "psds1", "tuned_on": "evaluation"}
NAME = "boxes-psds1-evaluation"


def write_column(run, training, seed, name, hits):
    trial = run.child(f"trials/{training}-seed{seed}")
    truth = reference(0)
    for stem, found in ((name, hits), (f"{name}-fitted", hits + 2)):
        events = system(truth, found, seed)
        counted = collect(truth, events, {0.25: events, 0.75: events}, parameters=Parameters())
        put(trial, f"statistics/val.dry.{stem}.npz", counted)
    record = PostProcessingRecord(format=FORMAT, name=name, scores={})
    record.write(trial, "val", "dry", {})


@pytest.fixture
def run(tmp_path):
    """One training of two seeds as two cells: as trained it finds 20 of 40 events, its boxes 30; fitted, 32."""
    folder = Folder(str(tmp_path / "run"))
    cells = [cell("own", "g"), cell("boxes", "g") | {"postprocessing": BOXES}]
    plan = plan_of(cells, contrasts=[("boxes", "own")])
    write_json(folder, "plan.json", plan)
    for seed in (0, 1):
        write_trial(folder, "g", 20, seed)
        write_column(folder, "g", seed, NAME, 30)
    return folder


def test_columns_of_one_training(run):
    report = write_report(run)
    value = {each.cell: each.value for each in report.cells if each.metric == "event_f1"}
    assert value["own"] < value["boxes"]
    (difference,) = (c for c in report.contrasts if c.metric == "event_f1")
    assert difference.difference == pytest.approx(value["boxes"] - value["own"])
    assert (difference.family, difference.outcome) == (1, "higher")
    assert {check.cell for check in [*report.checks, *report.above]} == {"own"}
    frame = pd.read_parquet(f"{run.url}/results.parquet")
    assert sorted(frame.cell) == ["boxes", "boxes", "own", "own"] and frame.training.nunique() == 1
    rows = page_content(report)["selection"]
    assert len(rows) == 2 and all(row["cells"] == ["own"] for row in rows)


def test_what_tuning_on_the_test_set_would_have_claimed(run):
    report = write_report(run)
    found = {each.metric: each for each in report.optimism}
    assert [*found] == ["event_f1", "psds"]
    f1 = found["event_f1"]
    assert (f1.cell, f1.method, f1.tuned_for, f1.how) == ("boxes", "boxes", "psds1", "cross-fitted")
    value = next(c for c in report.cells if (c.cell, c.metric) == ("boxes", "event_f1")).value
    assert f1.value == pytest.approx(value) and f1.optimism > 0
    text = "\n".join(report.lines)
    assert f"{100 * f1.claimed:.1f}" in text and "not a result" in text
    assert run.read("tables/postprocessing.md").decode() == "\n".join(
        optimism_lines(report.optimism)
    )
    assert json.loads(json.dumps(report.as_json()["postprocessing"]))[0]["optimism"] > 0


def test_a_column_that_is_not_made_yet_is_a_hole(run, tmp_path):
    (tmp_path / f"run/trials/g-seed1/postprocessing/val.dry.{NAME}.json").unlink()
    report = write_report(run)
    seeds = {each.cell: each.seeds for each in report.cells if each.metric == "event_f1"}
    assert seeds == {"own": 2, "boxes": 1}


def test_runs_without_tuned_cells_say_nothing_of_it(run):
    plain = changed_plan(run, cells=[cell("own", "g")], contrasts=[])
    plain.write(run)
    report = write_report(run)
    assert report.optimism == [] and optimism_lines([]) == []
    assert run.read("tables/postprocessing.md") is None
    assert RunPlan.require(run).cells[0].system == ("g", "dry", "")
