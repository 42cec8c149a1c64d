"""The way from stored mel amplitude to the networks' input: teacher noise, log, floor, padding,
normalisation.

All of it runs per batch on the training device. B clips, T frames, F mel bands.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from raysed.config.data_job import Features
from raysed.config.trial import Trial
from raysed.data.features.mel import log_mel_db_torch, mel_amplitude_torch
from raysed.data.features.store import FeatureSet
from raysed.training.batches import Batch
from raysed.training.keys import torch_generator

_CLIPS_AT_ONCE = 64


@dataclass(frozen=True)
class TeacherNoise:
    """The noise on the teacher's input, a function of (seed, step).

    Drawn for the global batch: a clip's noise does not depend on which rank holds it.
    """

    trial: Trial
    features: Features
    seed: int
    device: str

    def __call__(self, batch: Batch, mel_BTF: Tensor, frames_B: Tensor, step: int) -> Tensor:
        """Return the linear mel of a rank's clips with noise, as magnitudes; `mel_BTF` is without noise."""
        snr_db = self.trial.teacher.snr_db
        assert snr_db is not None, "without noise the teacher sees the student's input"
        if batch.waveforms is None or not self.trial.noise_on_waveforms:
            noise_BTF = self._draw(mel_BTF.shape[1:], batch.positions_B, step)
            return teacher_noise(mel_BTF, frames_B, snr_db, noise_BTF)
        waveform_BT = batch.waveforms.waveform_BT.to(self.device, non_blocking=True)
        samples_B = torch.from_numpy(batch.waveforms.samples_B).to(self.device, non_blocking=True)
        noise_BT = self._draw(waveform_BT.shape[1:], batch.positions_B, step)
        noisy_BT = noisy_waveform(waveform_BT.float(), samples_B, snr_db, noise_BT)
        return mel_amplitude_torch(noisy_BT, samples_B, self.features)

    def _draw(self, shape: torch.Size, positions_B: np.ndarray, step: int) -> Tensor:
        """Draw unit-variance noise for the clips at these positions of the global batch."""
        generator = torch_generator(self.seed, "noise", step, device=self.device)
        clips = self.trial.shares.total
        noise = torch.randn((clips, *shape), generator=generator, device=self.device)
        if len(positions_B) == clips:
            return noise
        return noise[torch.from_numpy(positions_B).to(noise.device, non_blocking=True)]


@dataclass(frozen=True)
class Normaliser:
    """Mean and standard deviation of each mel band in dB, over all frames of a trial's training subsets."""

    mean_F: Tensor
    std_F: Tensor

    @classmethod
    def identity(cls, n_mels: int) -> "Normaliser":
        """Return a normaliser that changes nothing."""
        return cls(torch.zeros(n_mels), torch.ones(n_mels))

    def __call__(self, log_mel_BTF: Tensor) -> Tensor:
        """Normalise each band to zero mean and unit variance, in place: a fresh tensor costs more than the
        arithmetic.
        """
        return log_mel_BTF.sub_(self.mean_F).mul_(1 / self.std_F)

    def to(self, device: torch.device | str) -> "Normaliser":
        """Return the same normaliser on another device."""
        return Normaliser(self.mean_F.to(device), self.std_F.to(device))


def fit_normaliser(sets: list[FeatureSet]) -> Normaliser:
    """Compute the statistics over every frame of `sets`, padding included, as published; sums are in float64."""
    n_mels, count = sets[0].features.n_mels, 0
    total, squares = torch.zeros(n_mels).double(), torch.zeros(n_mels).double()
    for feature_set in sets:
        trained = feature_set.trained_rows
        for start in range(0, len(trained), _CLIPS_AT_ONCE):
            rows = trained[start : start + _CLIPS_AT_ONCE]
            log_mel = log_mel_of(feature_set, rows).double().flatten(0, 1)
            count += log_mel.shape[0]
            total += log_mel.sum(0)
            squares += log_mel.square().sum(0)
    mean = total / count
    variance = (squares / count - mean.square()).clamp_min(0)
    # A band that never changes carries no information; a scale of 1 keeps it at zero instead of infinity.
    std = torch.where(variance > 0, variance.sqrt(), torch.ones_like(variance))
    return Normaliser(mean.float(), std.float())


def log_mel_of(feature_set: FeatureSet, rows: np.ndarray, device: str = "cpu") -> Tensor:
    """Return the log-mel in dB of some clips of a set, (B, T, F) float32."""
    mel_BTF = torch.from_numpy(feature_set.mel(rows)).to(device).float()
    frames_B = torch.from_numpy(feature_set.frames[rows]).to(device)
    return log_mel_db_torch(mel_BTF, frames_B, feature_set.features.floor_db)


def teacher_noise(mel_BTF: Tensor, frames_B: Tensor, snr_db: float, noise_BTF: Tensor) -> Tensor:
    """Return the linear mel plus Gaussian noise, in each band `snr_db` under the clip's own mean energy
    (section 3.3).

    `noise_BTF` is of unit variance, and is overwritten with the result. The result is magnitudes, since the
    published log takes the magnitude of values that the noise made negative.
    """
    noise_BTF *= noise_std(mel_BTF, frames_B, snr_db).unsqueeze(1)
    past_BT = torch.arange(mel_BTF.shape[1], device=mel_BTF.device) >= frames_B[:, None]
    return noise_BTF.add_(mel_BTF).abs_().masked_fill_(past_BT[:, :, None], 0.0)


def noisy_waveform(
    waveform_BT: Tensor, samples_B: Tensor, snr_db: float, noise_BT: Tensor
) -> Tensor:
    """Return waveforms plus white Gaussian noise, `snr_db` under the mean power of each clip's own samples.

    `noise_BT` is of unit variance, and is overwritten with the result; past a clip's samples it is zero.
    """
    power_B = waveform_BT.square().sum(1) / samples_B
    noise_BT *= (power_B * 10 ** (-snr_db / 10)).sqrt().unsqueeze(1)
    past_BT = torch.arange(waveform_BT.shape[1], device=waveform_BT.device) >= samples_B[:, None]
    return noise_BT.add_(waveform_BT).masked_fill_(past_BT, 0.0)


def noise_std(mel_BTF: Tensor, frames_B: Tensor, snr_db: float) -> Tensor:
    """Return sqrt(mean over a clip's own frames of mel^2, times 10^(-snr/10)): (B, F). Padding is zero."""
    energy_BF = mel_BTF.square().sum(1) / frames_B.unsqueeze(1)
    return (energy_BF * 10 ** (-snr_db / 10)).sqrt()
