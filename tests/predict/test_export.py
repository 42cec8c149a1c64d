"""The exported graph: the scores of prediction, the same maths step by step, and its metadata."""

import json

import numpy as np
import pytest
import torch
import typer

from raysed.cli.predict_commands import export
from raysed.predict.detector import load_detector
from raysed.predict.export import TOLERANCE, MelToScores, Parity, example_mels
from tests.predict.small import bursts, detector


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return detector(tmp_path_factory.mktemp("export"))


def test_the_graph_is_prediction_without_operations_in_place(small):
    """Silence and a short window included: the floor is under each window's own maximum."""
    mel_BTF, frames_B = (torch.from_numpy(array) for array in example_mels(small, 4))
    mel_BTF[1] = 0
    before = mel_BTF.clone()
    with torch.inference_mode():
        found = MelToScores(small).eval()(mel_BTF, frames_B)
        expected = small.forward(mel_BTF.clone(), frames_B)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    assert torch.equal(mel_BTF, before)


def test_exporting_leaves_the_detector_as_it_was(small):
    kinds = [type(module) for module in small.network.modules()]
    MelToScores(small)
    assert [type(module) for module in small.network.modules()] == kinds


def test_examples_vary_and_the_last_is_short(small):
    mel_BTF, frames_B = example_mels(small, 3)
    assert mel_BTF.shape == (3, small.features.n_frames, 8) and mel_BTF.dtype == np.float32
    assert frames_B.tolist() == [small.features.n_frames] * 2 + [small.features.n_frames // 3]
    assert not mel_BTF[-1, frames_B[-1] :].any() and mel_BTF[:-1].all()
    for other in (example_mels(small, 3, seed=1), example_mels(small, 4)):
        assert not np.array_equal(other[0][0], mel_BTF[0])
    np.testing.assert_array_equal(example_mels(small, 3)[0], mel_BTF)


@pytest.mark.parametrize(
    ("error", "ok"), [(0.0, True), (TOLERANCE, True), (2e-4, False), (np.nan, False)]
)
def test_what_is_not_a_small_difference_is_none(error, ok):
    assert Parity(error, 12, 0.0, 1.0).ok is ok


def test_onnx_gives_the_scores_of_prediction(place, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    from raysed.predict.export import example_mels, export_onnx

    detector = load_detector(str(place / "best-dry.pt"), device="cpu")
    parity = export_onnx(detector, tmp_path / "model.onnx")
    assert parity.ok and parity.error < 1e-4 and parity.highest - parity.lowest > 0.5
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["classes"]) == ["Cat", "Dog"]
    assert json.loads(about["postprocessing"]) == detector.settings.as_json()
    mel_TF, frames = detector.mel(bursts(1.0))
    strong, _ = session.run(
        None, {"mel": mel_TF[None].astype(np.float32), "frames": np.array([frames])}
    )
    expected = detector.scores([(mel_TF, frames)])
    np.testing.assert_allclose(strong, expected.astype(np.float32), atol=1e-3)
    assert example_mels(detector, 3)[0].shape == (3, detector.features.n_frames, 8)


def test_a_script_reads_what_was_exported(place, tmp_path, monkeypatch, capsys):
    """The same keys whether the file was written or, as here the second time, refused."""
    pytest.importorskip("onnxruntime")
    from raysed.predict import export as export_module

    found = {}
    for limit, code in ((export_module.TOLERANCE, 0), (-1.0, 1)):
        monkeypatch.setattr(export_module, "TOLERANCE", limit)
        out = tmp_path / f"{code}.onnx"
        with pytest.raises(typer.Exit) as stopped:
            export(str(place / "best-dry.pt"), out, as_json=True)
        found[code] = json.loads(capsys.readouterr().out)
        assert stopped.value.exit_code == code and out.exists() == (code == 0)
    assert found[0]["file"] == str(tmp_path / "0.onnx") and found[1]["file"] is None
    assert 0 <= found[0]["error"] <= found[0]["limit"] == 1e-4 and found[0]["clips"] == 12
    assert found[0].keys() == found[1].keys()
