"""Dropout whose CPU mask costs a byte of randomness per element.

torch draws CPU masks one Bernoulli number at a time, which is 39 % of the published training step on a core;
eight elements share one 64-bit draw here. On a GPU torch's own dropout is used.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Dropout(nn.Module):
    """Dropout as torch.nn.Dropout, with the probability rounded to 1/256 on a CPU (0.5 is exact)."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def extra_repr(self) -> str:  # noqa: D102
        return f"p={self.p}"

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        if not self.training or self.p == 0:
            return x
        if x.is_cuda:
            return F.dropout(x, self.p)
        dropped = round(self.p * 256)
        if dropped in (0, 256):
            return F.dropout(x, self.p)
        return x * byte_mask(x, dropped)


def byte_mask(x: Tensor, dropped: int) -> Tensor:
    """Return 0 with probability dropped/256, else 256/(256 - dropped), in x's shape, layout and dtype."""
    bytes_N = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device)
    # Bounds for all 64 bits, since random_() without them draws only positive numbers.
    bytes_N.random_(torch.iinfo(torch.int64).min, None)
    kept = (bytes_N.view(torch.uint8)[: x.numel()] >= dropped).to(x.dtype)
    kept *= 256 / (256 - dropped)
    # Laid out in memory as x is, so that the product needs no copy.
    return torch.as_strided(kept, x.shape, x.stride()) if _dense(x) else kept.view(x.shape)


def _dense(x: Tensor) -> bool:
    """Tell whether x fills its memory without gaps, whatever the order of its dimensions."""
    sizes = sorted(
        (stride, size) for size, stride in zip(x.shape, x.stride(), strict=True) if size > 1
    )
    expected = 1
    for stride, size in sizes:
        if stride != expected:
            return False
        expected *= size
    return True
