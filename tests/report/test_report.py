import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.intervals.bootstrap import interval
from raysed.evaluation.metrics.registry import METRICS
from raysed.report.report import read_report, write_report
from raysed.run.run_plan import RunPlan
from raysed.storage.json_file import write_json
from tests.report.made_up import changed_plan, claim, put


def test_report_of_a_whole_run(run, tmp_path):
    report = write_report(run)
    text = "\n".join(report.lines)
    assert report.learnt
    assert "good: 2.000 -> 1.000" in text
    assert "34.1" in text
    assert text.count(": learnt") == 2
    assert "Claims" not in text
    frame = pd.read_parquet(tmp_path / "run" / "results.parquet")
    assert len(frame) == 4
    assert ((frame.event_f1_low <= frame.event_f1) & (frame.event_f1 <= frame.event_f1_high)).all()
    tables = tmp_path / "run" / "tables"
    assert {path.name for path in tables.iterdir()} == {
        *("1.md", "1.csv", "1.tex"),
        *("contrasts.csv", "tables.tex"),
    }
    assert set(pd.read_csv(tables / "1.csv").cell) == {"good", "poor"}
    assert (tables / "1.md").read_text().strip() in text


def test_claims_have_their_files(claimed, tmp_path):
    report = write_report(claimed)
    tables = tmp_path / "claimed" / "tables"
    claims = pd.read_csv(tables / "claims.csv")
    assert list(dict.fromkeys(claims.claim)) == ["K1", "K2", "K3", "K4"]
    assert set(claims.verdict) <= {"reproduced", "contradicted", "undecided", "waiting"}
    assert (tables / "claims.md").read_text().strip() in "\n".join(report.lines)
    contrasts = pd.read_csv(tables / "contrasts.csv")
    assert (contrasts.simultaneous_low <= contrasts.difference).all()
    assert ((contrasts.family <= contrasts.family_planned) & (contrasts.family > 0)).all()


def test_a_perturbed_statistic_shows_in_its_files_alone(claimed, tmp_path):
    tables = tmp_path / "claimed" / "tables"

    def written():
        write_report(claimed)
        return {path.name: path.read_bytes() for path in tables.glob("*")}

    before = written()
    assert written() == before  # bitwise the same again
    trial, name = claimed.child("trials/p-seed0"), "statistics/val.dry.npz"
    statistics = Statistics.load(io.BytesIO(trial.read(name)))
    statistics.event.tp_NK[0] += statistics.event.tp_NK[0] == 0
    put(trial, name, statistics)
    after = written()
    changed = {name for name in before if before[name] != after[name]}
    assert {"2.md", "2.csv", "2.tex", "contrasts.csv"} <= changed  # "poor" is in Table 2
    assert not changed & {"1.csv", "tables.tex"} - {"1.md", "1.tex"}
    rows = [pd.read_csv(io.BytesIO(files["2.csv"])) for files in (before, after)]
    moved = rows[0][rows[0].value != rows[1].value]
    assert list(zip(moved.cell, moved.set, moved.metric, strict=True)) == [
        ("poor", "val", "event_f1")
    ]


def test_json_is_the_same_report(claimed):
    found = json.loads(json.dumps(write_report(claimed).as_json(), allow_nan=False))
    assert found.keys() >= {"run", "job", "seeds", "trials", "tables", "contrasts", "claims"}
    assert found["job"] == "made_up_job"
    assert len(found["tables"]) == 2 * (4 * 2 + 1)
    assert found["claims"][0]["comparisons"][0]["difference"] == pytest.approx(
        np.subtract(*(row["value"] for row in found["tables"] if _is(row, "good", "fair")))
    )
    assert {trial["state"] for trial in found["trials"]} == {"finished"}


def test_json_has_no_nan(run):
    report = write_report(run)
    unknown = replace(report, cells=[replace(report.cells[0], low=float("nan"))])
    found = json.loads(json.dumps(unknown.as_json(), allow_nan=False))
    assert (found["tables"][0]["cell"], found["tables"][0]["low"]) == ("good", None)


def _is(row, *cells):
    return (row["cell"] in cells) and (row["evaluation"], row["metric"]) == ("val", "event_f1")


def test_half_a_run_shows_its_holes(run, tmp_path):
    for seed in (0, 1):
        (tmp_path / "run" / "trials" / f"p-seed{seed}" / "result.json").unlink()
    report = write_report(run)
    text = "\n".join(report.lines)
    assert "2 of 4 trials are finished" in text
    assert "| poor: the poor one | not finished" in text
    json.dumps(report.as_json(), allow_nan=False)
    csv = pd.read_csv(tmp_path / "run" / "tables" / "1.csv")
    assert csv[csv.cell == "poor"].value.isna().all()
    assert set(csv[csv.cell == "poor"].states) == {"not_started not_started"}


def test_one_seed_is_said(run):
    said = "One seed: the intervals are over clips; nothing is known about other seeds."
    assert said not in write_report(run).lines
    write_json(run, "plan.json", {**RunPlan.require(run).as_json(), "seeds": [0], "trials": 2})
    assert said in write_report(run).lines


def test_a_run_without_results(run, tmp_path):
    for path in (tmp_path / "run").rglob("result.json"):
        path.unlink()
    write_json(run.child("trials/g-seed0"), "failed.json", {"reason": "ValueError: no clips"})
    report = write_report(run)
    assert not report.learnt
    assert "none of 4 trials is finished yet" in report.lines[0]
    assert "failed: g-seed0 (good): ValueError: no clips" in report.lines
    assert report.as_json()["tables"] == []
    assert not (tmp_path / "run" / "tables").exists()


def test_no_cell_of_a_csv_is_a_formula(run, tmp_path):
    plan = json.loads(run.read("plan.json"))
    plan["cells"][0]["column"], plan["cells"][1]["column"] = "=1+1", "-0.5"
    write_json(run, "plan.json", plan)
    write_report(run)
    table = pd.read_csv(tmp_path / "run" / "tables" / "1.csv", dtype=str)
    assert set(table.column) == {"'=1+1", "-0.5"}
    contrasts = pd.read_csv(tmp_path / "run" / "tables" / "contrasts.csv")
    assert contrasts.difference.dtype == float and (contrasts.difference < 0).any()


def test_tables_hold_the_metrics_of_the_plan(run):
    """Metrics other than the published two, in a run that was made before."""
    asked = changed_plan(run, metrics=["psds1", "segment_f1"])
    write_json(run, "plan.json", asked.as_json())
    report = write_report(run)
    assert {cell.metric for cell in report.cells} == {"psds1", "segment_f1"}
    assert {contrast.metric for contrast in report.contrasts} == {"psds1", "segment_f1"}
    table = run.read("tables/1.md").decode()
    assert "| PSDS1 " in table and "| segment F1 % " in table and "event F1" not in table
    assert {"psds1", "psds1_low", "segment_f1_high"} <= set(report.frame.columns)


def test_a_claim_in_another_metric_brings_it_into_the_tables(run):
    asked = changed_plan(run, claims=[claim("K1", ("good", "higher", "poor"), metrics=["psds2"])])
    write_json(run, "plan.json", asked.as_json())
    report = write_report(run)
    assert {cell.metric for cell in report.cells} == {"event_f1", "psds", "psds2"}
    (judged,) = report.claims
    assert judged.comparisons[0].metric == "psds2" and judged.verdict != "waiting"
    assert "the margin, which is 0.030," in run.read("tables/claims.md").decode()


def test_published_values_have_ours_by_the_papers_recipe_beside_them(run):
    """Like with like: 80 % sub-samples with the full set's seconds, the mean over both seeds."""
    report = write_report(run)
    by_cell = {(cell.cell, cell.metric): cell for cell in report.cells}
    published = by_cell["good", "event_f1"]
    by_seed = [r.statistics for r in report.results if r.cell == "good"]
    one = [interval(METRICS["event_f1"], each, method="paper").value for each in by_seed]
    assert published.recipe[0] == pytest.approx(np.mean(one), abs=1e-12)
    assert published.recipe[1] < published.recipe[0] < published.recipe[2]
    assert published.recipe[2] - published.recipe[1] < published.high - published.low
    assert by_cell["poor", "event_f1"].recipe is None
    assert "ours by the paper's recipe [90 %]" in run.read("tables/1.md").decode()
    assert "recipe_low" in run.read("tables/1.csv").decode().splitlines()[0]
    everywhere = read_report(run, method="paper")
    assert all(cell.recipe for cell in everywhere.cells)
