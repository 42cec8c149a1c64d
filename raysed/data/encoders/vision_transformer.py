"""The transformer block that ATST-Frame and M2D share, with the names of their weights: the norm before each sum.

Source: Dosovitskiy et al. 2021, An Image is Worth 16x16 Words (arXiv:2010.11929). B waveforms, P patches, C values.
"""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn

HEAD = 64
"""Values of an attention head: weights do not tell it, and every published network has it."""
EPSILON = 1e-6


class _Attention(nn.Module):
    """Attention of each patch to all."""

    def __init__(self, width: int, bias: bool) -> None:
        super().__init__()
        self.heads = max(1, width // HEAD)
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.proj = nn.Linear(width, width)

    def forward(self, x_BPC: Tensor) -> Tensor:
        query, key, value = (
            each.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for each in self.qkv(x_BPC).chunk(3, dim=2)
        )
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class VisionBlock(nn.Module):
    """A block whose sizes are those of its weights."""

    def __init__(self, weights: Mapping[str, Tensor], number: int) -> None:
        super().__init__()
        own = f"blocks.{number}."
        inner, width = weights[f"{own}mlp.fc1.weight"].shape
        self.norm1, self.norm2 = nn.LayerNorm(width, EPSILON), nn.LayerNorm(width, EPSILON)
        self.attn = _Attention(width, bias=f"{own}attn.qkv.bias" in weights)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, inner), "fc2": nn.Linear(inner, width)})

    def forward(self, x_BPC: Tensor) -> Tensor:
        """Return what the block makes of the patches."""
        x_BPC = x_BPC + self.attn(self.norm1(x_BPC))
        return x_BPC + self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(x_BPC))))
