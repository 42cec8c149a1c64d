import numpy as np
import pytest
import torch

from raysed.data.mel import log_mel_db_torch
from raysed.training.inputs import fit_normaliser, noise_std, teacher_noise
from tests.training.tiny import sets


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
