"""The commands: their help, what they refuse before work, and their JSON."""

import errno
import json
import os
import re
import subprocess
import sys

import pytest
import typer

from raysed import __version__
from raysed.cli import commands
from raysed.config.reference import reference
from raysed.config.schema import KINDS, json_schema
from tests.cli.programs import JOB, run, write
from tests.paths import ROOT

COMMANDS = (
    "doctor", "data", "tune", "report", "predict", "postprocess", "export", "demo", "score", "schema",
)  # fmt: skip


def test_help_shows_the_way():
    shown = run("raysed.cli", "--help")
    assert shown.returncode == 0
    assert "doctor → data → tune → report → predict" in shown.stdout
    listed = re.findall(r"^│ (\w+)  ", shown.stdout, re.MULTILINE)
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_shows_an_example_that_it_would_take(main, command):
    code, out, _ = main(command, "--help")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    example = " ".join(out.split("Example: ")[1].split()).split(" > ")[0]
    program, name, *arguments = example.split()
    assert (program, name) == ("raysed", command)
    parser = typer.main.get_command(commands.app).commands[name]
    if command == "score":  # its files must be there
        arguments = [str(ROOT / "README.md") if a[0] != "-" else a for a in arguments]
    assert parser.make_context(name, arguments).params


def test_a_schema_is_one_json_object(main):
    for kind in KINDS:
        code, out, _ = main("schema", kind)
        assert (code, json.loads(out)) == (0, json_schema(kind))
        assert (
            out
            == (
                ROOT / {"space": "tune_spaces", "job": "data_jobs"}[kind] / "schema.json"
            ).read_text()
        )
    assert json.loads(main("schema")[1]) == {kind: json_schema(kind) for kind in KINDS}
    assert main("schema", "--markdown") == (0, reference(), "")
    assert main("schema", "job", "--markdown") == (0, reference("job"), "")


@pytest.mark.parametrize("command", [("raysed.data",), ("raysed.cli", "data")])
def test_a_wrong_key_is_refused_with_its_place(tmp_path, command):
    path = write(tmp_path / "job.yaml", {**JOB, "shard_clip": 3})
    refused = run(*command, path)
    assert refused.returncode == 2
    assert f"{path}:12: shard_clip: unknown key; did you mean shard_clips?" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_missing_root_is_refused(main, tmp_path):
    code, _, err = main("data", write(tmp_path / "job.yaml", JOB))
    assert code == 2
    assert "nowhere: no such folder" in err
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
def test_bad_spaces_are_refused_with_their_place(main, tiny_space, tmp_path, change, message):
    path = tiny_space(**change)
    code, out, err = main("tune", path, "--plan", "--json")
    assert (code, out) == (2, "")
    assert re.search(rf"error: {re.escape(path)}:\d+: .*{re.escape(message)}", err)
    assert not (tmp_path / "run").exists() and not (tmp_path / "out").exists()


def test_a_plan_is_one_json_object(main, tiny_space, tmp_path):
    code, out, _ = main("tune", tiny_space(), "--plan", "--json")
    plan = json.loads(out)
    assert code == 2 and len(plan["refusals"]) == 1
    assert "nowhere: no such folder" in plan["refusals"][0]
    expected = {
        "space", "seeds", "cells", "trainings", "trials", "datasets", "cluster", "refusals",
        "resources_per_trial", "concurrent_trials", "steps_per_trial", "estimated_hours",
    }  # fmt: skip
    assert expected <= plan.keys()
    assert plan["datasets"][0].keys() >= {"id", "job", "state", "clips"}
    assert plan["cluster"].keys() >= {"cpus", "gpus"}
    assert not (tmp_path / "run").exists() and not (tmp_path / "out").exists()


def test_tables_are_printed_where_they_cannot_be_written(main, monkeypatch):
    """A colleague's run may be there to be read only, and a disk may be full."""

    def refuse(self, name, content):
        raise OSError(errno.EROFS, "Read-only file system", f"{self.url}/{name}")

    monkeypatch.setattr("raysed.storage.folder.Folder.write", refuse)
    code, out, err = main("report", str(ROOT / "tests/old_run/runs/finished"))
    assert code == 2 and "| event F1 %" in out and "wrote" not in out + err
    assert err.startswith("error: ") and "/tables/" in err and "Read-only file system" in err


def test_a_report_of_no_run_is_refused(main, tmp_path):
    code, _, err = main("report", str(tmp_path))
    assert code == 2
    assert "holds no plan.json" in err


def test_the_demo_refuses_a_run_that_is_a_file_before_it_writes_sounds(monkeypatch, main, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("RAYSED_DEMO", str(tmp_path / "tree"))
    (tmp_path / "file").write_text("x")
    code, _, err = main("demo", "--run", str(tmp_path / "file"))
    assert code == 2 and err == f"error: {tmp_path}/file: a file stands where a folder is to be\n"
    assert not (tmp_path / "tree").exists()


def test_a_run_folder_whose_json_is_no_text_is_named(main, tmp_path):
    (tmp_path / "plan.json").write_bytes(b"\xff\x00")
    code, out, err = main("report", str(tmp_path))
    assert (code, out) == (2, "") and err.startswith(f"error: {tmp_path}/plan.json: not JSON (")


def test_wrong_usage():
    assert run("raysed.cli", "tune").returncode == 2


def test_the_version_and_short_help(main):
    assert main("--version") == (0, f"raysed {__version__}\n", "")
    for arguments in ((), ("score",), ("tune",)):
        code, out, _ = main(*arguments, "-h")
        assert (code, out) == main(*arguments, "--help")[:2] and "Usage: raysed" in out


def test_a_fast_dev_run_is_nothing_else(main, tiny_space):
    for other in ("--plan", "--allow-changed", "--require-learnt"):
        code, _, err = main("tune", tiny_space(), "--fast-dev-run", other)
        assert code == 2 and "--fast-dev-run takes no --plan" in err


def test_the_shell_completes_commands():
    environment = {
        **os.environ, "_RAYSED_COMPLETE": "complete_bash", "COMP_WORDS": "raysed sc", "COMP_CWORD": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "raysed.cli"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert {"score", "schema"} == {*done.stdout.split()}
