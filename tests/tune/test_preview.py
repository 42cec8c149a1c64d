"""`--plan`: what a run will take, before anything is built."""

import dataclasses
import io
import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from raysed.cli.commands import app
from raysed.cli.preview_text import print_preview
from raysed.config.space import read_space
from raysed.data.build.dataset_plan import plan
from raysed.run import provenance
from raysed.run.lock import system_lock
from raysed.run.ownership import planned_data
from raysed.run.run_plan import RunPlan
from raysed.run.trial_plan import plan_trials
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json
from raysed.tune import estimate, preparation, preview
from raysed.tune.estimate import Speed
from tests.data.recorded_tree import write_tree
from tests.paths import ROOT, SHARED
from tests.tune.tiny import write_space

METADATA = SHARED / "data" / "desed_metadata"
ONE_NODE = [{"CPU": 4.0, "GPU": 0.0}]
SPEED = Speed(train_s=0.01, score_s=0.002, epochs=3, cpu_share=1.0)


@pytest.fixture
def not_timed(monkeypatch):
    """The calibration's answer without its minute."""
    monkeypatch.setattr(
        preview,
        "measure_speeds",
        lambda trials, *rest: {estimate.size_of(trial): SPEED for trial in trials},
    )


def desed_without_audio(tmp_path: Path, monkeypatch) -> None:
    """The real metadata where DESED's would lie, and no audio at all."""
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "metadata").symlink_to(METADATA)
    monkeypatch.setenv("DESED_ROOT", str(tmp_path))
    monkeypatch.setenv("DESED_METADATA", str(METADATA))
    monkeypatch.setenv("RAYSED_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(ROOT)


@pytest.mark.skipif(not METADATA.is_dir(), reason="no real metadata here")
def test_the_ablation_on_the_real_metadata(tmp_path, monkeypatch, not_timed):
    desed_without_audio(tmp_path, monkeypatch)
    resolved = read_space("tune_spaces/ablation.yaml")
    plan = preview.preview(resolved, Folder(str(tmp_path / "run")), ONE_NODE)
    clips = {entry["name"]: entry["clips"] for entry in plan["datasets"]}
    recorded = {name: clips[name] for name in ("weak", "unlabelled", "val", "eval")}
    assert recorded == {"weak": 1420, "unlabelled": 14412, "val": 1168, "eval": 692}
    synthetic = [entry for entry in plan["datasets"] if entry["name"].startswith("train_")]
    assert [(entry["asked"], entry["clips"]) for entry in synthetic] == [
        *([(4500, 2322)] * 3),
        (4050, 2090),
    ]
    assert plan["steps_per_trial"] == 236 * 200
    text = "\n".join(plan["refusals"])
    assert "data set weak:" in text and "has no audio of the weak subset" in text
    assert "soundbank" in text and "train_pitch_rir" in text
    assert (len(plan["cells"]), len(plan["trainings"]), plan["trials"]) == (27, 17, 85)
    powers = {claim["id"]: claim["power"] for claim in plan["claims"]}
    assert {powers[k]["state"] for k in ("K2", "K3", "K4", "K5", "K6")} == {"decidable"}
    # Half a point to two points of F1 are never told from none on 1168 clips.
    assert {powers[k]["state"] for k in ("K8", "K10", "K14")} == {"never"}
    assert plan["concurrent_trials"] == 2
    assert not (tmp_path / "data").exists() and not (tmp_path / "run").exists()


def test_roots_that_are_not_set(tmp_path, monkeypatch, not_timed):
    monkeypatch.delenv("DESED_ROOT", raising=False)
    monkeypatch.delenv("DESED_METADATA", raising=False)
    monkeypatch.chdir(ROOT)
    unset = []
    resolved = read_space("tune_spaces/ablation.yaml", unset=unset)
    plan = preview.preview(resolved, Folder(str(tmp_path)), ONE_NODE, unset)
    assert (len(plan["cells"]), len(plan["trainings"])) == (27, 17)
    lines = [str(fault) for fault in unset]
    assert plan["refusals"] == lines and len(unset) == 5
    assert re.match(r"data_jobs/desed.yaml:\d+: roots.recorded: environment variable", lines[0])
    assert "DESED_ROOT is not set (export it" in lines[0]
    by_cell = {cell: t["steps"] for t in plan["trainings"] for cell in t["cells"]}
    assert by_cell["B"] is None and by_cell["T1-S"] == 200 * (2322 // 24)
    assert plan["estimated_hours"] is None
    json.dumps(plan, allow_nan=False)


@pytest.fixture
def small_space(tmp_path, not_timed):
    def write(**change):
        root = write_tree(tmp_path / "dataset") if not (tmp_path / "dataset").exists() else None
        job = {
            "name": "small",
            "out": str(tmp_path / "out"),
            "classes": ["Cat", "Dog"],
            "roots": {"recorded": str(root or tmp_path / "dataset")},
            "features": {"duration_s": 1.0, "n_mels": 16, "hop": 510},
            "sets": {
                "weak": {"kind": "recorded", "subset": "weak"},
                "val": {"kind": "recorded", "subset": "validation"},
            },
        }
        (tmp_path / "dataset/metadata/validation").mkdir(exist_ok=True)
        (tmp_path / "dataset/metadata/validation/validation.tsv").write_text(
            "filename\tonset\toffset\tevent_label\nYa_0.000_1.000.wav\t0.1\t0.5\tCat\n"
        )
        space = {
            "name": "small",
            "data_job": str(tmp_path / "job.yaml"),
            "run": str(tmp_path / "run"),
            "seeds": [0, 1],
            "base": {
                "data": {"weak": "weak", "evaluation": ["val"]},
                "model": {"filters": [4], "pooling": [[2, 16]]},
                "shares": {"synthetic": 0, "unlabelled": 0, "weak": 4},
                "schedule": {"epochs": 3},
            },
            "cells": [{"id": "a", "table": "1", "column": "a", "xvalid": "val"}],
            **change,
        }
        (tmp_path / "job.yaml").write_text(yaml.safe_dump(job))
        (tmp_path / "space.yaml").write_text(yaml.safe_dump(space))
        return read_space(tmp_path / "space.yaml")

    return write


def plan_of(resolved, nodes=ONE_NODE):
    return preview.preview(resolved, Folder(resolved.space.run), nodes)


def test_what_the_cluster_cannot_hold_is_refused(small_space):
    plan = plan_of(small_space(resources={"gpus_per_worker": 1.0}))
    assert plan["concurrent_trials"] == 0
    assert any("'GPU': 1.0" in line and "'GPU': 0.0" in line for line in plan["refusals"])
    assert plan["estimated_hours"] is None
    assert any("no estimate" in note for note in plan["notes"])


def test_a_share_larger_than_its_set_is_refused(small_space):
    resolved = small_space()
    base = resolved.space.base | {"shares": {"synthetic": 0, "unlabelled": 0, "weak": 12}}
    plan = plan_of(small_space(base=base))
    assert "cell a: shares.weak is 12, but weak holds 10 clips" in plan["refusals"]


def test_a_full_disk_is_refused(small_space, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(preparation.shutil, "disk_usage", lambda path: usage)
    assert any("do not fit into" in line for line in plan_of(small_space())["refusals"])


@pytest.fixture
def free_space(small_space, tmp_path):
    """A space that nothing stands in the way of."""
    resolved = small_space()
    folder = tmp_path / "dataset/audio/validation/validation"
    folder.mkdir(parents=True)
    shutil.copy(next((tmp_path / "dataset/audio").rglob("Y00*")), folder / "Ya_0.000_1.000.wav")
    assert plan_of(resolved)["refusals"] == []
    return resolved


def test_a_file_where_a_folder_is_to_be_is_refused(free_space, tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    for run in (file, file / "run"):
        plan = preview.preview(free_space, Folder(str(run)), ONE_NODE)
        assert plan["refusals"] == [f"{file}: a file stands where a folder is to be"]
    job = free_space.job.model_copy(update={"out": str(file)})
    plan = plan_of(dataclasses.replace(free_space, job=job))
    assert plan["refusals"] == [f"{file}: a file stands where a folder is to be"]


def test_a_run_of_another_space_of_changed_code_or_under_way_is_refused(free_space, monkeypatch):
    run = Folder(free_space.space.run)
    RunPlan.of(free_space, (), 1).write(run)
    trial = plan_trials(free_space, run)[0]
    trial.out.write_config({})
    data = planned_data(plan(free_space.job, free_space.data_sets()))
    provenance.note(run, data, mixed=False)
    assert plan_of(free_space)["refusals"] == []

    now = provenance.code().model_copy(update={"source": "0123456789ab"})
    monkeypatch.setattr(provenance, "code", lambda: now)
    (changed,) = plan_of(free_space)["refusals"]
    assert "the code was" in changed and "--allow-changed" in changed
    allowed = preview.preview(free_space, run, ONE_NODE, allow_changed=True)
    assert allowed["refusals"] == [] and "allowed by --allow-changed" in allowed["notes"][0]

    with system_lock(run):
        busy = plan_of(free_space)["refusals"]
    assert busy[:1] == [changed] and "another driver is at work" in busy[1]
    write_json(run, "plan.json", RunPlan.of(free_space, (), 1).as_json() | {"trainings": []})
    other, _ = plan_of(free_space)["refusals"]
    assert "holds the run of another space: 0 of its trainings are not in small, 1 are new" in other


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_refused_plan_is_printed_and_exits_with_2(free_space, tmp_path, form):
    command = ["tune", str(tmp_path / "space.yaml"), "--plan", *form]
    free = CliRunner().invoke(app, command)
    refused = CliRunner().invoke(app, [*command, "--run", str(tmp_path / "job.yaml")])
    assert (free.exit_code, refused.exit_code) == (0, 2)
    said = f"{tmp_path / 'job.yaml'}: a file stands where a folder is to be"
    if form:
        assert json.loads(refused.stdout)["refusals"] == [said]
    else:
        assert "Nothing stands in the way" in free.stdout
        assert f"refused: {said}\n" in refused.stdout and "Trainings" in refused.stdout


def test_hours_are_those_of_the_trials_left(small_space, tmp_path):
    resolved = small_space()
    plan = plan_of(resolved)
    # 3 epochs x 2 steps x 4 clips, and 1 x-valid clip an epoch and 1 at the end; both trials at once.
    seconds = 3 * 2 * 4 * SPEED.train_s + 4 * SPEED.score_s
    assert plan["trainings"][0]["seconds"] == pytest.approx(seconds)
    assert plan["estimated_hours"] == pytest.approx(seconds / 3600)
    assert plan_of(resolved, [{"CPU": 1.0}])["estimated_hours"] == pytest.approx(seconds / 1800)
    for seed in (0, 1):
        done = tmp_path / "run" / "trials" / f"{plan['trainings'][0]['id']}-seed{seed}"
        done.mkdir(parents=True)
        (done / "result.json").write_text("{}")
    plan = plan_of(resolved)
    assert (plan["trials_finished"], plan["estimated_hours"]) == (2, 0.0)


@pytest.mark.parametrize(
    ("epochs", "said"),
    [((1,), "1 training step of"), ((3, 3), "3 training steps of"), ((1, 4), "1 to 4 training steps of")],
)  # fmt: skip
def test_the_steps_that_were_timed_are_counted(small_space, monkeypatch, epochs, said):
    speeds = {str(n): dataclasses.replace(SPEED, epochs=count) for n, count in enumerate(epochs)}
    monkeypatch.setattr(preview, "measure_speeds", lambda *given: speeds)
    (note,) = [line for line in plan_of(small_space())["notes"] if "estimate" in line]
    assert note.startswith(f"hours are an estimate: {said} each size of model timed")


def test_the_recordings_are_found_from_any_folder(small_space, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    resolved = small_space()
    assert RunPlan.of(resolved, (), 1).recorded_root == str(tmp_path / "dataset")
    job = yaml.safe_load((tmp_path / "job.yaml").read_text()) | {"roots": {"recorded": "dataset"}}
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(job))
    resolved = read_space(tmp_path / "space.yaml")
    assert RunPlan.of(resolved, (), 1).recorded_root == str(tmp_path / "dataset")


def test_people_read_it_too(small_space):
    plan = plan_of(small_space(), [{"CPU": 1.0}])
    shown = io.StringIO()
    print_preview(plan, Console(file=shown, width=120))
    text = shown.getvalue()
    assert "1 cell, 1 training x 2 seeds = 2 trials" in text
    assert "0 GPUs: 1 trial at once." in text
    assert "refused: data set val" in text


def test_claims_are_about_groups_where_these_are_drawn(tree, not_timed):
    """Without trials the standard error is a prior's, by the number of groups: two tell less apart than six clips."""
    comparison = {"cell": "all", "against": "weak", "expect": "higher"}
    claim = {"id": "k", "text": "More.", "evaluation": "validation", "comparisons": [comparison]}

    def tells_apart(**more):
        resolved = read_space(write_space(tree, "claimed", claims=[claim], **more))
        plan = preview.preview(resolved, Folder(str(tree / "claimed")), ONE_NODE)
        assert plan["refusals"] == []
        return plan["claims"][0]["power"]["resolves"]["event_f1"]

    table = tree / "tree/dataset/metadata/validation/validation.tsv"
    names = sorted({row.split("\t")[0] for row in table.read_text().splitlines()[1:]})
    rows = "".join(f"{name}\t{n % 2}\n" for n, name in enumerate(names))
    (tree / "two.tsv").write_text(f"filename\tgroup\n{rows}")
    assert tells_apart(groups=str(tree / "two.tsv")) > tells_apart()
