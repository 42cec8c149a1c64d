"""`raysed demo --check` around a training that is faked: it compares every score."""

from types import SimpleNamespace

import numpy as np
import pytest

from raysed.demo import own_digits as module
from raysed.demo.own_digits import check_digits
from raysed.exit_codes import CHECK_FAILED, DONE
from raysed.run.folders import TrialFolder, scores_file
from raysed.storage.folder import Folder
from raysed.training.scores import Scores
from raysed.training.scoring import encode_scores
from tests.paths import ROOT


def scores(change=0.0):
    array = np.full((2, 3, 1), 0.25, np.float16)
    array[1, 2, 0] += change
    return encode_scores(
        Scores(("a.wav", "b.wav"), np.array([1.0, 1.0]), ("Dog",), 0.3, array, array[:, 0])
    )


@pytest.fixture
def demo(monkeypatch, tmp_path):
    """A demo whose one finished trial has scores; `again` is what the second training leaves."""
    data = SimpleNamespace(xvalid=("x",), evaluation=("val", "test"))
    trial = SimpleNamespace(data=data, set_names=lambda: ["val"])
    out = TrialFolder(Folder(str(tmp_path / "trial")))
    plan = SimpleNamespace(training=SimpleNamespace(trial=trial), seed=0, out=out, label="S seed 0")
    about = SimpleNamespace(datasets=[SimpleNamespace(name="val", url="data/val")])
    state = SimpleNamespace(again=[scores(), scores()], out=out)

    def train(trial, sets, folder, *, seed):
        assert seed == 0 and sets == {"val": "data/val"}
        for name, content in zip(("val", "test"), state.again, strict=True):
            folder.write(scores_file(name, "x"), content)

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(module, "plan_trials", lambda *_: [plan])
    monkeypatch.setattr(module, "RunPlan", SimpleNamespace(require=lambda folder: about))
    monkeypatch.setattr(module, "open_dataset", lambda url, cache: url)
    monkeypatch.setattr(module, "train", train)
    for name in ("val", "test"):
        out.folder.write(scores_file(name, "x"), scores())
    return state


def test_without_a_demo_it_says_what_to_do(demo):
    with pytest.raises(ValueError, match="run `raysed demo` first"):
        check_digits(None)


@pytest.mark.parametrize(
    ("change", "code", "words"), [(0.0, DONE, "repeats"), (2**-11, CHECK_FAILED, "does NOT")]
)
def test_every_score_is_compared(demo, capsys, change, code, words):
    demo.out.folder.write("result.json", b"{}")
    demo.again[1] = scores(change)
    assert check_digits(None) == code
    shown = capsys.readouterr().out
    assert f"S seed 0: this machine {words}" in shown
    assert ("4.9e-04" in shown) == bool(change)
