"""The commands around prediction, whose work is faked: what they ask for, print and return."""

import json
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from raysed.cli import predict_commands
from raysed.exit_codes import CHECK_FAILED, DONE
from raysed.predict.export import Parity
from raysed.predict.prediction_run import PredictRequest


def call(function, *arguments):
    program = typer.Typer()
    program.command()(function)
    return CliRunner().invoke(program, arguments)


def test_every_option_of_predict_reaches_the_run(monkeypatch):
    asked = []

    def run(request, say):
        say("one line")
        asked.append(request)
        return 3

    monkeypatch.setattr("raysed.predict.prediction_run.run", run)
    done = call(
        predict_commands.predict_command, "best.pt", "a.wav", "b/", "--out", "o/", "--format", "json",
        "--scores", "s", "--threshold", "0.4", "--threshold", "Cat=0.2", "--postprocessing", "p.json",
        "--network", "teacher", "--workers", "2", "--address", "auto",
    )  # fmt: skip
    assert (done.exit_code, done.stdout, done.stderr) == (3, "", "one line\n")
    assert asked == [
        PredictRequest(
            "best.pt", ("a.wav", "b/"), out="o/", form="json", scores="s", thresholds=("0.4", "Cat=0.2"),
            postprocessing="p.json", network="teacher", workers=2, address="auto",
        )
    ]  # fmt: skip
    call(predict_commands.predict_command, "best.pt", "a.wav")
    assert asked[1] == PredictRequest("best.pt", ("a.wav",))


@pytest.mark.parametrize(("error", "code"), [(1e-6, DONE), (1e-3, CHECK_FAILED)])
def test_export_says_whether_the_file_was_written(monkeypatch, tmp_path, error, code):
    out = tmp_path / "m.onnx"
    detector = SimpleNamespace(encoder=None)
    monkeypatch.setattr("raysed.predict.detector.load_detector", lambda *a, **k: detector)
    monkeypatch.setattr(
        "raysed.predict.export.export_onnx",
        lambda detector, path: Parity(error, 12, 0.125, 0.875),
    )
    done = call(predict_commands.export, "best.pt", str(out), "--json")
    assert done.exit_code == code
    found = json.loads(done.stdout)
    assert found["file"] == (str(out) if code == DONE else None)
    assert (found["error"], found["clips"], found["limit"]) == (error, 12, 1e-4)
    assert done.stderr.splitlines()[-1] == f"{'wrote' if code == DONE else 'not written:'} {out}"
    assert "over 12 windows with scores from 0.125 to 0.875 (limit 1e-04)" in done.stderr
