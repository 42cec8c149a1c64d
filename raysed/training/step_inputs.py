"""The inputs of a step: those of student and teacher and the targets of a rank's clips, on the training device."""

import torch
from torch import Tensor

from raysed.config.data_job import Features
from raysed.config.trial import Trial
from raysed.data.features.mel import log_mel_db_torch
from raysed.training.augmenter import Augmenter, Clips
from raysed.training.batches import Batch, BatchSource
from raysed.training.embedding_rows import output_frame_s, stream_of
from raysed.training.inputs import Normaliser, TeacherNoise
from raysed.training.mean_teacher import Targets
from raysed.training.tuned_network import Audio, audio_of


class StepInputs:
    """The way from a batch to inputs and targets: noise, augmentation, log, normalisation."""

    def __init__(self, trial: Trial, source: BatchSource, device: str) -> None:
        first = next(iter(source.sets.values()))
        self.trial, self.source, self.device = trial, source, device
        self.features: Features = first.features
        self.encoder, self.frame_s = first.encoder, output_frame_s(first.features, trial.model)
        self.noise = TeacherNoise(trial, first.features, source.seed, device)
        self.augmenter = None
        if trial.augmentation.is_on:
            self.augmenter = Augmenter(trial, first.features, source.seed)
        self.class_weights_K = class_weights(trial.consistency.class_weights, first.classes, device)

    def __call__(
        self, batch: Batch, step: int, normaliser: Normaliser
    ) -> tuple[Tensor, Tensor, Targets]:
        """Return normalised log-mels for student and teacher, and the targets."""
        clips = self._clips(batch, step)
        if self.augmenter is not None:
            clips = self.augmenter(clips, step).part(
                self.source.ranks.rank, self.source.ranks.world
            )
        student_BTF = self._seen(clips.student_BTF, clips.frames_B, normaliser)
        teacher_BTF = student_BTF
        if clips.teacher_BTF is not clips.student_BTF:
            teacher_BTF = self._seen(clips.teacher_BTF, clips.frames_B, normaliser)
        targets = Targets(
            clips.strong_SUK,
            clips.weak_WK,
            self.trial.shares,
            clips.annotated_BK,
            self.source.labelled_pairs,
            self.class_weights_K,
            stream_of(clips.rows_BRE, self.encoder, self.frame_s),
            self._audio(batch),
        )
        return student_BTF, teacher_BTF, targets

    def _clips(self, batch: Batch, step: int) -> Clips:
        mel_BTF = batch.mel_BTF.to(self.device, non_blocking=True).float()
        frames_B = torch.from_numpy(batch.frames_B).to(self.device, non_blocking=True)
        teacher_BTF = mel_BTF
        if self.trial.teacher.snr_db is not None:
            teacher_BTF = self.noise(batch, mel_BTF, frames_B, step)
        labels, rows_BRE = batch.labels(self.device), batch.rows_BRE
        if rows_BRE is not None:
            rows_BRE = rows_BRE.to(self.device, non_blocking=True).float()
        return Clips(mel_BTF, teacher_BTF, frames_B, *labels, batch.mask(self.device), rows_BRE)

    def _audio(self, batch: Batch) -> Audio | None:
        """Return this rank's waveforms for the encoders within the networks, None where there are none."""
        if not self.trial.tunes_encoder:
            return None
        assert batch.waveforms is not None and self.encoder is not None, "check_rows saw to it"
        ranks = self.source.ranks
        # A batch that is augmented is whole on every rank.
        own = slice(None) if self.source.parted else slice(ranks.rank, None, ranks.world)
        waveform_BT = batch.waveforms.waveform_BT[own].to(self.device, non_blocking=True)
        samples_B = batch.waveforms.samples_B[own]
        return audio_of(waveform_BT, samples_B, self.encoder, (self.features, self.trial.model))

    def _seen(self, mel_BTF: Tensor, frames_B: Tensor, normaliser: Normaliser) -> Tensor:
        return normaliser(log_mel_db_torch(mel_BTF, frames_B, self.features.floor_db))


def class_weights(
    given: dict[str, float], classes: tuple[str, ...], device: str = "cpu"
) -> Tensor | None:
    """Return the factor of each class in the consistency terms, 1 where none is given; None without any.

    Raises ValueError for a label that is no class.
    """
    if not given:
        return None
    if unknown := [label for label in given if label not in classes]:
        raise ValueError(
            f"consistency.class_weights names {', '.join(unknown)}; the classes are {', '.join(classes)}"
        )
    return torch.tensor([given.get(label, 1.0) for label in classes], device=device)
