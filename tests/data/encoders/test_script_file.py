import numpy as np
import pytest
import torch

from raysed.config.encoder import Encoder
from raysed.data.encoders.script_file import ScriptEncoder
from tests.data.encoders.small import HOP, write_script


def encoder(path, layers=None):
    config = Encoder(
        kind="torchscript", path=str(path), sample_rate_hz=16000, hop=HOP, span=3 * HOP
    )
    return ScriptEncoder(config, layers, "cpu")


def test_layers_are_numbered_outputs(tmp_path):
    path, clip = write_script(tmp_path / "s.pt"), np.ones((1, 1600), np.float32)
    assert encoder(path)(clip).tolist() == [[[1200.0], [1200.0]]]
    assert encoder(path, (1, 0))(clip)[0, 0].tolist() == [2400.0, 1200.0]


def test_what_is_no_encoder_is_refused(tmp_path):
    path = write_script(tmp_path / "s.pt")
    with pytest.raises(ValueError, match="the file has 2 outputs"):
        encoder(path, (2,))
    with pytest.raises(ValueError, match="numbered from 0"):
        encoder(path, ("last",))
    torch.save({"weight": torch.ones(1)}, tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=r"weights.pt: not a TorchScript file"):
        encoder(tmp_path / "weights.pt")
