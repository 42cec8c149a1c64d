"""An encoder that is a network of torch, made here from published weights."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn


class RowNetwork(Protocol):
    """A network from waveforms to the rows of its blocks."""

    def __call__(self, waveform_BT: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """Return rows (B, R, C) of the named blocks."""
        ...


class TorchEncoder:
    """The network and the blocks that are asked for; their rows stand side by side."""

    def __init__(self, network: nn.Module, layers: Sequence[int], device: str) -> None:
        self.network, self.layers = network.eval().to(device), tuple(layers)
        self._device = device

    def __call__(self, waveform_BT: np.ndarray) -> np.ndarray:
        """Return the rows of waveforms."""
        with torch.inference_mode():
            waveforms = torch.from_numpy(waveform_BT).to(self._device)
            return torch.cat(self.network(waveforms, self.layers), 2).cpu().numpy()


def block_numbers(layers: Sequence[int | str] | None, count: int) -> tuple[int, ...]:
    """Return the blocks that are asked for, the last one without a wish. Raises ValueError for others."""
    found = tuple(n for n in layers or (count,) if isinstance(n, int) and 1 <= n <= count)
    if layers is not None and len(found) != len(layers):
        raise ValueError(f"layers {list(layers)}: the encoder has blocks 1 to {count}")
    return found
