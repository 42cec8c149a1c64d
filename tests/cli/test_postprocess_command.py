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
        ("--scores", "s", "--compare"),
        ("trial", "--scores", "s", "--boxes", "b.tsv"),
        ("--scores", "s", "--boxes", "b.tsv", "--xvalid", "x"),
    ],
)
def test_half_a_request_is_refused(options):
    done = call(postprocess, *options)
    assert isinstance(done.exception, ValueError)
    assert "--scores FOLDER" in str(done.exception)


@pytest.fixture
def given(tmp_path):
    """Ten clips of 10 s: a Cat that scores 0.9 and one that scores 0.2 where there is none."""
    (tmp_path / "s").mkdir()
    truth, durations = ["filename\tonset\toffset\tevent_label"], ["filename\tduration"]
    for n in range(10):
        scores = [0.0, 0.0, 0.9, 0.9, 0.0, 0.2, 0.2, 0.0, 0.0, 0.0]
        rows = [f"{t}\t{t + 1}\t{s}" for t, s in enumerate(scores)]
        (tmp_path / f"s/{n}.tsv").write_text("\n".join(["onset\toffset\tCat", *rows]) + "\n")
        truth.append(f"{n}.wav\t2\t4\tCat")
        durations.append(f"{n}.wav\t10")
    (tmp_path / "gt.tsv").write_text("\n".join(truth) + "\n")
    (tmp_path / "d.tsv").write_text("\n".join(durations) + "\n")
    return ["--scores", f"{tmp_path}/s", "--ground-truth", f"{tmp_path}/gt.tsv"], tmp_path


def test_operating_points_of_score_files(given):
    options, _ = given
    done = call(postprocess, *options, "--precision", "0.9", "--json")
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    assert found["wanted"] == {"rate": "precision", "value": 0.9}
    # 0.21 to 0.9 are perfect; the highest is taken.
    assert found["threshold"] == {"Cat": 0.9}
    assert found["classes"]["Cat"]["recall"]["value"] == 1.0


def test_methods_on_score_files(given):
    options, place = given
    done = call(postprocess, *options, "--durations", f"{place}/d.tsv", "--compare")
    assert done.exit_code == 0, done.exception
    lines = done.stdout.splitlines()
    assert [line.split(" | ")[0] for line in lines[2:6]] == [
        "| raw scores", "| class-wise median", "| hysteresis", "| bounding boxes"
    ]  # fmt: skip
    assert "the difference to the raw scores, paired" in done.stdout
    without = call(postprocess, *options, "--compare")
    assert "give --durations" in str(without.exception)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--scores", "s", "--boxes", "b.tsv", "--compare"), "give one of --compare, --boxes"),
        (
            ("--scores", "s", "--precision", "0.9", "--recall", "0.9"),
            "give --precision or --recall",
        ),
        (("trial", "--precision", "0.9", "--method", "boxes"), "leave out --method"),
        (("--scores", "s", "--precision", "90"), "--precision 90: expected a share"),
    ],
)
def test_requests_that_do_not_go_together(options, message):
    done = call(postprocess, *options)
    assert isinstance(done.exception, ValueError) and message in str(done.exception)
