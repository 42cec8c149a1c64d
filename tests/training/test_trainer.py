"""The state of a trial: what an epoch leaves, what selects it, what stops it, what is refused before it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from raysed.config.trial import Optimiser, Schedule, Selection
from raysed.storage.folder import Folder
from raysed.training import train as training
from raysed.training.checkpoint import load_checkpoint, load_predictor
from raysed.training.inputs import fit_normaliser
from raysed.training.keys import seed_of
from raysed.training.mean_teacher import TERMS, MeanTeacher
from raysed.training.ranks import ALONE
from raysed.training.train import train
from raysed.training.trainer import LAST, DivergedError, Trainer
from tests.training.ddp_worker import RECIPE
from tests.training.tiny import FEATURES, sets, trial


class StoppedError(Exception):
    pass


def trainer(out, config=None, data=None):
    return Trainer(
        config or trial(), data or sets(), Folder(str(out)), seed=7, device="cpu", ranks=ALONE
    )


@pytest.mark.parametrize("change", [{}, RECIPE], ids=["published", "recipe"])
def test_an_epoch_goes_on_from_any_step_with_the_same_bits(tmp_path, monkeypatch, change):
    config = trial(**change)
    whole = trainer(tmp_path / "whole", config)
    assert whole.resume() == "trains from the beginning"
    expected = whole.run_epoch(checkpoint_every_s=1e9)
    step, steps = MeanTeacher.step, []

    def stopping(self, *args):
        if len(steps) == 2:
            raise StoppedError
        steps.append(1)
        return step(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(MeanTeacher, "step", stopping)
        cut = trainer(tmp_path / "cut", config)
        cut.resume()
        with pytest.raises(StoppedError):
            cut.run_epoch(checkpoint_every_s=0.0)
    again = trainer(tmp_path / "cut", config)
    assert again.resume() == f"goes on from {LAST}: 0 epochs and 2 steps are done"
    found = again.run_epoch(checkpoint_every_s=1e9)
    unclocked = {"clips_per_s", "train_s", "xvalid_s", "seconds"}
    assert {k: v for k, v in found.items() if k not in unclocked} == {
        k: v for k, v in expected.items() if k not in unclocked
    }
    for ours, theirs in zip(
        again.networks.student.parameters(), whole.networks.student.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("f1", "losses", "chosen"),
    [
        ([0.0, 0.0, 0.0, 0.0], [5.0, 3.0, 4.0, 3.0], 1),  # the first smallest loss on labels
        ([0.0, 0.2, 0.2, 0.0], [5.0, 4.0, 1.0, 0.5], 1),  # the first maximum, whatever the loss
        ([0.0, 0.0, 0.1, 0.0], [5.0, 3.0, 4.0, 1.0], 2),
    ],
)
def test_an_epoch_is_chosen_by_loss_where_no_event_is_right(
    tmp_path, monkeypatch, f1, losses, chosen
):
    made = trainer(tmp_path)
    for epoch, (value, loss) in enumerate(zip(f1, losses, strict=True)):
        monkeypatch.setattr(made, "_xvalid_f1", lambda model, value=value: {"dry": value})
        made.epoch = epoch
        made._score_xvalid(loss)
        made.history.append({"strong": loss - 0.5, "weak": 0.5})
    best = max(f1)
    assert made.best["dry"] == {"epoch": chosen, "xvalid_f1": best, "score": best}


def test_what_an_epoch_tells(tmp_path):
    made = trainer(tmp_path)
    made.resume()
    first, second = made.run_epoch(1e9), made.run_epoch(1e9)
    assert (first["epoch"], first["step"], second["epoch"], second["step"]) == (0, 4, 1, 8)
    assert set(TERMS) < set(first) and first["xvalid_f1"] == first["xvalid_f1_student"]
    assert second["seconds"] == pytest.approx(
        sum(m["train_s"] + m["xvalid_s"] for m in (first, second)), rel=0.05
    )
    lines = (tmp_path / "progress.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == made.history == [first, second]


def test_what_a_kill_left_undone_is_made_good_on_resuming(tmp_path):
    made = trainer(tmp_path)
    made.resume()
    made.run_epoch(1e9)
    names = ["progress.jsonl", "checkpoints/best-dry.pt", "checkpoints/best-plain.pt"]
    before = {name: (tmp_path / name).read_bytes() for name in names}
    for name in names:
        (tmp_path / name).unlink()
    trainer(tmp_path).resume()
    assert (tmp_path / names[0]).read_bytes() == before[names[0]]
    for name in names[1:]:
        assert load_predictor(Folder(str(tmp_path)), name).epoch == 0


def test_dropout_is_a_function_of_the_step(tmp_path, monkeypatch):
    seeds = []
    monkeypatch.setattr(torch, "manual_seed", seeds.append)
    made = trainer(tmp_path)
    made.resume()
    made.run_epoch(1e9)
    assert seeds == [seed_of(7, "dropout", step, 0) for step in range(4)]


@pytest.mark.parametrize("name", ["plain", "validation"])
def test_a_scored_set_without_clips_is_refused_before_training(tmp_path, name):
    data = sets()
    data[name] = replace(
        data[name],
        filenames=(),
        events=(),
        weak_labels=(),
        mels=(),
        durations_s=np.zeros(0),
        frames=np.zeros(0, np.int32),
    )
    with pytest.raises(ValueError, match=rf"{name} holds no"):
        train(trial(), data, Folder(str(tmp_path)), seed=0)
    assert not (tmp_path / "checkpoints").exists()


def test_broken_weights_are_never_checkpointed(tmp_path, monkeypatch):
    def poison(self, decay):
        with torch.no_grad():
            self.student.strong.bias[0] = torch.inf

    monkeypatch.setattr(MeanTeacher, "update_teacher", poison)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY_S", 0.0)
    folder = Folder(str(tmp_path))
    message = r"the update left weights that are not finite at epoch 0, step 0: .*weak\d{3}\.wav$"
    with pytest.raises(DivergedError, match=message):
        training.train(trial(), sets(), folder, seed=0)
    assert folder.read(LAST) is None


def test_selection_of_the_last_epoch_and_of_the_teacher(tmp_path):
    config = trial(selection=Selection(rule="last", network="teacher"))
    result = train(config, sets(), Folder(str(tmp_path)), seed=0)
    assert {s["epoch"] for s in result["selected"].values()} == {2}
    best = load_predictor(Folder(str(tmp_path)), "checkpoints/best-dry.pt").model.state_dict()
    tensors, _ = load_checkpoint(Folder(str(tmp_path)), "checkpoints/last.pt")
    teacher, student = tensors["networks"]["teacher"], tensors["networks"]["student"]
    assert all(torch.equal(best[key], teacher[key]) for key in best)
    assert not torch.equal(best["strong.weight"], student["strong.weight"])


def test_weak_xvalid_adds_to_the_choice(tmp_path):
    data = trial().data.model_copy(update={"weak_xvalid": "weak"})
    config = trial(data=data, selection=Selection(rule="xvalid_f1_plus_weak"))
    lines = []
    result = train(config, sets(), Folder(str(tmp_path)), seed=0, report=lines.append)
    sums = [line["xvalid_f1"]["dry"] + line["weak_xvalid_f1"]["student"] for line in lines]
    assert max(sums) > 0
    best = int(np.argmax(sums))
    assert result["selected"]["dry"]["epoch"] == best
    assert result["selected"]["dry"]["score"] == sums[best]


def test_scaler_scope(tmp_path):
    data = trial().data.model_copy(update={"scaler": ("weak",)})
    config = trial(data=data, schedule=Schedule(epochs=1))
    train(config, sets(), Folder(str(tmp_path)), seed=0)
    stored = load_predictor(Folder(str(tmp_path)), "checkpoints/best-dry.pt").normaliser
    expected = fit_normaliser([sets()["weak"]])
    assert torch.equal(stored.mean_F, expected.mean_F)


def test_an_xvalid_set_without_events_is_refused(tmp_path):
    data = sets()
    data["plain"] = replace(data["plain"], events=((),) * len(data["plain"]))
    with pytest.raises(ValueError, match="x-valid set plain holds no events: it cannot choose"):
        train(trial(), data, Folder(str(tmp_path)), seed=0)
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize(
    "other",
    [{"classes": ("Cat", "Cow")}, {"features": FEATURES.model_copy(update={"n_mels": 4})}],
    ids=["classes", "features"],
)
def test_a_scored_set_unlike_those_trained_on_is_refused(tmp_path, other):
    data = sets()
    data["plain"] = replace(data["plain"], **other)
    with pytest.raises(
        ValueError, match=r"^plain has classes .*; training \(synthetic\) has .*Dog"
    ):
        train(trial(), data, Folder(str(tmp_path)), seed=0)
    assert not (tmp_path / "checkpoints").exists()


def test_a_weak_xvalid_set_without_labels_is_refused(tmp_path):
    names = trial().data.model_copy(update={"weak_xvalid": "unlabelled"})
    config = trial(data=names, selection=Selection(rule="xvalid_f1_plus_weak"))
    with pytest.raises(ValueError, match="weak x-valid set unlabelled holds no labels"):
        train(config, sets(), Folder(str(tmp_path)), seed=0)


def test_a_loss_that_is_not_finite_names_its_clips(tmp_path):
    config = trial(optimiser=Optimiser(learning_rate=1e30, ramp=False))
    folder = Folder(str(tmp_path))
    with pytest.raises(DivergedError, match=r"not finite at epoch 0, step 1: .*weak\d{3}\.wav"):
        train(config, sets(), folder, seed=0)
    assert folder.read("result.json") is None
    last_line = folder.read("log.txt").decode().splitlines()[-1]
    assert "DivergedError: loss is not finite at epoch 0, step 1" in last_line
