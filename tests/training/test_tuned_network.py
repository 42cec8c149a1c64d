"""An encoder that learns with the network: gradients, rates, the same rows as stored ones, resumed bitwise."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from raysed.config.augmentation import Augmentation
from raysed.config.encoder import FineTuning
from raysed.config.trial import Schedule
from raysed.data.encoders.clip_rows import embed_clips
from raysed.run.folders import LAST
from raysed.storage.folder import Folder
from raysed.training.batches import BatchSource
from raysed.training.checkpoint import load_predictor
from raysed.training.inputs import Normaliser
from raysed.training.mean_teacher import MeanTeacher, parameter_groups, step_values
from raysed.training.step_inputs import StepInputs
from raysed.training.train import train
from raysed.training.tuned_network import (
    TunedNetwork,
    audio_of,
    encoder_arguments,
    encoder_opener,
    learning_rates,
    untuned,
)
from tests.training.hearing import encoder_config, heard_sets, tuning
from tests.training.test_train import KilledError, same_bits, weights
from tests.training.tiny import trial


@pytest.fixture(scope="module")
def atst(tmp_path_factory):
    return heard_sets(encoder_config("atst", tmp_path_factory.mktemp("atst")))


def first_step(config, data):
    """The networks and what they take at the first step."""
    source = BatchSource(config, data, seed=3)
    networks = MeanTeacher(config, 2, 3, encoder=encoder_opener(config, data["synthetic"]))
    inputs = StepInputs(config, source, "cpu")
    given = inputs(next(iter(source.epoch(0))), 0, Normaliser.identity(8))
    assert isinstance(networks.student, TunedNetwork)
    return networks, given


@pytest.mark.parametrize("kind", ["atst", "beats", "m2d", "own"])
def test_rows_within_the_network_are_those_of_a_data_set(tmp_path, kind):
    """Of whole and of half clips, without the rounding of storage."""
    config = encoder_config(kind, tmp_path)
    data = heard_sets(config)["weak"]
    assert data.encoder is not None and data.embeddings is not None
    model = tuning(data.encoder.width, rate=0).model
    opened = encoder_opener(tuning(data.encoder.width), data)
    assert opened is not None
    tuned = TunedNetwork(nn.Identity(), opened(), model.embedding.finetune)
    rows = np.arange(4)
    audio = encoder_arguments(data, rows, model, "cpu")["audio"]
    found_BRE = tuned.rows(audio).numpy()
    exact = embed_clips(
        opened(), [data.waveforms[n].astype(np.float32) for n in rows], data.features
    )
    assert len(exact[1]) < len(exact[0])
    for found_RE, exact_RE, stored_RE in zip(found_BRE, exact, data.embeddings, strict=False):
        np.testing.assert_allclose(found_RE[: len(exact_RE)], exact_RE, rtol=1e-5, atol=1e-5)
        assert not found_RE[len(exact_RE) :].any() and found_RE.shape == stored_RE.shape


def test_a_frozen_encoder_scores_as_stored_rows_do(atst):
    """With rows in float32, as they are before storage rounds them; and it stays as it was."""
    data = atst["weak"]
    config, plain = tuning(128, rate=0), tuning(128).model.embedding
    plain_model = config.model.model_copy(
        update={"embedding": plain.model_copy(update={"finetune": None})}
    )
    networks, (student_BTF, teacher_BTF, targets) = first_step(config, atst)
    opened = encoder_opener(config, data)
    assert opened is not None and isinstance(networks.student, TunedNetwork)
    encoder = opened()
    clips = [w.astype(np.float32) for w in data.waveforms]
    shape = data.embeddings[0].shape
    exact = []
    for rows_RE in embed_clips(encoder, clips, data.features):
        padded_RE = np.zeros(shape, np.float32)
        padded_RE[: len(rows_RE)] = rows_RE
        exact.append(padded_RE)
    whole = replace(data, embeddings=tuple(exact))
    rows = np.arange(len(data))
    mel_BTF = torch.rand(len(rows), 63, 8, generator=torch.Generator().manual_seed(0))
    student = networks.student.eval()
    with torch.no_grad():
        tuned_scores = student(mel_BTF, **encoder_arguments(data, rows, config.model, "cpu"))
        stored_scores = untuned(student)(
            mel_BTF, **encoder_arguments(whole, rows, plain_model, "cpu")
        )
    for one, other in zip(tuned_scores, stored_scores, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)
    before = {n: p.clone() for n, p in networks.student.encoder.named_parameters()}
    networks.step(student_BTF, teacher_BTF, targets, step_values(config, 0, 4))
    assert all(torch.equal(before[n], p) for n, p in networks.student.encoder.named_parameters())


def test_gradients_reach_the_encoder_and_the_teacher_follows(atst):
    config = tuning(128)
    networks, (student_BTF, teacher_BTF, targets) = first_step(config, atst)
    before = {n: p.clone() for n, p in networks.student.encoder.named_parameters()}
    values = step_values(config, 0, 4)
    networks.step(student_BTF, teacher_BTF, targets, values)
    for name, weight in networks.student.encoder.named_parameters():
        assert weight.grad is not None and weight.grad.abs().max() > 0, name
        assert not torch.equal(weight, before[name]), name
    networks.update_teacher(values.ema_decay)
    for one, other in zip(
        networks.student.parameters(), networks.teacher.parameters(), strict=True
    ):
        assert torch.equal(one, other)


def test_learning_rates_by_hand(atst):
    """Three blocks, 1e-3 and 0.5: 1e-3 in the third and the norm after it, then 5e-4, 2.5e-4, and 1.25e-4 before the
    first; the network keeps the trial's own rate.
    """
    config = tuning(128)
    networks, _ = first_step(config, atst)
    rates = learning_rates(networks.student, config.model.embedding.finetune)
    names = {id(p): n for n, p in networks.student.encoder.named_parameters()}
    found = {names[id(p)]: rate for rate, group in rates.items() for p in group}
    assert found["blocks.2.mlp.fc1.weight"] == found["norm_frame.bias"] == 1e-3
    assert found["blocks.1.attn.qkv.weight"] == 5e-4
    assert found["blocks.0.norm1.weight"] == 2.5e-4
    assert found["patch_embed.patch_embed.weight"] == found["pos_embed"] == 1.25e-4
    assert found.keys() == set(names.values())
    groups, shares = parameter_groups(networks.student, config)
    counted = sum(p.numel() for group in groups for p in group["params"])
    assert counted == sum(p.numel() for p in networks.student.parameters())
    assert shares == pytest.approx([1.0, *(rate / 1e-2 for rate in rates)])


def test_the_first_step_of_adam_moves_each_weight_by_its_rate(atst):
    config = tuning(128)
    networks, given = first_step(config, atst)
    before = {n: p.clone() for n, p in networks.student.encoder.named_parameters()}
    networks.step(*given, step_values(config, 0, 4))
    moved = {n: p - before[n] for n, p in networks.student.encoder.named_parameters()}
    for name, rate in (("blocks.2.mlp.fc1.weight", 1e-3), ("blocks.0.mlp.fc1.weight", 2.5e-4)):
        assert moved[name].detach().abs().median().item() == pytest.approx(rate, rel=0.01)


def test_blocks_after_the_last_one_that_is_taken_do_not_learn(tmp_path):
    data = heard_sets(encoder_config("atst", tmp_path), (1, 2))
    networks, given = first_step(tuning(256), data)
    networks.step(*given, step_values(tuning(256), 0, 4))
    learns = {n for n, p in networks.student.encoder.named_parameters() if p.requires_grad}
    assert "blocks.1.mlp.fc2.bias" in learns and not any("blocks.2" in name for name in learns)
    rates = learning_rates(networks.student, FineTuning(learning_rate=1.0, layer_decay=0.5))
    assert sorted(rates) == [0.25, 0.5, 1.0]


def test_a_trial_is_resumed_bitwise_and_its_checkpoint_holds_the_encoder(tmp_path):
    data = heard_sets(encoder_config("beats", tmp_path))
    config = tuning(16, schedule=Schedule(epochs=2, ramp_epochs=2))
    whole, killed = Folder(str(tmp_path / "a")), Folder(str(tmp_path / "b"))
    train(config, data, whole, seed=7)

    def kill(metrics):
        raise KilledError

    with pytest.raises(KilledError):
        train(config, data, killed, seed=7, report=kill)
    train(config, data, killed, seed=7)
    assert same_bits(weights(whole, LAST), weights(killed, LAST))
    best = load_predictor(killed, "checkpoints/best-dry.pt")
    opened = encoder_opener(config, data["weak"])
    assert opened is not None
    started = opened().network
    kept = dict(best.student.encoder.named_parameters())
    assert all(not torch.equal(kept[n], p) for n, p in started.named_parameters())


@pytest.mark.parametrize("kind", ["m2d", "own"])
def test_checkpoints_of_other_encoders_are_read_again(tmp_path, kind):
    config = encoder_config(kind, tmp_path)
    data = heard_sets(config)
    made = tuning(data["weak"].encoder.width, schedule=Schedule(epochs=1, ramp_epochs=1))
    folder = Folder(str(tmp_path / "run"))
    assert train(made, data, folder, seed=1)["selected"]
    best = load_predictor(folder, "checkpoints/best-dry.pt")
    given = encoder_arguments(data["dry"], np.arange(2), made.model, "cpu")
    assert isinstance(best.model, TunedNetwork)
    assert best.model.rows(given["audio"]).isfinite().all()


def test_what_cannot_be_trained_is_refused(atst):
    with pytest.raises(ValueError, match=r"mixup mixes mels"):
        tuning(128, augmentation=Augmentation(mixup="soft"))
    with pytest.raises(ValueError, match="needs the encoder's file"):
        encoder_opener(tuning(128), replace(atst["weak"], encoder_file=None))
    features = atst["weak"].features.model_copy(update={"sample_rate_hz": 8000})
    with pytest.raises(ValueError, match="needs waveforms at the encoder's 16000 Hz"):
        encoder_opener(tuning(128), replace(atst["weak"], features=features))
    with pytest.raises(ValueError, match=r"synthetic.* was built without waveforms"):
        BatchSource(
            tuning(128), {**atst, "synthetic": replace(atst["synthetic"], waveforms=None)}, 0
        )
    with pytest.raises(ValueError, match="lacks waveforms"):
        encoder_arguments(
            replace(atst["weak"], waveforms=None), np.arange(1), tuning(128).model, "cpu"
        )
    assert encoder_opener(trial(), atst["weak"]) is None


def test_audio_is_cut_to_a_clips_own_length(atst):
    data = atst["weak"]
    audio = audio_of(
        torch.zeros(1, 17000), np.array([17000]), data.encoder, (data.features, trial().model)
    )
    assert audio.samples_B.tolist() == [16000] and audio.rows == 25
    assert audio.frames_per_row == pytest.approx(640 / (4 * 255))
