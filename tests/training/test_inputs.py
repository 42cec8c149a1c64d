import numpy as np
import pytest
import torch

from raysed.config.trial import Teacher
from raysed.data.features.mel import log_mel_db_torch
from raysed.training.batches import BatchSource
from raysed.training.inputs import (
    TeacherNoise,
    fit_normaliser,
    noise_std,
    noisy_waveform,
    teacher_noise,
)
from raysed.training.ranks import Ranks
from tests.training.tiny import sets, trial, with_waveforms


def test_normaliser_is_mean_and_std_over_all_frames():
    data = [sets()["weak"], sets()["unlabelled"]]
    normaliser = fit_normaliser(data)
    amplitude = np.concatenate([s.mel(range(len(s))) for s in data]).astype(np.float64)
    log_mel = 20 * np.log10(amplitude.reshape(-1, 8))
    assert np.allclose(normaliser.mean_F.numpy(), log_mel.mean(0), atol=1e-4)
    assert np.allclose(normaliser.std_F.numpy(), log_mel.std(0), atol=1e-4)
    unit = normaliser(torch.from_numpy(log_mel).float())
    assert unit.mean(0).abs().max() < 1e-4
    assert (unit.std(0) - 1).abs().max() < 1e-2


def test_noise_has_the_stated_level_per_band():
    mel_BTF = torch.ones(1, 4000, 3) * torch.tensor([1.0, 10.0, 0.1])
    frames_B = torch.tensor([4000])
    noisy = teacher_noise(mel_BTF, frames_B, 20.0, torch.randn(mel_BTF.shape))
    measured = (noisy - mel_BTF).std(1)[0]
    assert torch.allclose(measured, torch.tensor([0.1, 1.0, 0.01]), rtol=0.05)


def test_noise_level_counts_own_frames_and_leaves_padding_alone():
    mel_BTF = torch.zeros(1, 10, 2)
    mel_BTF[0, :4] = 2.0
    frames_B = torch.tensor([4])
    assert torch.allclose(noise_std(mel_BTF, frames_B, 0.0), torch.full((1, 2), 2.0))
    noisy = teacher_noise(mel_BTF, frames_B, 0.0, torch.randn(mel_BTF.shape))
    assert (noisy[0, 4:] == 0).all()
    assert (noisy >= 0).all()
    assert (log_mel_db_torch(noisy, frames_B, 80.0)[0, 4:] == 0).all()


def test_noise_of_infinite_snr_is_none():
    mel_BTF = torch.rand(2, 5, 3)
    frames_B = torch.tensor([5, 5])
    noisy = teacher_noise(mel_BTF, frames_B, float("inf"), torch.randn(mel_BTF.shape))
    assert torch.equal(noisy, mel_BTF)


@pytest.mark.parametrize("snr_db", [0.0, 15.0, 30.0])
def test_ten_decibels_are_a_factor_of_ten_in_energy(snr_db):
    mel_BTF, frames_B = torch.rand(2, 7, 3), torch.tensor([7, 7])
    ratio = noise_std(mel_BTF, frames_B, snr_db) / noise_std(mel_BTF, frames_B, snr_db + 10)
    assert torch.allclose(ratio, torch.full((2, 3), 10**0.5))


def test_white_noise_has_the_stated_level_under_the_clips_own_samples():
    waveform_BT = torch.zeros(2, 8000)
    waveform_BT[0] = 0.5
    waveform_BT[1, :2000] = torch.tensor([3.0, -1.0]).repeat(1000)  # mean square 5
    samples_B = torch.tensor([8000, 2000])
    noise_BT = torch.randn(waveform_BT.shape, generator=torch.Generator().manual_seed(0))
    noisy_BT = noisy_waveform(waveform_BT, samples_B, 20.0, noise_BT.clone())
    added_BT = noisy_BT - waveform_BT
    assert torch.allclose(added_BT[0], noise_BT[0] * 0.05, atol=1e-6)
    assert torch.allclose(added_BT[1, :2000], noise_BT[1, :2000] * 0.05**0.5, atol=1e-6)
    assert (noisy_BT[1, 2000:] == 0).all()
    measured_db = 10 * torch.log10(torch.tensor(5.0) / added_BT[1, :2000].square().mean())
    assert measured_db.item() == pytest.approx(20.0, abs=0.3)


def waveform_batches(snr_db, world=1):
    """The trial, and each rank's first batch with its noisy and its clean mel."""
    config = trial(teacher=Teacher(snr_db=snr_db, noise_domain="waveform"))
    data = {name: with_waveforms(feature_set) for name, feature_set in sets().items()}
    noise = TeacherNoise(config, data["weak"].features, seed=3, device="cpu")
    for rank in range(world):
        batch = next(BatchSource(config, data, 3, Ranks(rank, world)).epoch(0))
        clean_BTF = batch.mel_BTF.float()
        yield batch, noise(batch, clean_BTF, torch.from_numpy(batch.frames_B), 5), clean_BTF


def test_noise_far_under_the_waveform_leaves_the_mel_of_the_shards():
    ((_, noisy_BTF, clean_BTF),) = waveform_batches(snr_db=120.0)
    assert (clean_BTF == 0).any(), "a clip is short"
    assert torch.allclose(noisy_BTF, clean_BTF, rtol=2e-3, atol=1e-3)
    ((_, noisy_BTF, clean_BTF),) = waveform_batches(snr_db=0.0)
    assert not torch.allclose(noisy_BTF, clean_BTF, rtol=0.2, atol=1e-3)
    assert torch.equal(noisy_BTF == 0, clean_BTF == 0), "padding stays"


@pytest.mark.parametrize("world", [2, 3])
def test_a_clips_waveform_noise_does_not_depend_on_its_rank(world):
    ((_, whole_BTF, _),) = waveform_batches(snr_db=10.0)
    held = 0
    for batch, part_BTF, _ in waveform_batches(snr_db=10.0, world=world):
        assert torch.allclose(part_BTF, whole_BTF[batch.positions_B], rtol=1e-5, atol=1e-6)
        held += len(part_BTF)
    assert held == len(whole_BTF)
