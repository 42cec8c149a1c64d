"""Runs and data sets of the code before `raysed/run` (tests/old_run/README.md) are read, and go on, as then."""

import io
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from raysed.cli import entry as cli
from raysed.config.data_job import DataJob, Roots
from raysed.config.reader import read_config
from raysed.config.space import read_space
from raysed.data.build.dataset_plan import plan
from raysed.training.scoring import decode_scores
from tests.old_run.old import HERE, copy_old_run
from tests.old_run.sounds import write_sounds
from tests.paths import ROOT

IDS = json.loads((HERE / "ids.json").read_text())
FINISHED = HERE / "runs/finished"
TABLES = sorted(path.name for path in (FINISHED / "tables").iterdir())
TRIALS = sorted(path.name for path in (FINISHED / "trials").iterdir())
SYSTEMS = [(cell, seed) for cell in ("all", "labelled") for seed in (0, 1)]
APPLIED = TRIALS[1]
SECONDS = {"train_seconds", "evaluation_seconds"}
LEDGER = {"training_energy", "evaluation_energy", "macs_10s"}
"""Keys of a result that came later."""


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """The data, the spaces and the runs at another place, which is the working directory."""
    root = copy_old_run(tmp_path_factory.mktemp("moved"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("RAYSED_CACHE", str(root / "cache"))
        yield root


@pytest.fixture
def command(old, monkeypatch, capsys):
    """Runs `raysed` in this process; returns exit code, output and messages."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["raysed", *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as stopped:
            code = stopped.code
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


@pytest.fixture
def report(old, command, monkeypatch):
    """What `raysed report` prints of the finished run; figures are drawn elsewhere."""
    monkeypatch.setattr("raysed.page.page.write_figures", lambda run, content: [])
    code, out, _ = command("report", "runs/finished")
    assert code == 0
    return out


MEASURED = {
    "1.csv": ["table", "cell", "column", "training", "xvalid", "set", "metric", "value", "seed_values", "published", "seeds", "states", "trials"],
    "contrasts.csv": ["cell", "against", "set", "metric", "difference", "seeds", "seed_differences", "trials"],
    "claims.csv": ["claim", "set", "cell", "against", "metric", "expect", "difference", "seeds", "trials", "published"],
}  # fmt: skip
"""What a run measured. Intervals and verdicts are what is said of it, by the methods of the day."""


def test_the_report_writes_the_same_tables(old, report):
    assert "Table 1, validation" in report
    assert {"1.md", "1.csv", "1.tex", "claims.csv", "contrasts.csv"} <= set(TABLES)
    assert set(TABLES) <= {path.name for path in (old / "runs/finished/tables").iterdir()}
    for name, columns in MEASURED.items():
        ours, stored = (
            pd.read_csv(folder / "tables" / name)[columns]
            for folder in (old / "runs/finished", FINISHED)
        )
        # A CPU may round last digits in its own way.
        pd.testing.assert_frame_equal(ours, stored, rtol=1e-9)


def test_the_report_writes_the_same_results(old, report):
    ours, stored = (
        pd.read_parquet(folder / "results.parquet") for folder in (old / "runs/finished", FINISHED)
    )
    # Columns that came later are empty: nothing was counted then.
    added = ours.drop(columns=stored.columns)
    assert "macs_10s" in added and added.isna().all(axis=None)
    pd.testing.assert_frame_equal(ours[stored.columns], stored, rtol=1e-9)


def test_the_page_shows_the_run_and_its_clips(old, report):
    page = (old / "runs/finished/report.html").read_text()
    block = page.split('id="content"', 1)[1].split(">", 1)[1].split("</script>", 1)[0]
    content = json.loads(block)
    assert len(content["trials"]) == len(TRIALS)
    assert {row["cell"] for row in content["values"]} == {"all", "labelled"}
    (browser,) = content["browser"]
    assert browser["missing"] is None and browser["total"] == len(browser["clips"])
    assert all(clip["picture"] for clip in browser["clips"])
    assert [(s["cell"], s["seed"]) for s in browser["systems"]] == SYSTEMS


def test_its_checkpoint_predicts_the_same_events(old, command):
    checkpoint = f"runs/finished/trials/{APPLIED}/checkpoints/best-dry.pt"
    code, out, _ = command("predict", checkpoint, "sounds/dataset/audio/validation/validation")
    ours, stored = (
        pd.read_csv(io.StringIO(text), sep="\t")
        for text in (out, (HERE / "predicted.tsv").read_text())
    )
    assert code == 0 and len(stored) > 0
    pd.testing.assert_frame_equal(ours, stored, atol=1e-6)


def test_its_checkpoint_is_tuned_to_the_same_settings(old, command):
    """Without training; `predict` takes what comes out."""
    trial = old / "tuned"
    shutil.copytree(old / "runs/finished/trials" / APPLIED, trial)
    xvalid, validation = (next(old.glob(f"data/{name}-*")) for name in ("dry", "validation"))
    sets = ("--xvalid", str(xvalid), "--evaluate", str(validation))
    code, out, _ = command("postprocess", "tuned", *sets, "--json")
    assert code == 0
    ours, stored = json.loads(out), json.loads((HERE / "postprocessed.json").read_text())
    assert Path(ours.pop("checkpoint")).name == Path(stored.pop("checkpoint")).name
    assert ours.pop("method") == "median"
    gains = [system["gain"] for each in (ours, stored) for system in each["systems"]]
    for gain in filter(None, gains):  # ends are by the method of the day: BCa then, symmetric now
        low, high = gain.pop("low"), gain.pop("high")
        assert low <= gain["difference"] <= high
    assert ours == stored
    code, out, _ = command(
        "predict", "tuned/checkpoints/tuned-dry.pt", "sounds/dataset/audio/validation/validation"
    )
    assert code == 0 and out.startswith("filename\tonset\toffset\tevent_label")


@pytest.mark.ray
def test_nothing_of_a_finished_run_is_trained_again(old, command, ray_session):
    trials = old / "runs/finished/trials"
    before = {path: path.stat().st_mtime_ns for path in trials.rglob("*") if path.is_file()}
    code, _, said = command("tune", "finished.yaml")
    assert code == 0 and "4 trials, 4 finished" in said, said
    assert before == {path: path.stat().st_mtime_ns for path in trials.rglob("*") if path.is_file()}


def test_a_paused_run_of_other_code_asks_first(old, command):
    code, _, said = command("tune", "paused.yaml")
    assert code == 2 and "the code was raysed 0.1.0 (commit 9910a5b11fef" in said
    assert "--allow-changed" in said


@pytest.mark.ray
def test_a_paused_run_goes_on_to_the_results_of_then(old, command, ray_session):
    trials = old / "runs/paused/trials"
    (begun,) = (path for path in trials.iterdir() if not (path / "result.json").exists())
    done = len((begun / "progress.jsonl").read_text().splitlines())
    assert 0 < done < 12 and len(list(trials.iterdir())) == 2
    code, _, said = command("tune", "paused.yaml", "--allow-changed")
    assert code == 0 and "4 trials, 1 finished" in said, said
    assert f"goes on from checkpoints/last.pt: {done} epochs" in (begun / "log.txt").read_text()
    assert len(json.loads((old / "runs/paused/made_by.json").read_text())) == 2
    for name in TRIALS:
        assert_same_trial(trials / name, FINISHED / "trials" / name)


def assert_same_trial(ours, stored):
    """Bit by bit on a CPU like the one that made it; on another one, scores and losses are near."""
    names = sorted(path.name for path in (stored / "scores").iterdir())
    assert len(names) == 2 and names == sorted(path.name for path in (ours / "scores").iterdir())
    files = [[(path / "scores" / name).read_bytes() for name in names] for path in (ours, stored)]
    for contents in zip(*files, strict=True):
        a, b = (decode_scores(content, "stored").scores_NUK.astype(float) for content in contents)
        np.testing.assert_allclose(a, b, atol=0.02)
    results = [json.loads((path / "result.json").read_text()) for path in (ours, stored)]
    assert results[0].keys() - results[1].keys() <= LEDGER and results[0]["epochs"] == 12
    assert results[0]["loss_last"] == pytest.approx(results[1]["loss_last"], rel=0.02)
    if files[0] == files[1]:
        # The number of threads and the kind of processor decide the last digits of a loss.
        for name in ("loss_first", "loss_last"):
            losses = [each.pop(name) for each in results]
            assert losses[0] == pytest.approx(losses[1], rel=1e-6)
        kept = results[1].keys() - SECONDS
        assert {key: results[0][key] for key in kept} == {key: results[1][key] for key in kept}
        assert_same_statistics(ours / "statistics", stored / "statistics")


def assert_same_statistics(ours, stored):
    """The same files with the same arrays; only versions of packages may be others."""
    names = sorted(path.name for path in stored.iterdir())
    assert len(names) == 4 and names == sorted(path.name for path in ours.iterdir())
    for name in names:
        with np.load(ours / name) as a, np.load(stored / name) as b:
            assert sorted(a) == sorted(b)
            for key in set(a) - {"header"}:
                assert a[key].dtype == b[key].dtype and a[key].tobytes() == b[key].tobytes()
            headers = [json.loads(each["header"].tobytes()) for each in (a, b)]
        same_versions = headers[0].pop("versions") == headers[1].pop("versions")
        assert headers[0] == headers[1]
        assert not same_versions or (ours / name).read_bytes() == (stored / name).read_bytes()


@pytest.mark.ray
def test_data_sets_built_now_have_the_ids_and_rows_of_then(old, command, ray_session):
    job = (old / "job.yaml").read_text()
    (old / "again.yaml").write_text(job.replace("out: data", "out: again"))
    code, _, _ = command("data", "again.yaml")
    assert code == 0
    stored = sorted(path.name for path in (HERE / "data").iterdir())
    assert sorted(path.name for path in (old / "again").iterdir()) == stored
    for name in stored:
        tables = [
            pq.read_table(root / name / "shard-00000.parquet")
            for root in (old / "again", HERE / "data")
        ]
        assert tables[0].schema == tables[1].schema
        assert tables[0].drop_columns("mel").equals(tables[1].drop_columns("mel"))
        mels = [np.stack(table["mel"].to_numpy()).astype(float) for table in tables]
        np.testing.assert_allclose(mels[0], mels[1], rtol=4e-3, atol=1e-6)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """The roots of a job with DESED's classes."""
    job = read_config(str(ROOT / "data_jobs/desed.yaml"), DataJob, unset=[])
    return write_sounds(tmp_path_factory.mktemp("sounds"), job.classes)


@pytest.mark.parametrize("name", IDS["data_sets"])
@pytest.mark.parametrize("mel", ["dali", "torchaudio"])
def test_the_ids_of_the_jobs_data_sets_do_not_change(sounds, tmp_path, name, mel):
    job = read_config(str(ROOT / f"data_jobs/{name}.yaml"), DataJob, unset=[])
    assert job.mel == "dali", "on machines without a GPU, too"
    roots = Roots(**{key: sounds[key] for key, given in job.roots if given is not None})
    # Who computes the mel bands is part of an id.
    job = job.model_copy(update={"roots": roots, "mel": mel, "out": str(tmp_path)})
    then = IDS["data_sets_by_dali" if mel == "dali" else "data_sets"][name]
    # Sets that came later may stand beside them.
    assert then.items() <= {each.name: each.id for each in plan(job)}.items()


@pytest.mark.parametrize("name", IDS["trainings"])
def test_the_ids_of_the_spaces_trainings_do_not_change(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    resolved = read_space(f"tune_spaces/{name}.yaml", unset=[])
    then = {cell: id_ for cells, id_ in IDS["trainings"][name].items() for cell in cells.split("/")}
    # Cells that came later may stand beside them, or share their trainings.
    assert (
        then.items()
        <= {cell: each.id for each in resolved.trainings for cell in each.cells}.items()
    )
