"""The augmentation of a batch: the draws of a step, and their effect on mels and labels.

Every draw is a function of (seed, purpose, step) for the global batch, so that neither the number of ranks nor a
kill changes it, nor one augmentation the draws of another. Time shift, mixup and time mask are the same for student
and teacher, whose scores are compared frame by frame; FilterAugment is drawn for each. Sources: the DCASE task 4
baselines of 2021 to 2024 (mixup), Nam et al. 2022, "FilterAugment" (ICASSP; the other three).

B clips, T frames, F mel bands, U output frames, K classes; S strongly labelled clips come first, W weak ones last.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from raysed.config.data_job import Features
from raysed.config.trial import Trial
from raysed.training.batches import is_strong
from raysed.training.keys import numpy_generator

_BANDS = {"step": (2, 4, 4), "linear": (3, 5, 6)}
"""The least and the most bands of FilterAugment, and their least width in mel bands: the published ones."""


@dataclass(frozen=True)
class Clips:
    """Clips on the training device, before log and normalisation."""

    student_BTF: Tensor
    """Linear mel amplitude."""
    teacher_BTF: Tensor
    """The same with the teacher's noise; the student's tensor itself where there is none."""
    frames_B: Tensor
    """Each clip's own frames; the rest is padding."""
    strong_SUK: Tensor
    weak_WK: Tensor
    annotated_BK: Tensor | None = None
    rows_BRE: Tensor | None = None
    """The encoder's rows; None where the network takes none."""

    def part(self, rank: int, world: int) -> "Clips":
        """Return every world-th clip of a global batch, a rank's part of it."""
        if world == 1:
            return self
        strong, total = len(self.strong_SUK), len(self.frames_B)
        positions = torch.arange(rank, total, world, device=self.frames_B.device)
        first_weak = total - len(self.weak_WK)
        known = self.annotated_BK
        student_BTF = self.student_BTF[positions]
        shared = self.teacher_BTF is self.student_BTF
        return Clips(
            student_BTF=student_BTF,
            teacher_BTF=student_BTF if shared else self.teacher_BTF[positions],
            frames_B=self.frames_B[positions],
            strong_SUK=self.strong_SUK[positions[positions < strong]],
            weak_WK=self.weak_WK[positions[positions >= first_weak] - first_weak],
            annotated_BK=None if known is None else known[positions],
            rows_BRE=None if self.rows_BRE is None else self.rows_BRE[positions],
        )


class Augmenter:
    """The augmentation of a trial: what it draws at each step, and applies to the global batch."""

    def __init__(self, trial: Trial, features: Features, seed: int) -> None:
        self.settings, self.features, self.seed = trial.augmentation, features, seed
        self.shares = {subset: trial.shares.of(subset) for subset in trial.used_subsets()}
        self.pooling = trial.model.time_pooling

    def __call__(self, clips: Clips, step: int) -> Clips:
        """Return the clips of the global batch as the networks are to see them at this step."""
        settings = self.settings
        if settings.time_shift_s:
            clips = self._shifted(clips, step)
        if settings.mixup is not None:
            clips = self._mixed(clips, step)
        if settings.time_mask is not None:
            clips = self._masked(clips, step)
        if settings.filter_augment is not None:
            clips = self._filtered(clips, step)
        return clips

    def _shifted(self, clips: Clips, step: int) -> Clips:
        per_s = self.features.sample_rate_hz / self.features.hop / self.pooling
        random = numpy_generator(self.seed, "time shift", step)
        drawn_B = random.normal(0.0, self.settings.time_shift_s * per_s, len(clips.frames_B))
        shifts_B = _beside(clips.frames_B, np.rint(drawn_B).astype(np.int64))
        pooled_B, n_strong = clips.frames_B // self.pooling, len(clips.strong_SUK)
        student_BTF, teacher_BTF = _both(
            clips, lambda x: shifted(x, pooled_B * self.pooling, shifts_B * self.pooling)
        )
        strong_SUK = shifted(clips.strong_SUK, pooled_B[:n_strong], shifts_B[:n_strong])
        return replace(
            clips, student_BTF=student_BTF, teacher_BTF=teacher_BTF, strong_SUK=strong_SUK
        )

    def _mixed(self, clips: Clips, step: int) -> Clips:
        random, beta = numpy_generator(self.seed, "mixup", step), self.settings.mixup_beta
        if random.random() >= self.settings.mixup_probability:
            return clips
        total = len(clips.frames_B)
        partner_B, share_B, start = np.arange(total), np.ones(total, np.float32), 0
        for subset, count in self.shares.items():
            if is_strong(subset) or subset == "weak":
                clip = slice(start, start + count)
                share_B[clip] = random.beta(beta, beta)
                partner_B[clip] = start + random.permutation(count)
            start += count
        partner_B, share_B = (_beside(clips.frames_B, x) for x in (partner_B, share_B))
        return mixed(clips, partner_B, share_B, hard=self.settings.mixup == "hard")

    def _masked(self, clips: Clips, step: int) -> Clips:
        assert self.settings.time_mask is not None
        n_strong, frames = clips.strong_SUK.shape[:2]
        random = numpy_generator(self.seed, "time mask", step)
        least, most = (max(1, round(share * frames)) for share in self.settings.time_mask)
        width = int(random.integers(least, most + 1))
        start = int(random.integers(0, frames - width + 1))
        stop, pooling = start + width, self.pooling

        def silenced(mel_BTF: Tensor) -> Tensor:
            mel_BTF = mel_BTF.clone()
            mel_BTF[:n_strong, start * pooling : stop * pooling] = 0.0
            return mel_BTF

        student_BTF, teacher_BTF = _both(clips, silenced)
        strong_SUK = clips.strong_SUK.clone()
        strong_SUK[:, start:stop] = 0.0
        return replace(
            clips, student_BTF=student_BTF, teacher_BTF=teacher_BTF, strong_SUK=strong_SUK
        )

    def _filtered(self, clips: Clips, step: int) -> Clips:
        kind, db = self.settings.filter_augment, self.settings.filter_db
        assert kind is not None
        shape, made = (len(clips.frames_B), clips.student_BTF.shape[2]), {}
        for name in ("student_BTF", "teacher_BTF"):
            mel_BTF = getattr(clips, name)
            random = numpy_generator(self.seed, "filter augment", name[:7], step)
            gain_BF = _beside(mel_BTF, 10 ** (band_gains(kind, shape, db, random) / 20))
            made[name] = mel_BTF * gain_BF.to(mel_BTF.dtype)[:, None, :]
        return replace(clips, **made)


def _beside(tensor: Tensor, array: np.ndarray) -> Tensor:
    """Return an array on the device of a tensor, without waiting for what that has to do."""
    return torch.from_numpy(array).to(tensor.device, non_blocking=True)


def _both(clips: Clips, change) -> tuple[Tensor, Tensor]:  # noqa: ANN001
    """Return both networks' mels changed in the same way; a shared tensor is changed once."""
    student_BTF = change(clips.student_BTF)
    if clips.teacher_BTF is clips.student_BTF:
        return student_BTF, student_BTF
    return student_BTF, change(clips.teacher_BTF)


def shifted(x_BTF: Tensor, length_B: Tensor, shift_B: Tensor) -> Tensor:
    """Return each clip shifted to the right by `shift_B` frames (negative: to the left), around the end of its first
    `length_B` frames; what comes after these stays.
    """
    time_BT = torch.arange(x_BTF.shape[1], device=x_BTF.device).expand(x_BTF.shape[:2])
    length_B1 = length_B.long().unsqueeze(1)
    around_BT = (time_BT - shift_B.unsqueeze(1)) % length_B1.clamp_min(1)
    source_BT = torch.where(time_BT < length_B1, around_BT, time_BT)
    return x_BTF.gather(1, source_BT.unsqueeze(2).expand(x_BTF.shape))


def mixed(clips: Clips, partner_B: Tensor, share_B: Tensor, *, hard: bool) -> Clips:
    """Return each clip times its share plus its partner times the rest.

    Labels are mixed in the same proportion, or `hard`: what sounds in either. A mixture is as long as the longer of
    its clips.
    """
    n_strong, first_weak = len(clips.strong_SUK), len(share_B) - len(clips.weak_WK)

    def blend(x: Tensor, partner: Tensor, share: Tensor) -> Tensor:
        share = share.to(x.dtype).view(-1, *[1] * (x.dim() - 1))
        return share * x + (1 - share) * x[partner]

    def labels(x: Tensor, rows: slice, first: int) -> Tensor:
        partner = partner_B[rows] - first
        return torch.maximum(x, x[partner]) if hard else blend(x, partner, share_B[rows])

    student_BTF, teacher_BTF = _both(clips, lambda x: blend(x, partner_B, share_B))
    rows_BRE = clips.rows_BRE
    return replace(
        clips,
        student_BTF=student_BTF,
        teacher_BTF=teacher_BTF,
        frames_B=torch.maximum(clips.frames_B, clips.frames_B[partner_B]),
        strong_SUK=labels(clips.strong_SUK, slice(0, n_strong), 0),
        weak_WK=labels(clips.weak_WK, slice(first_weak, None), first_weak),
        rows_BRE=None if rows_BRE is None else blend(rows_BRE, partner_B, share_B),
    )


def band_gains(
    kind: str, shape: tuple[int, int], db: tuple[float, float], random: np.random.Generator
) -> np.ndarray:
    """Return the gain of every mel band of every clip, (B, F) dB float32.

    The bands are the same for all clips, the gains are each clip's own: constant in a band (`step`), or on a line
    from one edge of the band to the other (`linear`), where neighbours share an edge's gain.
    """
    least, most, width = _BANDS[kind]
    clips, mels = shape
    bands = min(int(random.integers(least, most + 1)), mels)
    width = min(width, mels // bands)
    free = np.sort(random.integers(0, mels - bands * width + 1, bands - 1))
    edges = [0, *(free + np.arange(1, bands) * width), mels]
    drawn = random.uniform(*db, (clips, bands + (kind == "linear"))).astype(np.float32)
    gains_BF = np.empty(shape, np.float32)
    for band in range(bands):
        start, stop = edges[band], edges[band + 1]
        if kind == "step":
            gains_BF[:, start:stop] = drawn[:, band, None]
        else:
            ends = drawn[:, band], drawn[:, band + 1]
            gains_BF[:, start:stop] = np.linspace(*ends, stop - start, axis=1)
    return gains_BF
