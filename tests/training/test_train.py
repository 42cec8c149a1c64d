import json

import numpy as np
import pytest
import torch

from raysed.config.trial import Schedule, Teacher
from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.run.folders import LAST
from raysed.run.identity import check_identity, identity_of
from raysed.storage.folder import Folder
from raysed.training.checkpoint import (
    load_checkpoint,
    load_predictor,
)
from raysed.training.mean_teacher import labelled_loss
from raysed.training.network_scores import score_set
from raysed.training.scoring import decode_scores, reference_of, statistics_of
from raysed.training.train import train
from tests.training.tiny import CLASSES, FEATURES, sets, trial, with_waveforms


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One undisturbed trial: its folder and its result."""
    folder = Folder(str(tmp_path_factory.mktemp("trial")))
    lines = []
    result = train(trial(), sets(), folder, seed=7, report=lines.append)
    return folder, result, lines


def weights(folder, name):
    tensors, _ = load_checkpoint(folder, name)
    flat = {}

    def walk(prefix, value):
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{prefix}/{key}", inner)
        elif isinstance(value, torch.Tensor):
            flat[prefix] = value

    walk("", tensors)
    return flat


def same_bits(a, b):
    assert a.keys() == b.keys()
    return all(torch.equal(a[key], b[key]) for key in a)


def test_reports_every_epoch_and_leaves_a_whole_folder(finished):
    folder, result, lines = finished
    assert [line["epoch"] for line in lines] == [0, 1, 2]
    assert set(lines[0]["xvalid_f1"]) == {"dry", "plain"}
    assert lines[0]["step"] == 4
    progress = [json.loads(line) for line in folder.read("progress.jsonl").splitlines()]
    assert progress == lines
    for name in ("config.json", "result.json", "checkpoints/last.pt"):
        assert folder.read(name) is not None
    for xvalid in ("dry", "plain"):
        for name in (
            f"checkpoints/best-{xvalid}.pt",
            f"scores/validation.{xvalid}.arrow",
            f"statistics/validation.{xvalid}.npz",
            f"statistics/validation.{xvalid}.always_on.npz",
            f"statistics/validation.{xvalid}.permuted.npz",
        ):
            assert folder.read(name) is not None
    assert result["epochs"] == 3


def test_the_first_maximum_is_selected(finished):
    _, result, lines = finished
    for xvalid, selected in result["selected"].items():
        scored = [line["xvalid_f1"][xvalid] for line in lines]
        best = max(scored)
        by_loss = np.argmin([labelled_loss(line) for line in lines])
        epoch = int(np.argmax(scored) if best > 0 else by_loss)
        assert selected == {"epoch": epoch, "xvalid_f1": best, "score": best}


def test_stored_scores_are_the_selected_models(finished, tmp_path):
    folder, result, _ = finished
    predictor = load_predictor(folder, "checkpoints/best-dry.pt")
    assert (predictor.classes, predictor.features) == (CLASSES, FEATURES)
    assert predictor.epoch == result["selected"]["dry"]["epoch"]
    stored = decode_scores(folder.read("scores/validation.dry.arrow"), "validation.dry.arrow")
    validation = sets()["validation"]
    again = score_set(predictor.model, validation, predictor.normaliser, predictor.trial)
    assert np.array_equal(stored.scores_NUK, again.scores_NUK)
    assert stored.filenames == validation.filenames
    assert stored.frame_s == pytest.approx(4 * 255 / 16000)
    path = tmp_path / "statistics.npz"
    path.write_bytes(folder.read("statistics/validation.dry.npz"))
    fresh = statistics_of(stored, reference_of(validation), predictor.trial.postprocessing)
    assert event_f1(Statistics.load(path))[0] == event_f1(fresh)[0]


def test_a_finished_trial_does_not_run_again(finished):
    folder, result, _ = finished
    lines = []
    assert train(trial(), sets(), folder, seed=7, report=lines.append) == result
    assert lines == []


@pytest.mark.parametrize("kill_after", [0, 1])
def test_killed_and_resumed_is_bitwise_the_same(finished, tmp_path, kill_after):
    folder, result, lines = finished

    def report(metrics):
        if metrics["epoch"] == kill_after:
            raise KilledError

    with pytest.raises(KilledError):
        train(trial(), sets(), Folder(str(tmp_path)), seed=7, report=report)
    assert Folder(str(tmp_path)).read("result.json") is None
    redone = []
    again = train(trial(), sets(), Folder(str(tmp_path)), seed=7, report=redone.append)
    assert [line["epoch"] for line in redone] == list(range(kill_after + 1, 3))
    assert again["selected"] == result["selected"]
    for name in ("checkpoints/last.pt", "checkpoints/best-dry.pt", "checkpoints/best-plain.pt"):
        assert same_bits(weights(folder, name), weights(Folder(str(tmp_path)), name))
    assert [line["loss"] for line in redone] == [line["loss"] for line in lines[kill_after + 1 :]]


@pytest.mark.slow
def test_killed_before_any_write_of_training(finished, tmp_path, monkeypatch):
    """The files agree with each other wherever the kill lands: no best model is newer than `last.pt`."""
    folder, result, lines = finished
    write = Folder.write

    def killed_train(out, kill_at):
        written = 0

        def counted(self, name, content):
            nonlocal written
            if name.startswith(("checkpoints/", "progress")):
                written += 1
                if written == kill_at:
                    raise KilledError
            write(self, name, content)

        with monkeypatch.context() as patch:
            patch.setattr(Folder, "write", counted)
            return train(trial(), sets(), out, seed=7)

    kills = 0
    while True:
        out = Folder(str(tmp_path / str(kills)))
        try:
            killed_train(out, kills + 1)
            break
        except KilledError:
            kills += 1
        done = load_checkpoint(out, LAST)[1]["epoch"] if out.read(LAST) else 0
        for name in ("checkpoints/best-dry.pt", "checkpoints/best-plain.pt"):
            assert out.read(name) is None or load_predictor(out, name).epoch < done
        assert train(trial(), sets(), out, seed=7)["selected"] == result["selected"]
        for name in (LAST, "checkpoints/best-dry.pt", "checkpoints/best-plain.pt"):
            assert same_bits(weights(folder, name), weights(out, name))
        redone = [json.loads(line)["loss"] for line in out.read("progress.jsonl").splitlines()]
        assert redone == [line["loss"] for line in lines]
    assert kills >= 3 * 2 + 2, (
        "three epochs, each with a checkpoint and its history, and two best models"
    )


def test_the_log_tells_a_trials_story(tmp_path):
    folder = Folder(str(tmp_path))

    def report(metrics):
        if metrics["epoch"] == 1:
            raise KilledError("someone pulled the plug")

    with pytest.raises(KilledError):
        train(trial(), sets(), folder, seed=7, report=report)
    first = folder.read("log.txt").decode()
    assert first.rstrip().endswith("KilledError: someone pulled the plug")
    for expected in (
        "torch 2.",
        "synthetic: synthetic (synthetic-id), 9 clips",
        "scored: dry (dry-id), 5 clips",
        "trains from the beginning",
        "epoch 1/3: loss ",
        "(new best)",
        "Traceback",
    ):
        assert expected in first
    train(trial(), sets(), folder, seed=7)
    whole = folder.read("log.txt").decode()
    assert whole.startswith(first), "a resumed trial adds to its log"
    rest = whole[len(first) :]
    assert "goes on from checkpoints/last.pt: 2 epochs and 0 steps are done" in rest
    assert "epoch 3/3: loss " in rest and "epoch 1/3" not in rest
    assert "chosen by dry: validation " in rest and "finished after" in rest


def test_another_seed_is_another_result(finished, tmp_path):
    folder, _, _ = finished
    train(trial(), sets(), Folder(str(tmp_path)), seed=8)
    name = "checkpoints/last.pt"
    assert not same_bits(weights(folder, name), weights(Folder(str(tmp_path)), name))


def test_a_folder_of_another_trial_is_refused(tmp_path):
    folder = Folder(str(tmp_path))
    train(trial(schedule=Schedule(epochs=1)), sets(), folder, seed=0)
    (tmp_path / "result.json").unlink()
    with pytest.raises(
        ValueError,
        match=r"config\.json belongs to another trial .*epochs 1 there, 3 here.*seed: 0 there, 1 here",
    ):
        train(trial(), sets(), folder, seed=1)


def test_a_finished_trial_of_other_data_is_not_served(finished):
    data = sets()
    data["weak"] = type(data["weak"])(**{**vars(data["weak"]), "id": "rebuilt"})
    with pytest.raises(ValueError, match="datasets: weak weak-id there, rebuilt here"):
        train(trial(), data, finished[0], seed=7)


def test_a_checkpoint_of_another_trial_is_refused(finished, tmp_path):
    folder = Folder(str(tmp_path))
    folder.write(LAST, finished[0].read(LAST))
    with pytest.raises(
        ValueError, match=r"last\.pt belongs to another trial \(seed: 7 there, 8 here\)"
    ):
        train(trial(), sets(), folder, seed=8)


@pytest.mark.parametrize("units", [False, True])
def test_bfloat16_is_near_and_resumes_with_the_same_bits(finished, tmp_path, monkeypatch, units):
    """On a processor with units for its products, and on one that only stores it."""
    monkeypatch.setattr("raysed.model.cpu.bfloat16.has_fast_products", lambda: units)
    _, _, lines = finished
    config = trial(precision="bfloat16")
    whole, cut = (Folder(str(tmp_path / name)) for name in ("whole", "cut"))
    again = []
    train(config, sets(), whole, seed=7, report=again.append)
    assert again[0]["loss"] != lines[0]["loss"]
    assert again[0]["loss"] == pytest.approx(lines[0]["loss"], rel=0.05)

    def stop(metrics):
        raise KilledError

    with pytest.raises(KilledError):
        train(config, sets(), cut, seed=7, report=stop)
    train(config, sets(), cut, seed=7)
    for name in (LAST, "checkpoints/best-dry.pt"):
        assert same_bits(weights(whole, name), weights(cut, name))


def test_waveform_noise_trains_and_resumes_with_the_same_bits(tmp_path):
    data = {name: with_waveforms(feature_set) for name, feature_set in sets().items()}
    config = trial(
        teacher=Teacher(snr_db=10.0, noise_domain="waveform"), schedule=Schedule(epochs=2)
    )
    whole, cut = (Folder(str(tmp_path / name)) for name in ("whole", "cut"))
    lines = []
    train(config, data, whole, seed=7, report=lines.append)
    in_mels = []
    mels = config.model_copy(update={"teacher": Teacher(snr_db=10.0)})
    train(mels, data, Folder(str(tmp_path / "mels")), seed=7, report=in_mels.append)
    assert lines[0]["consistency_strong"] != in_mels[0]["consistency_strong"]
    assert lines[0]["loss"] == pytest.approx(in_mels[0]["loss"], rel=0.2)

    def stop(metrics):
        raise KilledError

    with pytest.raises(KilledError):
        train(config, data, cut, seed=7, report=stop)
    train(config, data, cut, seed=7)
    for name in (LAST, "checkpoints/best-dry.pt"):
        assert same_bits(weights(whole, name), weights(cut, name))


def test_waveform_noise_is_refused_before_training(tmp_path):
    config = trial(teacher=Teacher(noise_domain="waveform"))
    with pytest.raises(ValueError, match=r"noise_domain is waveform.*features\.waveforms: true"):
        train(config, sets(), Folder(str(tmp_path)), seed=0)
    assert not (tmp_path / "checkpoints").exists()


def test_a_folder_from_before_a_field_existed_goes_on(finished, tmp_path):
    """A new field has its default in what was stored without it."""
    stored = json.loads(finished[0].read("config.json"))
    del stored["trial"]["teacher"]["noise_domain"]
    identity = identity_of(trial().on("cpu"), sets(), 7)
    check_identity("config.json", stored, identity)
    with pytest.raises(ValueError, match="noise_domain mel there, waveform here"):
        other = trial(teacher=Teacher(snr_db=20.0, noise_domain="waveform"))
        check_identity("config.json", stored, identity_of(other.on("cpu"), sets(), 7))
