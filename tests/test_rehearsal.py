"""The rehearsal of DESED's real size: its tree, its watch over processes, its arithmetic, and a run of all of it, tiny."""

import json
import sys

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from benchmarks import rehearsal, rehearsal_tables, rehearsal_tree, rehearsal_watch
from benchmarks.rehearsal_watch import look, mapped_mb, watch
from raysed.config.data_job import DataJob
from raysed.config.reader import read_config
from raysed.data.build.dataset_plan import plan
from raysed.data.recorded.tsv import read_strong, read_unlabelled, read_weak
from tests.paths import SHARED
from tests.session_ray import joining
from tests.test_benchmarks import check_form

METADATA = SHARED / "data" / "desed_metadata"
TINY = 0.001


def rows_of(tmp_path, name, metadata, scale=1.0):
    path = tmp_path / f"{name}.tsv"
    path.write_text("\n".join(rehearsal_tree.annotations(name, scale, metadata)) + "\n")
    if name == "weak":
        return read_weak(path, None)
    return (read_unlabelled if name == "unlabelled" else lambda p: read_strong(p, None))(path)


@pytest.mark.parametrize("name", rehearsal_tree.COUNTS)
def test_made_up_annotations_have_the_real_counts(tmp_path, name):
    assert len(rows_of(tmp_path, name, None)) == rehearsal_tree.COUNTS[name]


@pytest.mark.skipif(not METADATA.is_dir(), reason="DESED's annotations are not there")
@pytest.mark.parametrize("name", rehearsal_tree.COUNTS)
def test_the_counts_are_those_of_the_real_annotations(tmp_path, name):
    assert len(rows_of(tmp_path, name, METADATA)) == rehearsal_tree.COUNTS[name]
    assert len(rows_of(tmp_path, name, METADATA, 0.1)) == round(0.1 * rehearsal_tree.COUNTS[name])


@pytest.mark.parametrize("metadata", [None, METADATA], ids=["made up", "real"])
def test_the_tree_is_one_that_the_data_job_takes(tmp_path, metadata):
    if metadata is not None and not metadata.is_dir():
        pytest.skip("DESED's annotations are not there")
    path = rehearsal_tree.write_tree(tmp_path, TINY, metadata, distinct=256)
    plans = {p.name: p for p in plan(read_config(path, DataJob))}
    assert tuple(plans) == rehearsal_tree.SETS
    assert not any(p.source.missing for p in plans.values())
    assert [plans[n].clips for n in ("weak", "weak_xvalid", "unlabelled", "val", "eval")] == [
        18, 2, 20, 20, 20,
    ]  # fmt: skip
    before = path.stat().st_mtime_ns
    assert rehearsal_tree.write_tree(tmp_path, TINY, metadata, distinct=256) == path
    assert path.stat().st_mtime_ns == before, "a finished tree is used again"


def test_the_full_job_is_desed_yaml_with_other_roots(tmp_path, monkeypatch):
    rehearsal_tree.write_job(tmp_path / "job.yaml", tmp_path, 1.0)
    job = read_config(tmp_path / "job.yaml", DataJob)
    for name in ("DESED_ROOT", "DESED_METADATA"):
        monkeypatch.setenv(name, "/nowhere")
    original = read_config(rehearsal_tree.JOB, DataJob)
    assert job.sets == {name: original.sets[name] for name in rehearsal_tree.SETS}
    assert (job.features, job.classes) == (original.features, original.classes)


WORK = """
import subprocess, sys
code = '''
import pathlib, sys, time
while time.process_time() < 1.0: pass
while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.1)
'''
below = subprocess.Popen([sys.executable, "-S", "-c", code, sys.argv[1]])
held = bytearray(60_000_000)  # only now: until it has its own program, the one below has our memory
assert below.wait() == 0
print("done")
"""


def test_a_command_is_watched_with_all_below_it(tmp_path, monkeypatch):
    seen_file = tmp_path / "seen"

    def look_and_tell(root, seen, driver):
        look(root, seen, driver)
        if any(process.cpu_s >= 0.9 for process in seen.values()):
            seen_file.touch()

    monkeypatch.setattr(rehearsal_watch, "look", look_and_tell)
    watched = watch([sys.executable, "-S", "-c", WORK, str(seen_file)], {}, "driver")
    assert watched.output == "done\n"
    kinds = watched.kinds()
    assert kinds["driver"]["peak_rss_mb"] > 60 > kinds["other"]["peak_rss_mb"]
    assert kinds["driver"]["cpu_s"] < 0.9 <= kinds["other"]["cpu_s"]
    assert watched.cpu_s == pytest.approx(sum(kind["cpu_s"] for kind in kinds.values()), abs=0.2)
    with pytest.raises(RuntimeError, match="exit code 3"):
        watch([sys.executable, "-c", "raise SystemExit(3)"], {}, "driver")


def test_mapped_memory_is_that_of_the_files_asked_for(tmp_path):
    assert mapped_mb(".watched")["mapped_rss"] == 0
    path = tmp_path / "x.watched"  # an earlier test may still map a cache
    path.write_bytes(bytes(8_000_000))
    held = np.memmap(path, np.uint8, mode="r")
    assert held[::4096].sum() == 0
    found = mapped_mb(".watched")
    assert found["mapped_rss"] == pytest.approx(8.0, rel=0.05)
    assert found["rss"] > found["mapped_rss"]


def part(cpu_s, calls=1, first_cpu_s=0.0):
    return {"cpu_s": cpu_s, "calls": calls, "first_cpu_s": first_cpu_s or cpu_s / calls}


def test_a_whole_epoch_from_some_steps():
    clips = {"train_pitch_dry": 61, "unlabelled": 1000, "weak": 600}
    built = {name: {"clips": count} for name, count in clips.items()}
    parts = {
        # Warm steps take 2 s; the first compiles for 3 s more.
        "step": part(11.0, 4, 5.0), "inputs": part(1.0, 4), "training": part(14.0),
        "x-valid forward": part(3.0, 2), "x-valid F1": part(6.0, 2, 5.5), "checkpoint": part(0.5),
    }  # fmt: skip
    found = rehearsal_tables.seconds_of_an_epoch({"parts": parts}, built)
    assert (found["steps"], found["steps_taken"], found["extrapolated"]) == (10, 4, True)
    assert (found["step_cpu_s"], found["compiling_cpu_s"]) == (2.0, 3.0 + 5.0)
    # A step, its inputs and what is between: 2, 1/4 and 2/4 s. Then 3 s of passes, 1 of F1, 0.5 of writing.
    assert found["cpu_s"] == 10 * 2.75 + 4.5
    assert found["not_in_the_model"] == pytest.approx(1 - 23 / 32, abs=1e-4)
    assert found["inputs_share"] == pytest.approx(2.5 / 32, abs=1e-4)


@pytest.mark.ray
@pytest.mark.slow
def test_the_whole_rehearsal_runs_tiny_and_is_resumed(tmp_path, ray_session, monkeypatch):
    # Two builds, on the Ray of the session: each takes 4 processes, and another Ray more.
    labelled = tuple(name for name in rehearsal_tree.SETS if name != "unlabelled")
    stages = {"labelled": labelled, "unlabelled": ("unlabelled",)}
    monkeypatch.setattr(rehearsal, "STAGES", stages)
    for name, value in joining().items():
        monkeypatch.setenv(name, value)
    arguments = ["--scale", str(TINY), "--work", str(tmp_path), "--steps", "1", "--at-once", "1,2"]
    arguments += ["--build", ",".join(stages)]
    app = typer.Typer()
    app.command()(rehearsal.main)
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    content = json.loads(done.stdout.splitlines()[-1])
    check_form(content)
    assert content["unlabelled"]["sets"]["unlabelled"]["clips"] == 20
    # So short a build may be over between two looks at its workers.
    assert "driver" in content["labelled"]["processes"]
    assert content["labelled"]["cpu_s"] > 0 and content["cache"]["bytes"] > 80 * 160_000
    assert str(tmp_path) not in json.dumps(content)
    alone, two = content["trials"]
    assert two["mapped_pss_all"] == pytest.approx(alone["mapped_pss_all"], rel=0.05)
    assert two["pss_all"] > alone["pss_all"] + 100, "each has its own networks"
    epoch = content["seconds_of_an_epoch"]
    assert (epoch["steps"], epoch["steps_taken"], epoch["extrapolated"]) == (1, 1, False)
    assert 0 < epoch["not_in_the_model"] < 1
    assert {"forward val", "statistics eval"} <= content["epoch"]["parts"].keys()
    assert (tmp_path / "run" / "tables" / "1.md").is_file()
    again = CliRunner().invoke(app, arguments, catch_exceptions=False)
    later = json.loads(again.stdout.splitlines()[-1])
    assert later["epoch"] == content["epoch"], "a finished stage is not run again"


@pytest.mark.parametrize(
    ("option", "value"), [("--build", "labeled"), ("--at-once", "two"), ("--at-once", "1,,2")]
)
def test_wrong_options_are_refused_before_anything_is_written(tmp_path, option, value):
    app = typer.Typer()
    app.command()(rehearsal.main)
    done = CliRunner().invoke(app, ["--work", str(tmp_path / "new"), option, value])
    assert done.exit_code == 2 and value in done.output
    assert not (tmp_path / "new").exists()
