"""Exit codes and messages, as a script sees them."""

import json
import re
import subprocess
import sys

import pytest
import yaml

from tests.paths import ROOT

JOB = {
    "name": "tiny",
    "out": "out",
    "classes": ["Cat", "Dog"],
    "roots": {"recorded": "nowhere"},
    "sets": {"weak": {"kind": "recorded", "subset": "weak"}},
}


def run(*arguments, cwd=ROOT):
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120
    )


def write(path, content):
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return str(path)


def test_help_names_the_commands():
    shown = run("raysed.cli", "--help")
    assert shown.returncode == 0
    for command in ("data", "tune", "report", "demo"):
        assert command in shown.stdout


@pytest.mark.parametrize("command", [("raysed.data",), ("raysed.cli", "data")])
def test_a_wrong_key_is_refused_with_its_place(tmp_path, command):
    path = write(tmp_path / "job.yaml", {**JOB, "shard_clip": 3})
    refused = run(*command, path)
    assert refused.returncode == 2
    assert f"{path}:12: shard_clip: unknown key; did you mean shard_clips?" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_missing_root_is_refused(tmp_path):
    refused = run("raysed.data", write(tmp_path / "job.yaml", JOB))
    assert refused.returncode == 2
    assert "nowhere: no such folder" in refused.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [("raysed.tune",), ("raysed.cli", "tune")])
def test_an_impossible_cell_is_refused_before_anything_starts(tmp_path, command):
    job = write(tmp_path / "job.yaml", JOB)
    space = {
        "name": "tiny",
        "data_job": job,
        "run": str(tmp_path / "run"),
        "seeds": [0],
        "base": {"data": {"weak": "weak", "evaluation": ["weak"]}, "shares": {"weak": 2}},
        "cells": [{"id": "a", "table": "1", "column": "a", "xvalid": "none"}],
    }
    refused = run(*command, write(tmp_path / "space.yaml", space))
    assert refused.returncode == 2
    assert "shares.synthetic is 6, but data.synthetic names no data set" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "run").exists()


@pytest.fixture
def tiny_space(tmp_path):
    """Writes a space on weak clips of which nothing is there; returns its path."""
    sets = {**JOB["sets"], "val": {"kind": "recorded", "subset": "validation"}}
    job = write(tmp_path / "job.yaml", {**JOB, "out": str(tmp_path / "out"), "sets": sets})

    def space(**change):
        content = {
            "name": "tiny",
            "data_job": job,
            "run": str(tmp_path / "run"),
            "seeds": [0],
            "base": {
                "data": {"weak": "weak", "evaluation": ["val"]},
                "shares": {"synthetic": 0, "unlabelled": 0, "weak": 2},
                "model": {"filters": [4], "pooling": [[4, 128]], "gru_units": 4},
            },
            "cells": [{"id": "a", "table": "1", "column": "a", "xvalid": "val"}],
            **change,
        }
        return write(tmp_path / "space.yaml", content)

    return space


CELL = {"id": "a", "table": "1", "column": "a", "xvalid": "val"}
CLAIM = {"id": "K1", "text": "x", "evaluation": "val"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"cells": [{**CELL, "xvalid": "vall"}]},
            "data.xvalid names vall, which the data job tiny",
        ),
        ({"seeds": [0, 0]}, "seeds: given twice"),
        ({"cells": [CELL, CELL]}, "two cells have the id a"),
        (
            {
                "claims": [
                    {**CLAIM, "comparisons": [{"cell": "a", "against": "b", "expect": "higher"}]}
                ]
            },
            "claim K1: no cell has the id b",
        ),
        ({"extends": "absent.yaml"}, "extends: absent.yaml: no such file"),
    ],
)
def test_bad_spaces_are_refused_with_their_place(tiny_space, tmp_path, change, message):
    path = tiny_space(**change)
    refused = run("raysed.tune", path, "--plan", "--json")
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert re.search(rf"error: {re.escape(path)}:\d+: .*{re.escape(message)}", refused.stderr)
    assert not (tmp_path / "run").exists() and not (tmp_path / "out").exists()


def test_a_plan_is_one_json_object(tiny_space, tmp_path):
    planned = run("raysed.tune", tiny_space(), "--plan", "--json")
    plan = json.loads(planned.stdout)
    assert planned.returncode == 2 and len(plan["refusals"]) == 1
    assert "nowhere: no such folder" in plan["refusals"][0]
    expected = {
        "space", "seeds", "cells", "trainings", "trials", "datasets", "cluster", "refusals",
        "resources_per_trial", "concurrent_trials", "steps_per_trial", "estimated_hours",
    }  # fmt: skip
    assert expected <= plan.keys()
    assert plan["datasets"][0].keys() >= {"id", "job", "state", "clips"}
    assert plan["cluster"].keys() >= {"cpus", "gpus"}
    assert not (tmp_path / "run").exists() and not (tmp_path / "out").exists()


def test_a_report_of_no_run_is_refused(tmp_path):
    refused = run("raysed.cli", "report", str(tmp_path))
    assert refused.returncode == 2
    assert "holds no plan.json" in refused.stderr


def test_wrong_usage():
    assert run("raysed.cli", "tune").returncode == 2
