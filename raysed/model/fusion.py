"""The rows of a pretrained encoder, brought to the time of the network's output frames and joined with its features.

B clips, U output frames, C channels of the convolutions, R rows, E values of a row. Source of pooling and
interpolation: the baseline of DCASE 2023 (task 4), which joins both by one linear layer; ours goes by the times of
rows and frames instead of their numbers, and standardises each value of a row over the training clips, as the mel bands
are: normalised within a row, values with means of their own (86 % of a speech embedding's power) hide what changes.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from raysed.config.trial import EmbeddingFusion, Model
from raysed.model.cpu.dropout import Dropout


class Stream(NamedTuple):
    """The rows of a batch of clips."""

    rows_BRE: Tensor
    frames_per_row: float
    """Output frames from one row to the next."""


class Fusion(nn.Module):
    """The layer between the convolutions and the GRU."""

    mean_E: Tensor
    std_E: Tensor

    def __init__(self, config: Model, fusion: EmbeddingFusion) -> None:
        super().__init__()
        channels = config.filters[-1]
        self.kind = fusion.fusion
        self.register_buffer("mean_E", torch.zeros(fusion.width))
        self.register_buffer("std_E", torch.ones(fusion.width))
        self.dropout = Dropout(config.dropout)
        width = fusion.width
        if self.kind == "attention":
            self.query = nn.Linear(channels, channels)
            self.key_value = nn.Linear(fusion.width, 2 * channels)
            self.nearness = nn.Parameter(torch.zeros(1))
            width = channels
        self.join = nn.Linear(channels + width, channels)

    def forward(self, x_BUC: Tensor, stream: Stream) -> Tensor:
        """Return features (B, U, C) that know of both."""
        rows_BRE = (stream.rows_BRE.to(self.mean_E.dtype) - self.mean_E) / self.std_E
        # Plain numbers, also where the network is traced for an export.
        sizes = int(x_BUC.shape[1]), int(rows_BRE.shape[1]), stream.frames_per_row
        if self.kind == "attention":
            found_BUE = self._attend(x_BUC, rows_BRE, sizes)
        else:
            weights_UR = _beside(rows_BRE, row_weights(self.kind, *sizes))
            found_BUE = weights_UR @ rows_BRE
        return self.join(self.dropout(torch.cat((x_BUC, found_BUE.to(x_BUC.dtype)), dim=2)))

    def _attend(self, x_BUC: Tensor, rows_BRE: Tensor, sizes: tuple[int, int, float]) -> Tensor:
        """Return what each frame reads from the rows: those alike, and those near, as far as is learnt."""
        key_BRC, value_BRC = self.key_value(rows_BRE).chunk(2, dim=2)
        away_UR = _beside(rows_BRE, distances(*sizes))
        bias_UR = -F.softplus(self.nearness) * away_UR
        return F.scaled_dot_product_attention(
            self.query(x_BUC).to(key_BRC.dtype),
            key_BRC,
            value_BRC,
            attn_mask=bias_UR.to(key_BRC.dtype),
        )

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the weights from `generator`, in place, as torch draws those of linear layers."""
        for module in self.children():
            if isinstance(module, nn.Linear):
                bound = module.in_features**-0.5
                nn.init.uniform_(module.weight, -bound, bound, generator=generator)
                nn.init.uniform_(module.bias, -bound, bound, generator=generator)


def _beside(rows_BRE: Tensor, numbers_UR: np.ndarray) -> Tensor:
    """Return numbers in the type and on the device of rows, without waiting for what that has to do."""
    return torch.from_numpy(numbers_UR).to(rows_BRE, non_blocking=True)


@lru_cache(maxsize=16)
def row_weights(kind: str, frames: int, rows: int, frames_per_row: float) -> np.ndarray:
    """Return the share (U, R) float32 of each row in each output frame; they sum to 1 in a frame.

    `pool` averages the rows that reach into a frame by how far they do, `interpolate` takes the two rows whose middles
    lie around the frame's. Past the last row it is repeated.
    """
    if kind == "pool":
        edges_R = np.arange(rows + 1) * frames_per_row
        edges_R[-1] = max(edges_R[-1], frames)
        start_U = np.arange(frames)[:, None]
        share_UR = np.minimum(start_U + 1, edges_R[1:]) - np.maximum(start_U, edges_R[:-1])
        return np.maximum(share_UR, 0).astype(np.float32)
    place_U = np.clip((np.arange(frames) + 0.5) / frames_per_row - 0.5, 0, rows - 1)
    away_UR = np.abs(place_U[:, None] - np.arange(rows))
    return np.maximum(1 - away_UR, 0).astype(np.float32)


@lru_cache(maxsize=16)
def distances(frames: int, rows: int, frames_per_row: float) -> np.ndarray:
    """Return the distance (U, R) float32 of each output frame's middle from each row's, in rows."""
    place_U = (np.arange(frames) + 0.5) / frames_per_row - 0.5
    return np.abs(place_U[:, None] - np.arange(rows)).astype(np.float32)
