"""Checkpoints: what is stored comes back, and what is no whole checkpoint of ours is named."""

import io
import json
import zipfile

import pytest
import torch

from raysed import __version__
from raysed.config.fault import ConfigError
from raysed.config.trial import Selection
from raysed.model.network import make_network
from raysed.storage.folder import Folder
from raysed.training.checkpoint import (
    Predictor,
    load_checkpoint,
    load_predictor,
    parse_checkpoint,
    save_checkpoint,
    save_predictor,
)
from raysed.training.inputs import Normaliser
from tests.training.tiny import CLASSES, FEATURES, trial


def predictor(**changes):
    networks = {
        name: make_network(trial().model, 2, torch.Generator().manual_seed(seed))
        for seed, name in enumerate(("student", "teacher"))
    }
    normaliser = Normaliser(torch.arange(8.0), torch.arange(1.0, 9.0))
    fields = {"trial": trial(), "features": FEATURES, "classes": CLASSES, "epoch": 4}
    return Predictor(**networks, normaliser=normaliser, **{**fields, **changes})


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = Folder(str(tmp_path_factory.mktemp("saved")))
    save_predictor(folder, "best.pt", predictor())
    return folder


def test_a_predictor_comes_back_with_all_it_needs(saved):
    found, stored = load_predictor(saved, "best.pt"), predictor()
    for name in ("trial", "features", "classes", "epoch"):
        assert getattr(found, name) == getattr(stored, name)
    assert torch.equal(found.normaliser.mean_F, stored.normaliser.mean_F)
    assert torch.equal(found.normaliser.std_F, stored.normaliser.std_F)
    for name in ("student", "teacher"):
        theirs = getattr(stored, name).state_dict()
        ours = getattr(found, name)
        assert not ours.training
        assert all(torch.equal(value, theirs[key]) for key, value in ours.state_dict().items())


@pytest.mark.parametrize("network", ["student", "teacher"])
def test_the_trial_selects_the_network(network):
    chosen = predictor(trial=trial(selection=Selection(network=network)))
    assert chosen.model is getattr(chosen, network)


def test_a_checkpoint_says_what_made_it(tmp_path):
    folder = Folder(str(tmp_path))
    tensors = {"a": torch.ones(2), "b": {"c": torch.zeros(1, dtype=torch.int64)}}
    save_checkpoint(folder, "x.pt", tensors, {"epoch": 3, "best": {"dry": 0.5}})
    found, about = load_checkpoint(folder, "x.pt")
    assert torch.equal(found["a"], tensors["a"]) and torch.equal(found["b"]["c"], tensors["b"]["c"])
    assert (about["epoch"], about["best"], about["raysed"]) == (3, {"dry": 0.5}, __version__)
    assert about["torch"] == torch.__version__


def test_another_format_is_refused():
    buffer = io.BytesIO()
    torch.save({"about": json.dumps({"format": 2})}, buffer)
    with pytest.raises(ValueError, match=r"new\.pt: checkpoint format 2, expected 1"):
        parse_checkpoint(buffer.getvalue(), "new.pt")


def test_a_configuration_that_is_none_is_named(tmp_path, saved):
    tensors, about = load_checkpoint(saved, "best.pt")
    about["trial"]["model"]["gru_units"] = "many"
    folder = Folder(str(tmp_path))
    save_checkpoint(folder, "odd.pt", tensors, about)
    with pytest.raises(ConfigError, match=r"(?s)odd\.pt.*gru_units"):
        load_predictor(folder, "odd.pt")


@pytest.mark.parametrize("kept", [0, 10, 5000])
def test_a_truncated_checkpoint_is_named(saved, tmp_path, kept):
    content = saved.read("best.pt")
    assert len(content) > 5000
    (tmp_path / "best.pt").write_bytes(content[:kept])
    with pytest.raises(ValueError, match=r"best\.pt: not a whole raysed checkpoint"):
        load_predictor(Folder(str(tmp_path)), "best.pt")


def test_a_flipped_bit_is_named(saved):
    content = bytearray(saved.read("best.pt"))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        largest = max(archive.infolist(), key=lambda file: file.file_size)
    # Behind its header, which holds padding too.
    content[largest.header_offset + largest.file_size] ^= 1
    with pytest.raises(
        ValueError, match=rf"whole raysed checkpoint \({largest.filename} is damaged\)"
    ):
        parse_checkpoint(bytes(content), "best.pt")


@pytest.mark.parametrize("stored", [[1], torch.zeros(3), {"about": 3}, {"about": "[]"}, {}])
def test_what_another_program_saved_is_named(stored):
    buffer = io.BytesIO()
    torch.save(stored, buffer)
    with pytest.raises(ValueError, match=r"other\.pt: not a whole raysed checkpoint"):
        parse_checkpoint(buffer.getvalue(), "other.pt")


def test_text_is_no_checkpoint_and_its_beginning_is_shown():
    with pytest.raises(
        ValueError, match=r"x\.pt: not a whole .*begins with b'epoch.tf1', expected"
    ):
        parse_checkpoint(b"epoch\tf1\n1\t0.2\n", "x.pt")


def test_a_training_state_is_not_a_predictor(tmp_path):
    folder = Folder(str(tmp_path))
    save_checkpoint(folder, "last.pt", {"networks": {"student": {}}}, {"epoch": 1})
    with pytest.raises(ValueError, match=r"last\.pt: holds a training state"):
        load_predictor(folder, "last.pt")


def test_an_absent_checkpoint_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.pt: no such checkpoint"):
        load_predictor(Folder(str(tmp_path)), "none.pt")


def test_weights_of_another_model_are_named(saved, tmp_path):
    predictor = load_predictor(saved, "best.pt")
    wider = predictor.trial.model.model_copy(update={"gru_units": 5})
    other = predictor.trial.model_copy(update={"model": wider})
    folder = Folder(str(tmp_path))
    save_predictor(folder, "odd.pt", type(predictor)(**{**vars(predictor), "trial": other}))
    with pytest.raises(ValueError, match=r"odd\.pt: weights do not fit"):
        load_predictor(folder, "odd.pt")


@pytest.mark.parametrize("lost", ["teacher", "std_F", "classes", "trial", "epoch"])
def test_a_part_that_is_lacking_is_named(saved, tmp_path, lost):
    tensors, about = load_checkpoint(saved, "best.pt")
    for parts in (tensors, about):
        parts.pop(lost, None)
    save_checkpoint(Folder(str(tmp_path)), "best.pt", tensors, about)
    with pytest.raises(ValueError, match=rf"best\.pt: of another version .* it lacks {lost}$"):
        load_predictor(Folder(str(tmp_path)), "best.pt")


def test_other_objects_are_refused_without_advice_to_load_them():
    buffer = io.BytesIO()
    torch.save({"about": zipfile.ZipInfo("x")}, buffer)
    with pytest.raises(ValueError, match="holds other objects than tensors and text") as caught:
        parse_checkpoint(buffer.getvalue(), "x.pt")
    assert "weights_only" not in str(caught.value)
