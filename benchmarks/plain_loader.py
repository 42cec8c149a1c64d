"""The peer of the loader: the published per-item path, written from its description.

Per clip: look its labels up in a table, encode them, read the mel from a .npy file, draw the teacher's
noise, take the logarithm (librosa), pad, turn into tensors, normalise; then collate.
"""

import tempfile
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from raysed.config.trial import Trial
from raysed.data.features.store import FeatureSet
from raysed.training.inputs import Normaliser
from raysed.training.mean_teacher import Targets


class PlainLoader:
    """Loads the clips of a batch one by one."""

    def __init__(self, trial: Trial, sets: dict[str, FeatureSet], normaliser: Normaliser) -> None:
        self.trial, self.normaliser = trial, normaliser
        self.folder = tempfile.TemporaryDirectory(prefix="raysed-plain-")
        first = next(iter(sets.values()))
        self.classes, self.features = list(first.classes), first.features
        rows = []
        for feature_set in sets.values():
            for n, name in enumerate(feature_set.filenames):
                np.save(
                    Path(self.folder.name, f"{name}.npy"), feature_set.mels[n].astype(np.float32)
                )
                for event in feature_set.events[n] or ():
                    rows.append((name, event.onset, event.offset, event.event_label))
                if feature_set.events[n] is None:
                    for label in feature_set.weak_labels[n] or ():
                        rows.append((name, np.nan, np.nan, label))
        self.table = pd.DataFrame(rows, columns=["filename", "onset", "offset", "event_label"])

    def batch(self, filenames: tuple[str, ...]) -> tuple[Tensor, Tensor, Tensor]:
        """Return student inputs, teacher inputs and frame targets of the clips."""
        items = [self._item(name) for name in filenames]
        student, teacher, target = (torch.stack(part) for part in zip(*items, strict=True))
        return student, teacher, target

    def _item(self, name: str) -> tuple[Tensor, Tensor, Tensor]:
        mel_TF = np.load(Path(self.folder.name, f"{name}.npy"))
        target = self._encode(self.table[self.table.filename == name])
        std_F = np.sqrt((mel_TF**2).mean(0) * 10 ** (-(self.trial.teacher.snr_db or 0) / 10))
        noisy_TF = mel_TF + np.random.standard_normal(mel_TF.shape) * std_F
        pair = []
        for amplitude_TF in (mel_TF, noisy_TF):
            log_TF = librosa.amplitude_to_db(amplitude_TF.T).T
            missing = self.features.n_frames - len(log_TF)
            log_TF = np.pad(log_TF, ((0, missing), (0, 0))) if missing > 0 else log_TF
            tensor = torch.from_numpy(log_TF).float()
            pair.append((tensor - self.normaliser.mean_F) / self.normaliser.std_F)
        return pair[0], pair[1], torch.from_numpy(target).float()

    def _encode(self, rows: pd.DataFrame) -> np.ndarray:
        frames = self.features.n_frames // 4
        target = np.zeros((frames, len(self.classes)))
        for _, event in rows.iterrows():
            column = self.classes.index(event.event_label)
            if np.isnan(event.onset):
                target[:, column] = 1
                continue
            scale = self.features.sample_rate_hz / self.features.hop
            onset, offset = (int(int(t * scale) / 4) for t in (event.onset, event.offset))
            target[onset:offset, column] = 1
        return target

    def error(self, filenames: tuple[str, ...], student: Tensor, targets: Targets) -> float:
        """Return the largest difference from our student inputs and labels (the noise is drawn anew)."""
        theirs, _, target = self.batch(filenames)
        n_synthetic, n_weak = len(targets.strong_SUK), len(targets.weak_WK)
        strong = (target[:n_synthetic] - targets.strong_SUK).abs().max()
        weak = (target[len(target) - n_weak :].amax(1) - targets.weak_WK).abs().max()
        return float(max((theirs - student).abs().max(), strong, weak))
