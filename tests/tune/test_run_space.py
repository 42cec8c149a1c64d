"""A tiny space from audio to tables on a local Ray of two logical CPUs."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
import yaml

from raysed.config.space import read_space
from raysed.report.report import write_report
from raysed.run.run_plan import RunPlan
from raysed.run.trial_plan import plan_trials
from raysed.storage.folder import Folder
from raysed.tune import preparation
from raysed.tune import run_space as run_module
from raysed.tune.run_space import run_space
from tests.tune.tiny import space_content, write_space

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def finished(tree, ray_session):
    said = []
    resolved = read_space(tree / "space.yaml")
    run = Folder(str(tree / "run"))
    code = run_space(resolved, tree / "space.yaml", run, address=None, say=said.append)
    return resolved, run, code, said


def start(space, run):
    return run_space(read_space(space), space, run, address=None, say=lambda line: None)


def test_every_trial_finishes(finished):
    resolved, run, code, said = finished
    assert code == 0
    assert all(trial.out.finished for trial in plan_trials(resolved, run))
    status = json.loads(run.read("status.json"))
    assert (status["state"], status["exit_code"]) == ("done", 0)
    assert sum("epoch   2/2" in line for line in said) == 4


def test_cells_that_differ_in_xvalid_shared_their_training(finished):
    _, run, _, _ = finished
    plan = RunPlan.require(run)
    assert plan.trials == 4
    trainings = {cell.id: cell.training for cell in plan.cells}
    assert trainings["all"] == trainings["rir"] != trainings["weak"]


def test_report_writes_tables_and_one_row_a_cell_and_seed(finished, tree):
    _, run, _, _ = finished
    report = write_report(run)
    text = "\n".join(report.lines)
    assert "Table 1, validation" in text and "Table 3, validation" in text
    assert "34.1" in text  # the published value stands beside ours
    frame = pd.read_parquet(tree / "run" / "results.parquet")
    assert sorted(zip(frame.cell, frame.seed, strict=True)) == [
        (cell, seed) for cell in ("all", "rir", "weak") for seed in (0, 1)
    ]
    assert (frame.event_f1_low <= frame.event_f1).all()
    for name in ("1.md", "1.csv", "3.md", "contrasts.csv"):
        assert (tree / "run" / "tables" / name).stat().st_size > 0


def test_the_same_command_runs_nothing_again(finished, tree):
    resolved, run, _, _ = finished
    before = {path: path.stat().st_mtime_ns for path in (tree / "run" / "trials").rglob("*.*")}
    said = []
    assert run_space(resolved, tree / "space.yaml", run, address=None, say=said.append) == 0
    assert any("4 trials, 4 finished" in line for line in said)
    assert before == {
        path: path.stat().st_mtime_ns for path in (tree / "run" / "trials").rglob("*.*")
    }


def test_auto_says_that_no_node_has_a_gpu(finished, tree):
    resolved, run, _, usual = finished
    resources = resolved.space.resources.model_copy(update={"gpus_per_worker": "auto"})
    auto = replace(resolved, space=resolved.space.model_copy(update={"resources": resources}))
    said = []
    assert run_space(auto, tree / "space.yaml", run, address=None, say=said.append) == 0
    assert any("no node has a GPU now" in line for line in said)
    assert not any("no node has a GPU" in line for line in usual)


def test_a_lost_trial_is_run_again_with_the_same_result(finished, tree):
    resolved, run, _, _ = finished
    trial = plan_trials(resolved, run)[0]
    stored = trial.out.folder.read("statistics/validation.dry.npz")
    for path in sorted((tree / "run" / "trials" / trial.name).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert not trial.out.finished
    assert run_space(resolved, tree / "space.yaml", run, address=None, say=lambda line: None) == 0
    assert trial.out.folder.read("statistics/validation.dry.npz") == stored


def test_a_run_of_another_space_is_refused(finished, tree):
    _, run, _, _ = finished
    content = yaml.safe_load((tree / "space.yaml").read_text())
    content["base"]["model"]["gru_units"] = 8
    (tree / "other.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(ValueError, match="holds the run of another space"):
        start(tree / "other.yaml", run)


def test_a_trial_that_cannot_run_is_a_hole_and_the_others_finish(tree, ray_session):
    content = yaml.safe_load((tree / "space.yaml").read_text())
    content["seeds"] = [0]
    content["cells"][2]["set"]["optimiser"] = {"learning_rate": 1e30, "ramp": False}
    (tree / "hole.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    run, said = Folder(str(tree / "hole")), []
    resolved = read_space(tree / "hole.yaml")
    assert run_space(resolved, tree / "hole.yaml", run, address=None, say=said.append) == 3
    assert any("weak seed 0" in line and "loss is not finite" in line for line in said)
    status = json.loads(run.read("status.json"))
    assert (status["exit_code"], status["failed"]) == (3, 1)
    lines = write_report(run).lines
    assert "1 of 2 trials are finished; the tables hold these only." in lines


def shares_of(tree, name, **shares):
    """The tiny space whose last cell takes these."""
    cells = yaml.safe_load((tree / "space.yaml").read_text())["cells"]
    cells[2]["set"] = {"shares": {"synthetic": 0, "unlabelled": 0, "weak": 0, **shares}}
    return write_space(tree, name, cells=cells)


@pytest.mark.parametrize(
    ("name", "weak", "workers", "message"),
    [
        ("greedy", 400, 1, r"cell weak: shares\.weak is 400, but weak holds 8 clips"),
        ("crowded", 4, 5, r"cell weak: 5 workers for batches of 4 clips"),
    ],
)
def test_what_the_data_cannot_feed_is_refused_before_anything_is_built(
    tree, monkeypatch, name, weak, workers, message
):
    path = shares_of(tree, name, weak=weak)
    content = yaml.safe_load(path.read_text()) | {"resources": {"workers": workers}}
    path.write_text(yaml.safe_dump(content))
    monkeypatch.setattr(run_module, "start_ray", lambda address: pytest.fail("Ray was started"))
    run = Folder(str(tree / name))
    with pytest.raises(ValueError, match=message):
        start(path, run)
    assert json.loads(run.read("status.json"))["exit_code"] == 2


def test_a_set_that_came_out_too_small_is_refused_before_training(tree, ray_session, monkeypatch):
    # As if more clips had been expected than came.
    monkeypatch.setattr(preparation, "training_faults", lambda resolved, clips: [])
    run = Folder(str(tree / "hungry"))
    with pytest.raises(ValueError, match=r"cell weak: shares\.weak is 400, but weak holds 8 clips"):
        start(shares_of(tree, "hungry", weak=400), run)
    assert json.loads(run.read("status.json"))["exit_code"] == 2
    assert not (tree / "hungry" / "trials").exists()


def test_a_cluster_that_cannot_hold_a_trial_is_named(tree, ray_session):
    content = yaml.safe_load((tree / "space.yaml").read_text())
    content["resources"] = {"workers": 2, "cpus_per_worker": 2}
    (tree / "wide.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(
        ValueError,
        match=r"a trial needs 2 x \{'CPU': 2.0\}, the cluster's nodes have \[\{'CPU': 2.0\}\]",
    ):
        run_space(
            read_space(tree / "wide.yaml"),
            tree / "wide.yaml",
            Folder(str(tree / "wide")),
            address=None,
            say=print,
        )


def test_a_run_with_other_xvalid_sets_is_refused(finished, tree):
    _, run, _, _ = finished
    content = yaml.safe_load((tree / "space.yaml").read_text())
    content["cells"] = [cell for cell in content["cells"] if cell["id"] != "rir"]
    (tree / "fewer.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(ValueError, match="with other x-valid or evaluation sets for all"):
        start(tree / "fewer.yaml", run)


def test_a_run_whose_data_changed_is_refused(finished, tree):
    _, run, _, _ = finished
    job = yaml.safe_load((tree / "job.yaml").read_text())
    job["sets"]["weak"]["limit"] = 7
    (tree / "job2.yaml").write_text(yaml.safe_dump(job, sort_keys=False))
    content = yaml.safe_load((tree / "space.yaml").read_text())
    content["data_job"] = str(tree / "job2.yaml")
    (tree / "space2.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(ValueError, match=r"the data changed: weak was \w+, is \w+"):
        start(tree / "space2.yaml", run)


def test_other_post_processing_costs_no_training(finished, tree):
    _, run, _, _ = finished
    shutil.copytree(run.url, tree / "columns")
    cells = space_content(tree, tree / "job.yaml")["cells"]
    raw = cells[0] | {"id": "raw", "postprocessing": "raw"}
    crossed = {"method": "class_median", "tuned_on": "evaluation"}
    cells += [raw, cells[0] | {"id": "crossed", "postprocessing": crossed}]
    space = write_space(tree, "columns", cells=cells)
    resolved, said = read_space(space), []
    folder = Folder(resolved.space.run)
    for _ in range(2):
        assert run_space(resolved, space, folder, address=None, say=said.append) == 0
    assert sum("4 trials, 4 finished" in line for line in said) == 2
    counted = [line for line in said if line.startswith("post-processing: ")]
    assert counted == ["post-processing: 4 columns from the stored scores of 2 trials"]
    report = write_report(folder)
    assert {
        each.cell: each.seeds for each in report.cells if each.metric == "event_f1"
    } == dict.fromkeys(("all", "rir", "weak", "raw", "crossed"), 2)
    assert {each.cell for each in report.optimism} == {"crossed"}
