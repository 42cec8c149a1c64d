"""A convolution block on a GPU: the convolution by cuDNN, all that follows in one pass each way, in Triton.

Normalisation, gate, dropout and pooling are computed on tiles that stay on the chip. Kept for the gradient are
the convolution's output, its statistics and the dropout's key; the rest is computed again. The output of a
convolution of one channel is not even stored: nine products give it again.

Shapes: B clips, I and C channels, T frames, F bands; U and V are T and F after pooling; R programs.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from raysed.model.gpu import launches, norm_kernels
from raysed.model.gpu.gate import BlockMaps

_ROWS = 64
"""Rows of partial sums that are added up at a time."""


@dataclass(frozen=True)
class TritonSettings:
    """The settings of a block, besides its parameters."""

    norm: nn.BatchNorm2d
    pooling: tuple[int, int]
    dropout: float
    all_ranks: bool
    """True where batch statistics are those of all ranks together."""
    storage: torch.dtype
    """The type of maps, of their gradients and of the factors of products; sums are in the parameters' type."""


def convolved(
    settings: TritonSettings, x_BITF: Tensor, weight: Tensor, bias: Tensor, *, input_too: bool
) -> BlockMaps:
    """Return the maps of an input; from one channel, as nine taps where a program holds all channels and no
    gradient of the input is asked for (`input_too`).
    """
    clips, inputs, frames, bands = x_BITF.shape
    shape = launches.shape_of((clips, frames, bands, len(weight)), settings.pooling)
    dropout = settings.dropout if settings.norm.training else 0.0
    about = (len(weight), settings.storage, x_BITF.device)
    programs = [launches.program_of(each, *about) for each in (launches.FORWARD, launches.BACKWARD)]
    taps = inputs == 1 and None not in programs and not input_too
    if taps:
        rows = [weight.reshape(-1, 9).T, bias[None], bias.new_zeros(6, len(bias))]
        source = (x_BITF.to(weight.dtype).contiguous(), torch.cat(rows))
    else:
        x, weights, biases = (part.to(settings.storage) for part in (x_BITF, weight, bias))
        output = F.conv2d(x, weights, biases, padding=1)
        source = (output.contiguous(memory_format=torch.channels_last),) * 2
    rules = launches.rules_of(settings.pooling, dropout, settings.storage, taps=taps)
    return BlockMaps(source, shape, rules, settings.storage)


def settled_norm(
    maps: BlockMaps, settings: TritonSettings, weight: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Return (5, C) mean, 1 / deviation, scale, shift and count of the batch (in evaluation, of the running
    statistics, without the count), and (R, 16, 16) sums of products of taps; moves the running statistics.
    """
    norm, channels = settings.norm, maps.shape.channels
    assert norm.momentum is not None
    rows = squares = weight
    if norm.training:
        rows, squares = _moments(maps, weight)
        if settings.all_ranks:
            rows = _rows_of_all_ranks(rows)
    found = weight.new_empty(5, channels)
    norm_kernels.finish_norm[(-(-channels // 16),)](
        rows,
        (norm.running_mean, norm.running_var, norm.num_batches_tracked),
        (weight, bias),
        found,
        (len(rows), channels),
        EPS=norm.eps,
        MOMENTUM=norm.momentum,
        TRAINS=norm.training,
        R=_ROWS,
        C=16,
    )
    return found, squares


def _moments(maps: BlockMaps, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return each program's sums (R, 4, C), and with taps those of their products."""
    block = min(maps.padded, 128)
    rows_each = launches.tile_rows(block)
    programs = launches.programs_for(maps.shape.pixels, rows_each, maps.device)
    rows = like.new_empty(programs, 4, maps.shape.channels)
    squares = like.new_empty(programs, 16, 16)
    norm_kernels.map_moments[programs, maps.padded // block](
        maps.source,
        rows,
        squares,
        maps.shape,
        TAPS=maps.rules.taps,
        P=rows_each,
        C=block,
    )
    return rows, squares


def _rows_of_all_ranks(rows: Tensor) -> Tensor:
    """Return the sums of all ranks as one row (1, 4, C) in float64, about 0."""
    total, square, first, count = rows.double().unbind(1)
    squares = square + 2 * first * total + count * first.square()
    sums_3C = torch.stack([(total + count * first).sum(0), squares.sum(0), count.sum(0)])
    dist.all_reduce(sums_3C)
    return torch.stack([sums_3C[0], sums_3C[1], torch.zeros_like(sums_3C[0]), sums_3C[2]])[None]


class TritonBlock(torch.autograd.Function):
    """The autograd function of a block: settings, input (B, I, T, F) and six parameters give the pooled
    output (B, C, U, V), channels last.
    """

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any,
        settings: TritonSettings,
        x_BITF: Tensor,
        *parameters: Tensor,
    ) -> Tensor:
        weight, bias, norm_weight, norm_bias, *linear = parameters
        maps = convolved(settings, x_BITF, weight, bias, input_too=ctx.needs_input_grad[1])
        norm, squares = settled_norm(maps, settings, norm_weight, norm_bias)
        key = _dropout_key(maps)
        shape, clips = maps.shape, len(x_BITF)
        pooled_BUVC = x_BITF.new_empty(
            clips, shape.pooled_frames, shape.pooled_bands, shape.channels, dtype=settings.storage
        )
        maps.forward(pooled_BUVC, (norm, *linear), key)
        if any(ctx.needs_input_grad):
            ctx.settings, ctx.maps = settings, (maps.shape, maps.rules, maps.storage)
            ctx.save_for_backward(x_BITF, *parameters, *maps.source, norm, squares, key)
        return pooled_BUVC.permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(  # type: ignore[override]  # noqa: D102
        ctx: Any, *grad_outputs: Any
    ) -> tuple[Tensor | None, ...]:
        settings = ctx.settings
        x_BITF, weight, bias, _, _, *linear = ctx.saved_tensors[:7]
        *source, norm, squares, key = ctx.saved_tensors[7:]
        maps = BlockMaps(tuple(source), *ctx.maps)
        grad_BUVC = grad_outputs[0].permute(0, 2, 3, 1).contiguous()
        dy, gate_grads, sums = maps.backward(grad_BUVC, (norm, *linear), key)
        own = _factors(sums, norm)
        factors = own
        if settings.all_ranks:
            sums = sums.double().sum(0, keepdim=True)
            dist.all_reduce(sums)
            factors = _factors(sums, norm)
        if maps.rules.taps:
            x_grad, weight_grad = None, _taps_gradient(dy, squares, source[1], factors, weight)
        else:
            x_grad, weight_grad = _conv_gradient(ctx, dy, maps, factors, x_BITF, weight)
        # Normalisation removes the convolution's bias, so the gradient of the bias, summed over ranks, is 0.
        return None, x_grad, weight_grad, torch.zeros_like(bias), own[3], own[4], *gate_grads


def _dropout_key(maps: BlockMaps) -> Tensor:
    """Return the key of a pass's dropout (1,) int64. It is drawn on the device, so that nothing waits and a CUDA graph
    draws a new one at each replay; what drops nothing draws nothing, since another trial of this process may be drawing.
    """
    if not maps.rules.dropped:
        return torch.zeros(1, dtype=torch.int64, device=maps.device)
    return torch.randint(1 << 62, (1,), device=maps.device)


def _factors(sums: Tensor, norm: Tensor) -> Tensor:
    """Return (5, C): a, b and c of dx = a dy - b x - c, and the gradients of the norm's weight and bias."""
    channels = norm.shape[1]
    factors = torch.empty_like(norm)
    norm_kernels.finish_gradient[(-(-channels // 16),)](
        sums, norm, factors, (len(sums), channels), R=_ROWS, C=16
    )
    return factors


def _conv_gradient(
    ctx: Any, dy: Tensor, maps: BlockMaps, factors: Tensor, x_BITF: Tensor, weight: Tensor
) -> tuple[Tensor | None, Tensor]:
    """Return the gradients of the convolution's input (if asked for) and weight; dy becomes dx."""
    block = min(maps.padded, 128)
    rows = launches.tile_rows(block)
    norm_kernels.map_gradient[-(-maps.shape.pixels // rows), maps.padded // block](
        dy, maps.source[0], factors, maps.shape, P=rows, C=block
    )
    storage = ctx.settings.storage
    x_grad, weight_grad, _ = torch.ops.aten.convolution_backward(
        dy, x_BITF.to(storage), weight.to(storage), [len(weight)],
        [1, 1], [1, 1], [1, 1], False, [0, 0], 1, [ctx.needs_input_grad[1], True, False],
    )  # fmt: skip
    return None if x_grad is None else x_grad.to(x_BITF.dtype), weight_grad.to(weight.dtype)


def _taps_gradient(
    taps_dy: Tensor, squares: Tensor, matrix: Tensor, factors: Tensor, weight: Tensor
) -> Tensor:
    """Return the gradient of the weight of a convolution of one channel, from sums over its taps."""
    sums_KC, products_KK = taps_dy.double().sum(0), squares.double().sum(0)
    a_C, b_C, c_C = factors[:3].double()
    grad_KC = a_C * sums_KC - b_C * (products_KK @ matrix.double()) - c_C * products_KK[:, 9:10]
    return grad_KC[:9].T.reshape(weight.shape).to(weight.dtype)
