"""Predictions of systems that are not trained here, beside trainings: tables, contrasts, claims, page."""

import io
import json

import pandas as pd
import pytest

from raysed.evaluation.counts.statistics import collect
from raysed.evaluation.intervals.bootstrap import interval
from raysed.evaluation.metrics.registry import METRICS
from raysed.page.content import page_content
from raysed.report.report import Report, write_report
from raysed.run.folders import external_file
from raysed.storage.json_file import write_json
from tests.report.made_up import cell, claim, plan_of, put, reference, system, write_trial


def theirs(id="e1", name="theirs"):
    return cell(name, id, xvalid="", f1=0.4) | {"predictions": {"val": {"path": "/data/points"}}}


def write_theirs(run, id="e1", hits=20, points=True):
    truth = reference()
    found = system(truth, hits, seed=7)
    moments = {0.25: found, 0.75: found} if points else None
    put(run, external_file(id, "val"), collect(truth, found, moments))


@pytest.fixture
def mixed(run):
    """The run with a third cell, which is not trained: 20 of 40 events."""
    cells = [cell("good", "g", f1=0.3414), theirs(), cell("poor", "p")]
    pairs = [("good", "theirs"), ("poor", "theirs")]
    claims = [claim("K", ("good", "higher", "theirs"))]
    plan = plan_of(cells, contrasts=pairs, claims=claims)
    plan["trainings"] = [each for each in plan["trainings"] if each["id"] != "e1"]
    write_json(run, "plan.json", plan | {"trials": 4})
    write_theirs(run)
    return run


def value_of(report: Report, cell: str, metric: str):
    return next(v for v in report.cells if (v.cell, v.metric) == (cell, metric))


def test_its_value_is_one_value_over_clips(mixed) -> None:
    report = write_report(mixed)
    value = value_of(report, "theirs", "event_f1")
    truth = reference()
    alone = interval(METRICS["event_f1"], collect(truth, system(truth, 20, seed=7)), draws=500)
    assert (value.value, value.seed_values, value.published) == (alone.value, (alone.value,), 0.4)
    assert (value.low, value.high) == pytest.approx((alone.low, alone.high), abs=0.01)
    assert [trial.state for trial in value.trials] == ["finished"]


def test_it_is_compared_with_every_seed(mixed) -> None:
    report = write_report(mixed)
    good = next(c for c in report.contrasts if (c.cell, c.metric) == ("good", "event_f1"))
    assert good.seeds == (0, 1)
    ours = [value for value in value_of(report, "good", "event_f1").seed_values if value]
    them = value_of(report, "theirs", "event_f1").value
    assert good.seed_differences == pytest.approx([value - them for value in ours])
    assert good.trials == ("g-seed0", "g-seed1", "external/e1", "external/e1")
    assert report.claims[0].verdict == "reproduced"


def test_tables_files_and_page_have_it(mixed, tmp_path) -> None:
    report = write_report(mixed)
    text = "\n".join(report.lines)
    row = next(line for line in text.splitlines() if line.startswith("| theirs"))
    assert "| e1 " in row and "40.0" in row
    assert "One seed" not in text and "4 of 4" not in text
    assert "2 of 2 trainings above the always-on detector" in text
    frame = pd.read_parquet(io.BytesIO(mixed.read("results.parquet")))
    mine = frame[frame.cell == "theirs"]
    assert len(mine) == 1 and mine.seed.isna().all() and mine.psds.notna().all()
    assert len(frame) == 5 and "seed 1" in mixed.read("tables/1.tex").decode()
    content = page_content(report)
    assert content["configs"]["e1"] == {"predictions.val.path": "points"}
    assert "/data" not in json.dumps(content["cells"] + [content["configs"]])
    assert {row["training"] for row in content["selection"]} == {"g", "p"}
    assert {row["cell"] for row in content["roc"]["curves"]} == {"good", "theirs", "poor"}
    assert {row["cell"] for row in content["browser"][0]["systems"]} == {"good", "poor"}


def test_without_operating_points_there_is_no_psds(mixed) -> None:
    write_theirs(mixed, points=False)
    report = write_report(mixed)
    assert value_of(report, "theirs", "psds").value is None
    assert {c.metric for c in report.contrasts} == {"event_f1"}
    rows = [line for line in report.lines if line.startswith("| theirs")]
    assert "| - " in rows[1]
    waiting = [c.waiting_for for c in report.claims[0].comparisons]
    assert waiting == [(), ("theirs",)]
    page_content(report)


def test_a_run_of_predictions_alone(run) -> None:
    cells = [theirs(), theirs("e2", "others")]
    plan = plan_of(cells, contrasts=[("theirs", "others")]) | {"trainings": [], "trials": 0}
    write_json(run, "plan.json", plan)
    write_theirs(run)
    assert "not finished" in "\n".join(write_report(run).lines)
    write_theirs(run, "e2", hits=30)
    report = write_report(run)
    (contrast,) = [c for c in report.contrasts if c.metric == "event_f1"]
    assert contrast.difference < 0
    text = "\n".join(report.lines)
    assert "Check of learning" not in text and "Loss" not in text
    assert report.checks == [] and not report.learnt
    page_content(report)


def test_another_set_under_the_same_name_is_refused(mixed) -> None:
    truth = reference(1)
    put(mixed, external_file("e1", "val"), collect(truth, truth.events))
    with pytest.raises(ValueError, match="one table cannot compare different sets"):
        write_report(mixed)


def test_trained_results_stay_as_they_are_without_it(mixed, run) -> None:
    write_trial(mixed, "g", 30, 0, xvalid_f1=0.7)
    with_it = write_report(mixed)
    cells = [cell("good", "g", f1=0.3414), cell("poor", "p")]
    write_json(run, "plan.json", plan_of(cells))
    without = write_report(run)
    for name in ("good", "poor"):
        for metric in ("event_f1", "psds"):
            a, b = (value_of(report, name, metric) for report in (with_it, without))
            assert (a.value, a.low, a.high) == (b.value, b.low, b.high)
