"""An encoder that is a network of torch, made here from published weights."""

import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

_BLOCK = re.compile(r"(?:blocks|layers)\.(\d+)\.|conv_block(\d+)\.")


class TorchEncoder:
    """The network and the blocks that are asked for; their rows stand side by side.

    The network maps waveforms (B, T) and numbers of blocks to rows (B, R, C) of each; what of it comes after the last
    block begins with a name in its `after_blocks`, where it has that.
    """

    def __init__(self, network: nn.Module, layers: Sequence[int], device: str) -> None:
        self.network, self.layers = network.eval().to(device), tuple(layers)
        self._device = device

    def __call__(self, waveform_BT: np.ndarray) -> np.ndarray:
        """Return the rows of waveforms."""
        with torch.inference_mode():
            return self.rows(torch.from_numpy(waveform_BT).to(self._device)).cpu().numpy()

    def rows(self, waveform_BT: Tensor) -> Tensor:
        """Return the rows (B, R, E) of waveforms on the network's device, with gradients."""
        return torch.cat(self.network(waveform_BT, self.layers), 2)


def block_of(name: str, network: nn.Module) -> int | None:
    """Return the block from 1 that a parameter belongs to, 0 before the first one, None after the last one."""
    if name.startswith(tuple(getattr(network, "after_blocks", ()))):
        return None
    found = _BLOCK.match(name)
    if found is None:
        return 0
    return int(found[1]) + 1 if found[1] else int(found[2])


def block_numbers(layers: Sequence[int | str] | None, count: int) -> tuple[int, ...]:
    """Return the blocks that are asked for, the last one without a wish. Raises ValueError for others."""
    found = tuple(n for n in layers or (count,) if isinstance(n, int) and 1 <= n <= count)
    if layers is not None and len(found) != len(layers):
        raise ValueError(f"layers {list(layers)}: the encoder has blocks 1 to {count}")
    return found
