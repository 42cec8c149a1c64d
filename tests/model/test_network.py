"""A network of one's own: whatever `make_network` makes is trained, stored, read, estimated and exported."""

import numpy as np
import pytest
import torch
from torch import nn

from raysed.config.annotated_set import AnnotatedSet
from raysed.config.data_job import DataJob
from raysed.config.trial import Model, Schedule
from raysed.data.build.dataset_plan import plan
from raysed.model import network
from raysed.model.crnn import CRNN
from raysed.model.network import make_network, parameters_of
from raysed.predict.detector import load_detector
from raysed.predict.export import export_onnx
from raysed.storage.folder import Folder
from raysed.training.train import train
from tests.data.recorded import forms
from tests.paths import ROOT
from tests.training.tiny import sets, trial


class Frames(nn.Module):
    """A linear layer on each output frame's mean log-mel; a clip scores as its best frame."""

    def __init__(self, config, n_classes):
        super().__init__()
        self.time_pooling = config.time_pooling
        self.linear = nn.Linear(8, n_classes)

    def initialise(self, generator):
        with torch.no_grad():
            nn.init.normal_(self.linear.weight, 0.0, 1.0, generator=generator)
            self.linear.bias.zero_()

    def forward(self, mel_BTF):
        mel_BFU = nn.functional.avg_pool1d(mel_BTF.transpose(1, 2), self.time_pooling)
        strong_BUK = torch.sigmoid(self.linear(mel_BFU.transpose(1, 2)))
        return strong_BUK, strong_BUK.amax(1)


def test_outputs_are_the_classes_that_the_labels_name(tmp_path):
    """Twelve classes of one's own are no change of code or configuration."""
    classes = [f"sound {n:02d}" for n in range(12)]
    forms.esc_folders(tmp_path / "own", clips=1, classes=classes, seconds=0.1)
    own = AnnotatedSet(kind="annotated", audio=str(tmp_path / "own"), type="strong")
    job = DataJob(name="own", out=str(tmp_path / "out"), mel="torchaudio", sets={"own": own})
    (planned,) = plan(job)
    assert planned.classes == tuple(classes)
    config = Model(filters=(4,), pooling=((2, 8),), gru_units=4)
    strong_BUK, weak_BK = make_network(config, len(planned.classes))(torch.zeros(1, 8, 8))
    assert strong_BUK.shape[-1] == weak_BK.shape[-1] == 12


def test_no_other_package_names_the_class():
    naming = [p for p in (ROOT / "raysed").rglob("*.py") if "crnn import" in p.read_text()]
    assert {p.parent.name for p in naming} == {"model"}


def test_weights_come_from_the_generator():
    config = Model(filters=(3, 5), pooling=((2, 2), (1, 4)), gru_units=4)
    one, same, other = (
        make_network(config, 3, torch.Generator().manual_seed(seed)).state_dict()
        for seed in (1, 1, 2)
    )
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not torch.equal(one["strong.weight"], other["strong.weight"])
    drawn = CRNN(config, 3)
    drawn.initialise(torch.Generator().manual_seed(1))
    assert all(torch.equal(one[key], value) for key, value in drawn.state_dict().items())


def test_another_class_takes_the_place_of_the_crnn_everywhere(monkeypatch, tmp_path):
    monkeypatch.setattr(network, "CRNN", Frames)
    train(trial(schedule=Schedule(epochs=1, ramp_epochs=1)), sets(), Folder(str(tmp_path)), seed=0)
    path = str(tmp_path / "checkpoints" / "best-dry.pt")
    detector = load_detector(path, device="cpu")
    assert isinstance(detector.network, Frames)
    strong_BUK = detector.scores([(np.ones((63, 8), np.float16), 63)])
    assert strong_BUK.shape == (1, 15, 2) and np.isfinite(strong_BUK).all()
    pytest.importorskip("onnxruntime")
    assert export_onnx(detector, tmp_path / "frames.onnx").ok


def test_the_published_network_has_the_published_parameters():
    assert parameters_of(Model(), 10) == 1_112_420
    own = {"python": "tests.model.own_nets:Frames"}
    assert parameters_of(Model.model_validate({"own": own}), 3) == 8 * 3 + 3
