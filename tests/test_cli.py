"""Exit codes and messages, as a script sees them."""

import json
import os
import re
import subprocess
import sys

import pytest
import typer
import yaml

from raysed.cli import commands
from raysed.cli import entry as cli
from raysed.config.fault import ConfigError
from raysed.config.reference import reference
from raysed.config.schema import KINDS, json_schema
from raysed.data.build.resume import DatasetResult
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
    environment = {**os.environ, "COLUMNS": "80"}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=600
    )


def write(path, content):
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return str(path)


COMMANDS = (
    "doctor", "data", "tune", "report", "predict", "postprocess", "export", "demo", "score", "schema",
)  # fmt: skip


def test_help_shows_the_way():
    shown = run("raysed.cli", "--help")
    assert shown.returncode == 0
    assert "doctor → data → tune → report → predict" in shown.stdout
    listed = re.findall(r"^│ (\w+)  ", shown.stdout, re.MULTILINE)
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


@pytest.fixture
def main(monkeypatch, capsys):
    """Runs `raysed`, or one command of it as a program, in this process; returns exit code, output and messages."""

    def call(*arguments, program=cli.main):
        monkeypatch.setattr(sys, "argv", ["raysed", *arguments])
        monkeypatch.setenv("COLUMNS", "80")
        with pytest.raises(SystemExit) as stopped:
            program()
        shown = capsys.readouterr()
        return stopped.value.code, shown.out, shown.err

    return call


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


ERRORS = [
    (ValueError("fs 8000"), 2, "error: fs 8000\n"),
    (ConfigError(["a.yaml:1: x", "a.yaml:2: y"]), 2, "error: a.yaml:1: x\nerror: a.yaml:2: y\n"),
    (IsADirectoryError(21, "Is a directory", "d.tsv"), 2, "error: d.tsv: Is a directory\n"),
    (
        FileExistsError(17, "File exists", "r"),
        2,
        "error: r: a file stands where a folder is to be\n",
    ),
    (IsADirectoryError(21, "Is a directory", ".m.x1", None, "m"), 2, "error: m: Is a directory\n"),
    (PermissionError(13, "Permission denied", "d.tsv"), 2, "error: d.tsv: Permission denied\n"),
    (OSError(28, "No space left on device"), 3, "stopped: [Errno 28] No space left on device\n"),
    (RuntimeError("Ray stopped"), 3, "stopped: Ray stopped\n"),
    (RuntimeError(), 3, "stopped: RuntimeError\n"),
    (KeyError("snr"), 3, "internal error: KeyError: 'snr'\n"),
    (AssertionError("shape"), 3, "internal error: AssertionError: shape\n"),
]


@pytest.mark.parametrize(("error", "code", "message"), ERRORS, ids=lambda value: repr(value)[:30])
def test_errors_are_messages_and_tracebacks_only_when_asked_for(
    monkeypatch, main, error, code, message
):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(commands, "_report", fail)
    found, out, err = main("report", "runs/x")
    assert (found, out) == (code, "")
    assert err.startswith(message) and "Traceback" not in err
    for asked in (("--debug", "report", "runs/x"), ("report", "runs/x", "--debug")):
        found, out, err = main(*asked)
        assert (found, out) == (code, "")
        assert err.startswith("Traceback (most recent call last)") and message in err
        assert ", in fail\n" in err


def test_a_program_of_one_command_takes_debug_too(main):
    for debug in ((), ("--debug",)):
        code, out, err = main(*debug, "absent.yaml", program=lambda: cli.main("tune"))
        assert (code, out) == (2, "")
        assert err.endswith("error: absent.yaml: no such file\n")
        assert ("Traceback" in err) == bool(debug)


@pytest.mark.parametrize("debug", [(), ("--debug",)])
def test_an_interrupt_is_130(monkeypatch, main, debug):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "_report", interrupt)
    assert main(*debug, "report", "runs/x")[0] == 130
    monkeypatch.setattr(commands, "_print_plan", interrupt)
    one = main(*debug, "x.yaml", "--plan", program=lambda: cli.main("tune"))
    assert one[0] == 130


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_interrupt_while_the_commands_load_is_quiet(monkeypatch, main, wrapped):
    class Loading:
        @property
        def app(self):
            if wrapped:  # as Python 3.11 does within a class body
                raise RuntimeError("Error calling __set_name__") from KeyboardInterrupt()
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "raysed.cli.commands", Loading())
    assert main("schema") == (130, "", "interrupted\n")


def test_nothing_that_takes_time_is_loaded_before_the_guard_stands():
    code = "import sys, raysed.cli.entry, raysed.data.__main__, raysed.tune.__main__; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"typer", "rich", "yaml", "pydantic", "numpy"} & set(loaded.stdout.split())


def test_a_reader_that_leaves_early_is_no_error():
    # The longest output fails while it is printed, the shortest at the end.
    for arguments in (("schema", "--markdown"), ("schema", "job", "--markdown")):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as out:
            left = subprocess.run(
                [sys.executable, "-m", "raysed.cli", *arguments],
                cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True, check=False, timeout=120,
            )  # fmt: skip
        assert left.stderr == "" and left.returncode in (0, 1)


def test_a_wrong_command_or_option_is_2(main):
    for arguments, said in ((["scroe"], "score"), (["--nosuch"], "nosuch"), (["schema", "x"], "x")):
        code, out, err = main(*arguments)
        assert (code, out) == (2, "") and said in err


@pytest.mark.parametrize("command", [("raysed.data",), ("raysed.cli", "data")])
def test_a_wrong_key_is_refused_with_its_place(tmp_path, command):
    path = write(tmp_path / "job.yaml", {**JOB, "shard_clip": 3})
    refused = run(*command, path)
    assert refused.returncode == 2
    assert f"{path}:12: shard_clip: unknown key; did you mean shard_clips?" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_tables_are_whole_where_there_is_no_terminal(monkeypatch, main, tmp_path):
    def built(*_, **__):
        name = "unlabelled_with_a_name_of_forty_characters"
        result = DatasetResult(name, "1d", "out/x", 14412, 0, 123, 4567, 113, 113, False, ())
        return {name: result}

    monkeypatch.setattr("raysed.data.build.job.build", built)
    code, out, _ = main("data", write(tmp_path / "job.yaml", JOB))
    assert code == 0 and "…" not in out
    header, row = (re.findall(r"[^┃│]+", line) for line in (out.splitlines()[i] for i in (1, 3)))
    told = dict(zip(map(str.strip, header), map(str.strip, row), strict=True))
    assert told == {
        "set": "unlabelled_with_a_name_of_forty_characters", "clips": "14412", "dropped": "0",
        "quarantined": "123", "missing": "4567", "shards": "113", "shards built": "113",
    }  # fmt: skip


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
