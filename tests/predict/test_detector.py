"""A checkpoint as a detector: its features, its network, its post-processing."""

from pathlib import Path

import numpy as np
import pytest
import torch

from raysed.data.features.mel import log_mel_db, mel_amplitude
from raysed.predict.detector import (
    load_detector,
    read_checkpoint,
    split_path,
    with_settings,
)
from raysed.storage.folder import Folder
from raysed.training.checkpoint import load_checkpoint, save_checkpoint, save_predictor
from tests.predict.small import FEATURES, NORMALISER, bursts, checkpoint
from tests.training.tiny import CLASSES


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    return checkpoint(tmp_path_factory.mktemp("detector"))


def test_it_knows_all_that_prediction_needs(stored):
    found = load_detector(stored, device="cpu")
    assert (found.classes, found.features, found.epoch) == (CLASSES, FEATURES, 3)
    assert (found.name, found.device) == ("student", "cpu") and not found.network.training
    assert found.settings.classes == CLASSES


def test_scores_are_those_of_the_network_on_the_normalised_log_mel(stored):
    found = load_detector(stored, device="cpu")
    whole, short = bursts(2.0, seed=1), bursts(0.7, seed=2)
    scores_BUK = found.scores([found.mel(whole), found.mel(short)])
    assert scores_BUK.dtype == np.float16
    for waveform_T, scores_UK in zip((whole, short), scores_BUK, strict=True):
        amplitude = mel_amplitude(waveform_T, FEATURES).astype(np.float16).astype(np.float32)
        log_mel_TF = torch.from_numpy(log_mel_db(amplitude, FEATURES).astype(np.float32))
        with torch.inference_mode():
            expected = found.network(NORMALISER(log_mel_TF[None]))[0][0]
        np.testing.assert_allclose(scores_UK, expected.numpy(), atol=2e-3)


def test_a_window_has_its_own_frames_and_the_shape_of_a_whole_one(stored):
    found = load_detector(stored, device="cpu")
    mel_TF, frames = found.mel(bursts(0.5))
    assert mel_TF.shape == (FEATURES.n_frames, 8) and frames == 4000 // FEATURES.hop + 1
    assert not mel_TF[frames:].any() and mel_TF[frames - 1].any()
    with pytest.raises(ValueError, match="does not fit float16; scale the audio"):
        found.mel(1e6 * bursts(0.5))


def test_the_named_network_is_taken(stored):
    student, teacher = (load_detector(stored, name, "cpu") for name in ("student", "teacher"))
    assert (student.name, teacher.name) == ("student", "teacher")
    a, b = (found.network.state_dict()["strong.weight"] for found in (student, teacher))
    assert not torch.equal(a, b)


def test_settings_stored_beside_the_networks_go_before_the_trials(stored, tmp_path):
    folder, name = split_path(stored)
    tensors, about = load_checkpoint(folder, name)
    about["postprocessing"] = {"threshold": {"Dog": 0.125}}
    save_checkpoint(Folder(str(tmp_path)), "tuned.pt", tensors, about)
    own = read_checkpoint(stored).settings
    tuned = read_checkpoint(str(tmp_path / "tuned.pt")).settings
    assert tuned.threshold == (own.threshold[0], 0.125)
    assert tuned.median_window == own.median_window
    changed = with_settings(load_detector(stored, device="cpu"), tuned)
    assert changed.settings == tuned


def test_paths_and_urls_are_split_into_folder_and_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for given, folder, name in (
        ("a/best.pt", str(tmp_path / "a"), "best.pt"),
        ("best.pt", str(tmp_path), "best.pt"),
        ("/best.pt", "/", "best.pt"),
        ("s3://bucket/run/best.pt", "s3://bucket/run", "best.pt"),
    ):
        found = split_path(given)
        assert (found[0].url, found[1]) == (folder, name)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert split_path("~/x.pt")[0].url == str(Path(tmp_path))


def test_checkpoints_that_are_none(tmp_path):
    path = checkpoint(tmp_path)
    content = (tmp_path / "best-dry.pt").read_bytes()
    (tmp_path / "cut.pt").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.pt").write_text("this is no checkpoint\n")
    (tmp_path / "none.pt").write_bytes(b"")
    for name in ("cut.pt", "text.pt", "none.pt"):
        with pytest.raises(ValueError, match=f"{name}: not a whole raysed checkpoint"):
            load_detector(str(tmp_path / name))
    with pytest.raises(ValueError, match=r"absent\.pt: no such checkpoint"):
        load_detector(str(tmp_path / "absent.pt"))
    assert read_checkpoint(path).predictor.epoch == 3


def test_a_checkpoint_whose_weights_are_not_numbers_is_refused(tmp_path):
    """It used to end in the compiled decoding, with a segmentation fault."""
    path = checkpoint(tmp_path)
    predictor = read_checkpoint(path).predictor
    with torch.no_grad():
        predictor.student.strong.bias[1] = float("nan")
    save_predictor(Folder(str(tmp_path)), "nan.pt", predictor)
    with pytest.raises(ValueError, match=r"nan\.pt: the student has weights that are not numbers"):
        load_detector(str(tmp_path / "nan.pt"), device="cpu")
    assert load_detector(str(tmp_path / "nan.pt"), "teacher", "cpu").name == "teacher"


def test_a_checkpoint_of_another_version_says_what_it_lacks(tmp_path):
    folder = Folder(str(tmp_path))
    checkpoint(tmp_path)
    tensors, about = load_checkpoint(folder, "best-dry.pt")
    old = {"model": tensors["student"], "mean_F": tensors["mean_F"], "std_F": tensors["std_F"]}
    save_checkpoint(folder, "old.pt", old, about)
    with pytest.raises(ValueError, match=r"another version of raysed .*lacks student, teacher"):
        load_detector(str(tmp_path / "old.pt"))
