"""`raysed postprocess`: which work its options ask for, and what it prints."""

import json
from types import SimpleNamespace

import pytest

from raysed.cli.postprocess_command import postprocess
from tests.cli.test_predict_commands import call


@pytest.mark.parametrize(
    ("judged", "noted"),
    [(SimpleNamespace(low=0.01), False), (SimpleNamespace(low=0.0), True), (None, True)],
)
def test_a_gain_that_is_not_shown_is_noted(monkeypatch, judged, noted):
    gains = [SimpleNamespace(gain=None), SimpleNamespace(gain=judged)]
    monkeypatch.setattr(
        "raysed.predict.retune.retune", lambda tuning, say: ("tuned.pt", gains, None)
    )
    monkeypatch.setattr("raysed.predict.retune.comparison_lines", lambda *a: ["| a table |"])
    done = call(postprocess, "trial", "--xvalid", "data/x", "--evaluate", "data/val")
    assert done.exit_code == 0, done.exception
    assert done.stdout == "| a table |\n"
    assert "wrote tuned.pt" in done.stderr
    assert ("note: on data/val a gain is not shown" in done.stderr) is noted


def test_boxes_of_score_files(tmp_path):
    (tmp_path / "s").mkdir()
    rows = ["onset\toffset\tCat"] + [
        f"{t}\t{t + 1}\t{s}" for t, s in enumerate([0, 0, 0.5, 0.5, 0, 0])
    ]
    (tmp_path / "s" / "a.tsv").write_text("\n".join(rows) + "\n")
    out = tmp_path / "boxes.tsv"
    done = call(
        postprocess,
        "--scores",
        str(tmp_path / "s"),
        "--boxes",
        str(out),
        "--step-filter-s",
        "2",
        "--json",
    )
    assert done.exit_code == 0, done.exception
    head, (name, onset, offset, label, confidence) = (
        line.split("\t") for line in out.read_text().splitlines()
    )
    assert head == ["filename", "onset", "offset", "event_label", "confidence"]
    assert (name, onset, offset, label) == ("a", "2", "4", "Cat")
    assert float(confidence) == pytest.approx(0.5, abs=1e-6)
    assert json.loads(done.stdout) == {
        "file": str(out), "clips": 1, "classes": ["Cat"], "boxes": 1,
        "step_filter_s": 2.0, "merge_abs": 0.15, "merge_rel": 2.0,
    }  # fmt: skip
    assert "1 boxes of 1 classes in 1 clips (step filter 2 s" in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("trial", "--xvalid", "x"),
        ("--scores", "s"),
        ("--boxes", "b.tsv"),
        ("trial", "--scores", "s", "--boxes", "b.tsv"),
        ("--scores", "s", "--boxes", "b.tsv", "--xvalid", "x"),
    ],
)
def test_half_a_request_is_refused(options):
    done = call(postprocess, *options)
    assert isinstance(done.exception, ValueError)
    assert "--scores FOLDER" in str(done.exception)
