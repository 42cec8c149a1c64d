"""The form of the benchmarks' results, and that those without a test of their own run."""

import json
import re

import pytest

from benchmarks import ddp, gpu_check, gpu_parts
from benchmarks.common import document, publish
from benchmarks.team import share_of
from benchmarks.train_step import inputs
from raysed.config.trial import Model, Shares
from raysed.training.ranks import Ranks
from tests.forked import fork_instead
from tests.paths import ROOT

RESULTS = sorted((ROOT / "benchmarks" / "results").glob("*.json"))
SHARES = Shares(synthetic=2, unlabelled=3, weak=2)
MODEL = Model(filters=(2,) * 7, gru_units=4)


def result(name):
    return (ROOT / "benchmarks" / "results" / f"{name}.json").read_text()


def check_form(content):
    keys = {"benchmark", "date", "commit", "hardware", "threads", "versions", "rows"}
    assert content.keys() >= keys
    for row in content["rows"]:
        names = {"name", "reference", "ratio", "ratio_min", "ratio_max", "n", "unit", "value"}
        assert row.keys() >= names
        assert 0 < row["ratio_min"] <= row["ratio"] <= row["ratio_max"]
        assert row["n"] >= 1 and row["value"] > 0


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_stored_results_have_the_agreed_form(path):
    content = json.loads(path.read_text())
    if "rows" in content:
        check_form(content)
        assert path.stem.endswith(content["benchmark"])


TRIPLE = re.compile(r"([\d.,]*\d)(?:\*\*)? \(([\d.,]*\d)(?:\N{EN DASH}| to )([\d.,]*\d)")


@pytest.mark.parametrize(
    ("page", "heading", "names", "count"),
    [
        ("data.md", "## What it costs", ["data", "mel"], 10),
        ("training.md", "## Speed", ["train_step"], 4),
        ("statistics.md", "## Cost", ["metrics"], 4),
    ],
)
def test_ratios_in_the_documents_are_the_stored_ones(page, heading, names, count):
    text = (ROOT / "docs" / page).read_text().split(heading)[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    shown = [found.groups() for line in lines if (found := TRIPLE.search(line))]
    assert len(shown) == count
    stored = [row for name in names for row in json.loads(result(name))["rows"]]
    ratios = [(row["ratio"], row["ratio_min"], row["ratio_max"]) for row in stored]
    for triple in shown:
        values = [float(number.replace(",", "")) for number in triple]
        # Four digits of a large one.
        assert any(values == pytest.approx(ratio, rel=5e-4) for ratio in ratios), triple


def test_the_sounds_of_the_data_stages_are_told():
    assert json.loads(result("data"))["bank"] in (ROOT / "docs" / "data.md").read_text()


@pytest.mark.slow
def test_two_ranks_are_compared_with_one(capsys, monkeypatch):
    fork_instead(monkeypatch)
    row, about = ddp.compare(SHARES, 1, MODEL)
    assert row.n == 1
    assert row.error < 1e-5, "two ranks do the work of one"
    assert about["batch"] == 7
    found = about["all_reduces"]
    # At least one for each of 7 layers of both networks, one in the student's backward pass, and the losses.
    assert found["2 ranks"] == found["own gradients"] > 7 * 2 + 7
    assert (found["1 rank"], found["own statistics"]) == (0, 1)
    assert about["cpu_of_2_ranks_to_1"]["n"] == 1
    assert 0 < about["in_statistics_collectives_share"]["median"] < 1
    ddp.print_costs([about])
    publish(document("ddp", [row], two_ranks=[about]), store=False)
    content = json.loads(capsys.readouterr().out.splitlines()[-1])
    check_form(content)
    assert content["two_ranks"][0]["batch"] == 7


@pytest.mark.parametrize("world", [2, 3])
def test_ranks_share_the_labels_of_their_clips(world):
    student, _, targets = inputs(SHARES)
    for rank in range(world):
        mel, _, held = share_of(student, student, targets, Ranks(rank, world))
        own = list(range(rank, 7, world))
        assert (mel == student[own]).all()
        assert (held.strong_SUK == targets.strong_SUK[[n for n in own if n < 2]]).all()
        assert (held.weak_WK == targets.weak_WK[[n - 5 for n in own if n >= 5]]).all()


def test_a_part_that_crashes_is_reported_and_the_rest_runs(monkeypatch, capsys):
    answers = {"forward": ["crash"], "mel": ["print"]}

    def part(command, **more):
        code = {"crash": "raise OSError('gone')", "print": "print('{\"ok\": true}')"}
        return popen([command[0], "-c", code[answers[command[-1]][0]]], **more)

    popen = gpu_check.subprocess.Popen
    monkeypatch.setattr(gpu_check.subprocess, "Popen", part)
    found = gpu_check.run_all(["forward", "mel"], 100.0)
    assert found["mel"] == {"ok": True}
    assert found["forward"]["error"] == "crashed with exit code 1: OSError: gone"
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("FAILED forward") and said[1].startswith("ok     mel")


def test_a_part_past_its_time_is_stopped(monkeypatch):
    popen = gpu_check.subprocess.Popen
    monkeypatch.setattr(
        gpu_check.subprocess, "Popen", lambda command, **more: popen(["sleep", "60"], **more)
    )
    assert "not finished" in gpu_check.run_apart("forward", 0.2)["error"]
    assert "not started" in gpu_check.run_apart("forward", -1.0)["error"]


def test_losses_that_differ_fail_the_check():
    expected = gpu_parts.torch.tensor([[2.0, 1.0, 0.0, 0.0, 1.0]])
    assert gpu_parts.relative(expected + 0.01, expected) == pytest.approx(0.005)
    assert not gpu_parts.within(float("nan"), 1.0)["ok"]
