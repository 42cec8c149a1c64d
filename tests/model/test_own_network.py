"""A network of one's own, by its name: trained, predicted with, exported; refused where it is not what it must be."""

import numpy as np
import pytest
import torch

from raysed.config.encoder import EmbeddingFusion
from raysed.config.network_class import OwnNetwork
from raysed.config.trial import Model, Schedule
from raysed.model.network import make_network
from raysed.model.own_network import check_outputs
from raysed.predict.detector import load_detector
from raysed.predict.export import export_onnx
from raysed.storage.folder import Folder
from raysed.training.train import train
from tests.model.own_nets import Frames
from tests.training.tiny import FEATURES, sets, trial

NETS = "tests.model.own_nets"


def model(name="Frames", **more):
    return Model(filters=(4,), pooling=((4, 1),), own=OwnNetwork(python=f"{NETS}:{name}", **more))


def test_it_is_trained_read_and_exported(tmp_path):
    config = trial(model=model(), schedule=Schedule(epochs=1, ramp_epochs=1))
    result = train(config, sets(), Folder(str(tmp_path)), seed=0)
    assert result["macs_10s"] == 628 // 4 * 8 * 2
    assert f"network {NETS}:Frames (source " in (tmp_path / "log.txt").read_text()
    detector = load_detector(str(tmp_path / "checkpoints/best-dry.pt"), device="cpu")
    assert isinstance(detector.network, Frames)
    strong_BUK = detector.scores([(np.ones((63, 8), np.float16), 63)])
    assert strong_BUK.shape == (1, 15, 2)
    pytest.importorskip("onnxruntime")
    assert export_onnx(detector, tmp_path / "frames.onnx").ok


def test_settings_are_arguments_and_weights_are_the_generators():
    made = make_network(model(settings={"scale": 3.0}), 2, torch.Generator().manual_seed(1))
    same = make_network(model(), 2, torch.Generator().manual_seed(1))
    assert isinstance(made, Frames) and made.scale == 3.0
    assert torch.equal(made.linear.weight, same.state_dict()["linear.weight"])


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("no_network", {}, r"no_network is no subclass of torch\.nn\.Module"),
        ("Unseeded", {}, r"no method initialise\(generator\)"),
        ("Frames", {"settings": {"depth": 2}}, "unexpected keyword argument 'depth'"),
        ("Frames", {"source": "0" * 12}, "this trial belongs to 000000000000"),
    ],
)
def test_what_is_no_network_is_refused(name, more, message):
    with pytest.raises(ValueError, match=message):
        make_network(model(name, **more), 2)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("OneScore", "weak scores NoneType"),
        ("TooFine", r"strong scores \[1, 30, 2\] of mels \[1, 63, 8\]; expected \[1, 15, 2\]"),
        ("Logits", "outside 0 to 1"),
    ],
)
def test_wrong_scores_are_refused_before_training(tmp_path, name, message):
    with pytest.raises(ValueError, match=message):
        train(trial(model=model(name)), sets(), Folder(str(tmp_path)), seed=0)
    assert not (tmp_path / "checkpoints").exists()


def test_a_score_above_one_by_rounding_is_taken():
    check_outputs(make_network(model("Certain"), 2), model("Certain"), FEATURES, 2)


def test_the_networks_of_raysed_are_not_asked():
    check_outputs(make_network(Model(), 2), Model(), FEATURES, 99)


def test_a_network_that_takes_an_encoders_rows_is_checked_with_rows():
    fusion = EmbeddingFusion(fusion="pool", width=6)
    own = OwnNetwork(python=f"{NETS}:OwnCRNN")
    config = Model(filters=(4,), pooling=((4, 8),), gru_units=3, own=own, embedding=fusion)
    check_outputs(make_network(config, 2), config, FEATURES, 2)
