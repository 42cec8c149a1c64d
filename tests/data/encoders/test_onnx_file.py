import numpy as np
import pytest

from raysed.config.encoder import Encoder
from raysed.data.encoders.onnx_file import OnnxEncoder, onnx_session, side_by_side
from raysed.data.encoders.speech_embedding import FRONT_END, NETWORK
from tests.data.encoders.small import HOP, openwakeword_folder, write_onnx


def encoder(path, layers=None, **more):
    config = Encoder(kind="onnx", path=str(path), sample_rate_hz=16000, hop=HOP, **more)
    return OnnxEncoder(config, layers, "cpu")


def test_layers_are_outputs_side_by_side(tmp_path):
    clip = np.ones((2, 800), np.float32)
    both = encoder(write_onnx(tmp_path / "a.onnx"), ("more_rows", "one_rows"))
    assert both.width == 3 and (both.span, both.centre) == (400, 200)
    assert both(clip)[1, 1].tolist() == [800, 1200, 400]
    assert encoder(tmp_path / "a.onnx").width == 1


def test_what_is_no_encoder_is_refused(tmp_path):
    path = write_onnx(tmp_path / "a.onnx")
    with pytest.raises(ValueError, match="has no outputs last; it has one_rows, more_rows"):
        encoder(path, ("last",))
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ValueError, match=r"text.onnx: not an ONNX model"):
        onnx_session(str(tmp_path / "text.onnx"), "cpu")
    with pytest.raises(ValueError, match="expected one input, waveforms"):
        encoder(f"{openwakeword_folder()}/{NETWORK}")
    with pytest.raises(ValueError, match=r"expected \(batch, rows, values\)"):
        encoder(f"{openwakeword_folder()}/{FRONT_END}", span=4000)
    fixed = write_onnx(tmp_path / "f.onnx", samples=16000, batch=1)
    with pytest.raises(ValueError, match="does it need `fixed_length`"):
        encoder(fixed)


def test_rows_of_two_lengths_are_refused():
    with pytest.raises(ValueError, match="output b has the shape"):
        side_by_side([np.zeros((1, 3, 2)), np.zeros((1, 4, 2))], ["a", "b"])
