"""A checkpoint made ready for prediction: the selected network on its device, its features, its
post-processing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from raysed.config.data_job import Features
from raysed.data.features.mel import log_mel_db_torch, mel_amplitude
from raysed.data.features.shards import stored_mel
from raysed.data.windows import Grid
from raysed.predict.settings import ClassPostProcessing
from raysed.storage.folder import Folder
from raysed.storage.url import masked
from raysed.training.checkpoint import Predictor, make_predictor, parse_checkpoint
from raysed.training.inputs import Normaliser

Network = Literal["student", "teacher"]


@dataclass(frozen=True)
class Detector:
    """The detector that turns windows into frame scores."""

    network: nn.Module
    normaliser: Normaliser
    features: Features
    classes: tuple[str, ...]
    grid: Grid
    settings: ClassPostProcessing
    trained: ClassPostProcessing
    """The trial's own, whatever tuning has stored beside it."""
    name: Network
    epoch: int
    device: str

    def mel(self, waveform_T: np.ndarray) -> tuple[np.ndarray, int]:
        """Return the amplitude mel (T, F) as a data set stores it, and how many frames are the window's own.

        Raises ValueError for amplitudes that the dtype of storage cannot hold.
        """
        mel_TF = mel_amplitude(waveform_T, self.features)
        return stored_mel(mel_TF, self.features), len(mel_TF)

    def scores(self, mels: Sequence[tuple[np.ndarray, int]]) -> np.ndarray:
        """Return frame scores (B, U, K) float16, by the same steps as the scoring in training."""
        mel_BTF = torch.from_numpy(np.stack([mel_TF for mel_TF, _ in mels])).to(self.device)
        frames_B = torch.tensor([frames for _, frames in mels]).to(self.device)
        with torch.inference_mode():
            return self.forward(mel_BTF.float(), frames_B)[0].half().cpu().numpy()

    def forward(self, mel_BTF: Tensor, frames_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return strong (B, U, K) and weak (B, K) scores of linear mel amplitude; `frames` are the windows'
        own.
        """
        log_mel_BTF = log_mel_db_torch(mel_BTF, frames_B, self.features.floor_db)
        return self.network(self.normaliser(log_mel_BTF))


def load_detector(path: str, network: Network | None = None, device: str | None = None) -> Detector:
    """Read a checkpoint by path or URL; take the network that its trial selects, on a GPU where there is one.

    Raises ValueError saying what is wrong with the file: absent, truncated, of another version, or no
    checkpoint.
    """
    checkpoint = read_checkpoint(path)
    predictor = checkpoint.predictor
    name: Network = network or predictor.trial.selection.network
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    chosen = getattr(predictor, name)
    if not all(weights.isfinite().all() for weights in chosen.state_dict().values()):
        raise ValueError(
            f"{masked(path)}: the {name} has weights that are not numbers (NaN or infinity): its training diverged"
        )
    return Detector(
        network=chosen.eval().to(device),
        normaliser=predictor.normaliser.to(device),
        features=predictor.features,
        classes=predictor.classes,
        grid=Grid.of(predictor.features, predictor.trial.model),
        settings=checkpoint.settings,
        trained=ClassPostProcessing.uniform(predictor.classes, predictor.trial.postprocessing),
        name=name,
        epoch=predictor.epoch,
        device=device,
    )


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that has been read once: its content, and what is made of it."""

    tensors: dict[str, Any]
    about: dict[str, Any]
    predictor: Predictor
    settings: ClassPostProcessing
    """The trial's post-processing, with what tuning has stored beside it."""


def read_checkpoint(path: str) -> Checkpoint:
    """Read a checkpoint by path or URL.

    Raises ValueError saying what is wrong with the file: absent, truncated, another version's, not one.
    """
    folder, name = split_path(path)
    content, path = folder.read(name), masked(path)
    if content is None:
        raise ValueError(f"{path}: no such checkpoint")
    tensors, about = parse_checkpoint(content, path)
    predictor = make_predictor(tensors, about, path)
    settings = ClassPostProcessing.uniform(predictor.classes, predictor.trial.postprocessing)
    if "postprocessing" in about:
        settings = settings.updated(about["postprocessing"], path)
    return Checkpoint(tensors, about, predictor, settings)


def split_path(path: str) -> tuple[Folder, str]:
    """Return the folder of a file and the file's name."""
    if "://" not in path:
        path = str(Path(path).expanduser().resolve())
    parent, _, name = path.rpartition("/")
    return Folder(parent or "/"), name


def with_settings(detector: Detector, settings: ClassPostProcessing) -> Detector:
    """Return the same detector with other post-processing."""
    return replace(detector, settings=settings)
