"""A checkpoint made ready for prediction: the selected network on its device, its features, its
post-processing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from raysed.config.data_job import Features
from raysed.data.features.mel import log_mel_db_torch, mel_amplitude
from raysed.data.features.shards import stored_mel
from raysed.data.windows import Grid
from raysed.model.fusion import Stream
from raysed.predict.settings import ClassPostProcessing
from raysed.predict.window_encoder import TunedWindowEncoder, WindowEncoder, window_encoder
from raysed.storage.folder import Folder
from raysed.storage.url import masked
from raysed.training.checkpoint import Predictor, make_predictor, parse_checkpoint
from raysed.training.embedding_rows import stream_of
from raysed.training.inputs import Normaliser
from raysed.training.tuned_network import TunedNetwork, untuned

Network = Literal["student", "teacher"]


class WindowInput(NamedTuple):
    """The input of one window."""

    mel_TF: np.ndarray
    """Amplitude mel, as a data set stores it."""
    frames: int
    """The window's own."""
    rows_RE: np.ndarray | None
    """The encoder's rows, as a data set stores them; None where the network takes none."""


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
    encoder: WindowEncoder | TunedWindowEncoder | None = None
    """The encoder whose rows the network takes; None where it takes none."""

    def window_input(self, waveform_T: np.ndarray) -> WindowInput:
        """Return what the network takes of a window. Raises ValueError for values that the dtype of storage cannot
        hold.
        """
        rows_RE = None if self.encoder is None else self.encoder.rows(waveform_T)
        return WindowInput(*self.mel(waveform_T), rows_RE)

    def mel(self, waveform_T: np.ndarray) -> tuple[np.ndarray, int]:
        """Return the amplitude mel (T, F) as a data set stores it, and how many frames are the window's own.

        Raises ValueError for amplitudes that the dtype of storage cannot hold.
        """
        mel_TF = mel_amplitude(waveform_T, self.features)
        return stored_mel(mel_TF, self.features), len(mel_TF)

    def scores(self, windows: Sequence[tuple[Any, ...]]) -> np.ndarray:
        """Return frame scores (B, U, K) float16 of `WindowInput`s, by the same steps as the scoring in training."""
        mel_BTF = torch.from_numpy(np.stack([window[0] for window in windows])).to(self.device)
        frames_B = torch.tensor([window[1] for window in windows]).to(self.device)
        rows_BRE = None
        if self.encoder is not None:
            stored = [window[2] for window in windows if len(window) == 3]
            rows_BRE = torch.from_numpy(np.stack(stored)).to(self.device).float()
        with torch.inference_mode():
            scores = self.forward(mel_BTF.float(), frames_B, rows_BRE)
        return scores[0].half().cpu().numpy()

    def forward(
        self, mel_BTF: Tensor, frames_B: Tensor, rows_BRE: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return strong (B, U, K) and weak (B, K) scores of linear mel amplitude; `frames` are the windows'
        own, `rows` those of the encoder.
        """
        log_mel_BTF = log_mel_db_torch(mel_BTF, frames_B, self.features.floor_db)
        stream = self.stream(rows_BRE)
        if stream is None:
            return self.network(self.normaliser(log_mel_BTF))
        return self.network(self.normaliser(log_mel_BTF), stream=stream)

    def stream(self, rows_BRE: Tensor | None) -> Stream | None:
        """Return what the network takes of an encoder's rows."""
        facts = None if self.encoder is None else self.encoder.facts
        return stream_of(rows_BRE, facts, self.grid.frame / self.grid.rate_hz)


def load_detector(
    path: str,
    network: Network | None = None,
    device: str | None = None,
    encoder: str | None = None,
) -> Detector:
    """Read a checkpoint by path or URL; take the network that its trial selects, on a GPU where there is one.

    `encoder` is the file of the encoder whose rows the network takes. Raises ValueError saying what is wrong with
    a file: absent, truncated, of another version, or no checkpoint; another encoder.
    """
    checkpoint = read_checkpoint(path, encoder)
    predictor = checkpoint.predictor
    name: Network = network or predictor.trial.selection.network
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    chosen = getattr(predictor, name)
    if not all(weights.isfinite().all() for weights in chosen.state_dict().values()):
        raise ValueError(
            f"{masked(path)}: the {name} has weights that are not numbers (NaN or infinity): its training diverged"
        )
    chosen = chosen.eval().to(device)
    return Detector(
        network=untuned(chosen),
        normaliser=predictor.normaliser.to(device),
        features=predictor.features,
        classes=predictor.classes,
        grid=Grid.of(predictor.features, predictor.trial.model),
        settings=checkpoint.settings,
        trained=ClassPostProcessing.uniform(predictor.classes, predictor.trial.postprocessing),
        name=name,
        epoch=predictor.epoch,
        device=device,
        encoder=_encoder_of(chosen, predictor, encoder, device),
    )


def _encoder_of(
    network: nn.Module, predictor: Predictor, given: str | None, device: str
) -> WindowEncoder | TunedWindowEncoder | None:
    """Return the encoder whose rows the network takes: its own, or that whose file is given."""
    facts, features = predictor.encoder, predictor.features
    if not isinstance(network, TunedNetwork):
        return window_encoder(facts, given, features, device)
    assert facts is not None, "make_predictor saw to it"
    if given is not None and facts.encoder["kind"] != "python":
        raise ValueError(
            f"--encoder {given}: the checkpoint holds its encoder, which was trained with the network: leave it out"
        )
    return TunedWindowEncoder(network, facts, (features, predictor.trial.model))


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that has been read once: its content, and what is made of it."""

    tensors: dict[str, Any]
    about: dict[str, Any]
    predictor: Predictor
    settings: ClassPostProcessing
    """The trial's post-processing, with what tuning has stored beside it."""


def read_checkpoint(path: str, encoder: str | None = None) -> Checkpoint:
    """Read a checkpoint by path or URL; `encoder` is what a tuned encoder of one's own class reads.

    Raises ValueError saying what is wrong with the file: absent, truncated, another version's, not one.
    """
    folder, name = split_path(path)
    content, path = folder.read(name), masked(path)
    if content is None:
        raise ValueError(f"{path}: no such checkpoint")
    tensors, about = parse_checkpoint(content, path)
    predictor = make_predictor(tensors, about, path, encoder)
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
