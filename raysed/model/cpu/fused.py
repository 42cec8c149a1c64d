"""A convolution block on the CPU, in tiles that stay in the second-level cache.

In a plain implementation, each of normalisation, gate, dropout and pooling writes an array of the
convolution's size, and the gradient reads them all again: the training step then waits for memory, not for
arithmetic. Here they are done on one tile after the other. Kept for the gradient are the convolution's
output, its statistics and the dropout's key; the rest is computed again.

Shapes: B clips, C channels, T frames, F bands; U and V are T and F after pooling; M pixels of a tile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from raysed.model.cpu import kernels
from raysed.model.cpu.bfloat16 import bits_of
from raysed.model.cpu.maps import Maps, Norm, Taps, Tile, tiles


@dataclass(frozen=True)
class BlockSettings:
    """The settings of a block, besides its parameters."""

    norm: nn.BatchNorm2d
    pooling: tuple[int, int]
    dropped: int
    """Elements dropped out of 256, on average."""
    all_ranks: bool
    """True where batch statistics are those of all ranks together."""
    storage: torch.dtype
    """The type of the block's output and of what is kept for the gradient."""
    products: torch.dtype
    """The type of tiles and of the factors of products, but where one channel comes in: products of so few factors
    are no faster in a smaller type. Sums and statistics are in the parameters' type."""


class Gate:
    """Gated linear unit, dropout and average pooling of normalised tiles, and their gradients."""

    def __init__(
        self, settings: BlockSettings, linear: Sequence[Tensor], key: int, products: torch.dtype
    ) -> None:
        scale = 256 / (256 - settings.dropped)
        self.rules = (settings.dropped, scale, *settings.pooling)
        self.weight_CC, self.bias_C = (p.to(products) for p in linear)
        self.key = key
        self.weight_grad_CC, self.bias_grad_C = (torch.zeros_like(p) for p in linear)

    def room(self, tile: Tile, shape_BTFC: tuple[int, ...]) -> None:
        """Make buffers for tiles no larger than this one."""
        self.bands, channels = shape_BTFC[2:]
        pixels = (tile.t1 - tile.t0) * self.bands
        self.y, self.z = (self.weight_CC.new_empty(pixels, channels) for _ in range(2))
        self.s = self.weight_grad_CC.new_empty(pixels, channels)
        self.words = np.zeros((pixels * channels + 7) // 8, np.uint64)

    def y_MC(self, tile: Tile) -> Tensor:
        """Return the buffer that the normalised tile belongs in."""
        return self.y[: (tile.t1 - tile.t0) * self.bands]

    def _project(self, tile: Tile) -> tuple[Tensor, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Compute W y + b; return it, and as arrays it, the sigmoid of y and a random byte of each element."""
        y_MC = self.y_MC(tile)
        z_MC, s_MC = self.z[: len(y_MC)], self.s[: len(y_MC)]
        torch.addmm(self.bias_C, y_MC, self.weight_CC.T, out=z_MC)
        if y_MC.dtype == s_MC.dtype:
            torch.sigmoid(y_MC, out=s_MC)
        else:
            kernels.sigmoid(bits_of(y_MC).ravel(), s_MC.numpy().ravel())
        if self.rules[0]:
            words = self.words[: (y_MC.numel() + 7) // 8]
            kernels.random_words(self.key, tile.index * len(self.words), words)
        bytes_MC = self.words.view(np.uint8)[: y_MC.numel()].reshape(y_MC.shape)
        return z_MC, (bits_of(z_MC), bits_of(s_MC), bytes_MC)

    def forward(self, tile: Tile, pooled_BUVC: np.ndarray) -> None:
        """Fill in the tile's part of the pooled output."""
        _, arrays = self._project(tile)
        out_UVC = pooled_BUVC[tile.clip, tile.pooled]
        kernels.gate_pool(arrays, self.rules, self.bands, out_UVC)

    def backward(self, tile: Tile, grad_BUVC: np.ndarray, dy_MC: Tensor) -> None:
        """Fill in the gradient of y, and add to the gradients of the linear layer."""
        z_MC, arrays = self._project(tile)
        grad_UVC = grad_BUVC[tile.clip, tile.pooled]
        kernels.gate_gradient(arrays, self.rules, self.bands, grad_UVC, bits_of(dy_MC))
        dy_MC.addmm_(z_MC, self.weight_CC)  # z's place holds z's gradient now
        if z_MC.dtype == self.weight_grad_CC.dtype:
            self.weight_grad_CC.addmm_(z_MC.T, self.y_MC(tile))
        else:
            self.weight_grad_CC += z_MC.T @ self.y_MC(tile)
        self.bias_grad_C += z_MC.sum(0, dtype=self.bias_grad_C.dtype)


def batch_norm(maps: Maps | Taps, settings: BlockSettings, weight: Tensor, bias: Tensor) -> Norm:
    """Return the statistics of the batch and update the running ones; in evaluation, return the running ones."""
    norm = settings.norm
    assert norm.running_mean is not None and norm.running_var is not None
    if norm.training:
        sums_2C, count = _over_ranks(maps.moments(), maps, settings)
        mean_C = sums_2C[0] / count
        variance_C = sums_2C[1] / count - mean_C**2
        assert norm.num_batches_tracked is not None and norm.momentum is not None
        norm.num_batches_tracked += 1
        norm.running_mean.lerp_(mean_C.to(weight.dtype), norm.momentum)
        unbiased_C = variance_C * count / (count - 1)
        norm.running_var.lerp_(unbiased_C.to(weight.dtype), norm.momentum)
    else:
        mean_C, variance_C = norm.running_mean.double(), norm.running_var.double()
    rstd_C = torch.rsqrt(variance_C.clamp(min=0) + norm.eps)
    scale_C = weight * rstd_C
    values = (mean_C, rstd_C, scale_C, bias - mean_C * scale_C)
    return Norm(*(value.to(weight.dtype) for value in values))


def _over_ranks(
    sums_2C: Tensor, maps: Maps | Taps, settings: BlockSettings
) -> tuple[Tensor, float]:
    """Return the sums and the number of pixels of the whole batch."""
    count = float(np.prod(maps.shape[:3]))
    if not settings.all_ranks:
        return sums_2C, count
    both = torch.cat([sums_2C.flatten(), sums_2C.new_tensor([count])])
    dist.all_reduce(both)
    return both[:-1].view_as(sums_2C), float(both[-1])


def _check(settings: BlockSettings, x_BITF: Tensor, parameters: Sequence[Tensor]) -> None:
    """Raise ValueError for sizes that do not fit each other: the kernels read where these point."""
    if x_BITF.ndim != 4 or not all(x_BITF.shape) or len(parameters) != 6:
        raise ValueError(f"input {tuple(x_BITF.shape)}: expected (clips, channels, frames, bands)")
    channels = parameters[0].shape[0]
    expected = (
        (channels, x_BITF.shape[1], 3, 3),
        *[(channels,)] * 3,
        (channels, channels),
        (channels,),
    )
    shapes = tuple(tuple(parameter.shape) for parameter in parameters)
    if shapes != expected or settings.norm.num_features != channels:
        raise ValueError(f"parameters of {shapes}, expected {expected}")
    if len({parameter.dtype for parameter in parameters}) != 1:
        raise ValueError(f"parameters of several types, first {parameters[0].dtype}")
    if not 0 <= settings.dropped < 256 or min(settings.pooling) < 1:
        raise ValueError(
            f"{settings.dropped} of 256 dropped and pooling {settings.pooling}: expected 0 to 255, and 1 or more"
        )


class Block(torch.autograd.Function):
    """The autograd function of a block: settings, input (B, I, T, F) and six parameters give the pooled
    output (B, C, U, V), channels last.
    """

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any,
        settings: BlockSettings,
        x_BITF: Tensor,
        *parameters: Tensor,
    ) -> Tensor:
        weight, bias, norm_weight, norm_bias, *linear = parameters
        _check(settings, x_BITF, parameters)
        one_channel = x_BITF.shape[1] == 1 and not ctx.needs_input_grad[1]
        given = x_BITF, (weight, bias)
        maps = Taps(*given) if one_channel else Maps(*given, settings.products)
        norm = batch_norm(maps, settings, norm_weight, norm_bias)
        key = int(torch.randint(1 << 62, ())) if settings.dropped else 0
        gate = Gate(settings, linear, key, maps.products)
        clips, frames, bands, channels = maps.shape
        pool_t, pool_f = settings.pooling
        pooled_BUVC = weight.new_empty(clips, frames // pool_t, bands // pool_f, channels)
        for tile in tiles(maps.shape, pool_t):
            if not tile.index:
                gate.room(tile, maps.shape)
            maps.normalised(tile, norm, gate.y_MC(tile))
            gate.forward(tile, pooled_BUVC.numpy())
        if any(ctx.needs_input_grad):
            outputs = maps.kept if isinstance(maps, Maps) else ()
            kept = (part.to(settings.storage) for part in outputs)
            ctx.settings, ctx.key, ctx.norm = settings, key, norm
            ctx.save_for_backward(x_BITF, *parameters, *kept)
        return pooled_BUVC.to(settings.storage).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(  # type: ignore[override]  # noqa: D102
        ctx: Any, *grad_outputs: Any
    ) -> tuple[Tensor | None, ...]:
        settings, norm = ctx.settings, ctx.norm
        x_BITF, weight, bias, _, _, *linear = ctx.saved_tensors[:7]
        kept = ctx.saved_tensors[7:]
        given = x_BITF, (weight, bias)
        maps = Maps(*given, settings.products, kept) if kept else Taps(*given)
        gate = Gate(settings, linear, ctx.key, maps.products)
        grad_BUVC = grad_outputs[0].permute(0, 2, 3, 1).to(weight.dtype).contiguous().numpy()
        for tile in tiles(maps.shape, settings.pooling[0]):
            if not tile.index:
                gate.room(tile, maps.shape)
            maps.normalised(tile, norm, gate.y_MC(tile))
            dy_MC = maps.gradient(tile)
            gate.backward(tile, grad_BUVC, dy_MC)
            maps.add(tile, norm, dy_MC)
        own_2C = maps.gradient_sums(norm)
        sums_2C, count = _over_ranks(own_2C, maps, settings)
        factors_3C = norm.factors(sums_2C, count).to(weight.dtype)
        x_grad, weight_grad = maps.finish(factors_3C, ctx.needs_input_grad[1])
        # Normalisation removes the convolution's bias, so the gradient of the bias, summed over ranks, is 0.
        norm_grads = (own_2C[1] * norm.rstd_C).to(weight.dtype), own_2C[0].to(weight.dtype)
        gate_grads = gate.weight_grad_CC, gate.bias_grad_C
        return None, x_grad, weight_grad, torch.zeros_like(bias), *norm_grads, *gate_grads
