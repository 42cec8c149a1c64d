"""`raysed data` around a build that is faked: what is printed where, and how it exits."""

import json
import re
from dataclasses import replace

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from raysed.cli.data_command import data
from raysed.data.build.resume import DatasetResult
from raysed.exit_codes import DONE, HOLES

JOB = {
    "name": "tiny",
    "out": "out",
    "classes": ["Cat"],
    "quarantine_limit": 0.05,
    "roots": {"recorded": "nowhere"},
    "sets": {"weak": {"kind": "recorded", "subset": "weak"}},
}
RESULT = DatasetResult("weak", "1d", "out/weak-1d", 9, 1, 2, 3, 5, 4, False, ("mind the gap",))


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Runs the command on a job whose build returns, or raises, this; returns what it printed."""

    def call(*arguments: str, results=(RESULT,)) -> Result:
        def build(job, **options):
            call.asked = (job.name, options)
            if isinstance(results, BaseException):
                raise results
            return {result.name: result for result in results}

        monkeypatch.setattr("raysed.data.build.job.build", build)
        path = tmp_path / "job.yaml"
        path.write_text(yaml.safe_dump(JOB))
        program = typer.Typer()
        program.command()(data)
        return CliRunner().invoke(program, [str(path), *arguments])

    return call


def test_one_json_object_and_warnings_beside_it(command):
    done = command("--json")
    assert done.exit_code == DONE
    assert done.stderr == "warning: mind the gap\n"
    (told,) = json.loads(done.stdout)["datasets"]
    assert told["clips"] == 9 and told["shards_built"] == 4 and told["url"] == "out/weak-1d"


def test_a_table_then_where_the_sets_are(command):
    other = replace(RESULT, name="val", url="out/val-2e")
    done = command(results=(RESULT, other))
    assert done.stdout.splitlines()[-2:] == ["out/weak-1d", "out/val-2e"]
    # One warning of both.
    assert done.stderr.count("mind the gap") == 1


def test_too_many_unreadable_clips_exit_with_holes(command):
    done = command(results=(replace(RESULT, over_limit=True),))
    assert done.exit_code == HOLES
    assert "weak: over 5.0% of the clips are quarantined, see quarantine.tsv" in done.stderr


def test_options_reach_the_build(command):
    command("--sets", "weak,val", "--workers", "3", "--address", "auto")
    assert command.asked == ("tiny", {"sets": ["weak", "val"], "workers": 3, "address": "auto"})
    command()
    assert command.asked[1] == {"sets": None, "workers": None, "address": None}


def test_an_interrupt_says_that_the_work_is_kept(command):
    done = command(results=KeyboardInterrupt())
    assert done.exit_code == 130
    assert "interrupted: finished shards are kept, the same command goes on" in done.stderr


def test_the_table_is_whole_where_there_is_no_terminal(command):
    wide = DatasetResult(
        "unlabelled_with_a_name_of_forty_characters",
        *("1d", "out/x", 14412, 0, 123, 4567, 113, 113, False, ()),
    )
    done = command(results=(wide,))
    assert done.exit_code == DONE and "…" not in done.stdout
    lines = done.stdout.splitlines()
    header, row = (re.findall(r"[^┃│]+", lines[i]) for i in (1, 3))
    told = dict(zip(map(str.strip, header), map(str.strip, row), strict=True))
    assert told == {
        "set": "unlabelled_with_a_name_of_forty_characters", "clips": "14412", "dropped": "0",
        "quarantined": "123", "missing": "4567", "shards": "113", "shards built": "113",
    }  # fmt: skip
