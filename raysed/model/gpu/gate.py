"""The gated unit, dropout and pooling of a block on a GPU: the launches of their kernels.

Shapes: B clips, C channels, T frames, F bands; U and V are T and F after pooling; N pixels; R programs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from raysed.model.gpu import gate_kernels, launches
from raysed.model.gpu.tiles import Rules, Shape


@dataclass(frozen=True)
class BlockMaps:
    """The convolution's output: stored, or the input and the matrix that give it again."""

    source: tuple[Tensor, Tensor]
    shape: Shape
    rules: Rules
    storage: torch.dtype
    """The type of maps and of the factors of products."""

    @property
    def device(self) -> torch.device:
        """The device of all tensors."""
        return self.source[0].device

    @property
    def padded(self) -> int:
        """The channels that a program holds."""
        return launches.power_of_two(self.shape.channels)

    def program(self, tiles: Mapping[int, launches.Program]) -> launches.Program | None:
        """Return the tile of a program that holds all channels, None where none can."""
        return launches.program_of(tiles, self.shape.channels, self.storage, self.device)

    def forward(self, pooled_BUVC: Tensor, parameters: Sequence[Tensor], key: Tensor) -> None:
        """Fill in the pooled output; `parameters` are the norm (5, C) and the gate's weight and bias."""
        gate = _wide_forward if self.program(launches.FORWARD) is None else _narrow_forward
        gate(self, pooled_BUVC, parameters, key)

    def backward(
        self, grad_BUVC: Tensor, parameters: Sequence[Tensor], key: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor]:
        """Return the gradient of the normalised maps (with taps, each program's sums of taps times it), those
        of the gate's weight and bias, and sums (R, 2, C) of the first and of it times x - mean.
        """
        gate = _wide_backward if self.program(launches.BACKWARD) is None else _narrow_backward
        return gate(self, grad_BUVC, parameters, key)


def _narrow_forward(
    maps: BlockMaps, pooled_BUVC: Tensor, parameters: Sequence[Tensor], key: Tensor
) -> None:
    program, shape = maps.program(launches.FORWARD), maps.shape
    assert program is not None
    programs = launches.programs_for(shape.windows, program.rows, maps.device)
    gate_kernels.gate_forward[(programs,)](
        maps.source,
        pooled_BUVC,
        tuple(parameters),
        key,
        shape,
        RULES=maps.rules,
        P=program.rows,
        C=maps.padded,
        num_warps=program.warps,
        num_stages=1,
    )


def _narrow_backward(
    maps: BlockMaps, grad_BUVC: Tensor, parameters: Sequence[Tensor], key: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor]:
    program, shape, norm = maps.program(launches.BACKWARD), maps.shape, parameters[0]
    assert program is not None
    channels = shape.channels
    programs = launches.programs_for(shape.windows, program.rows, maps.device)
    dy = (
        norm.new_empty(programs, 16, channels)
        if maps.rules.taps
        else _gradient_buffer(maps, maps.source[0])
    )
    gate_grads = norm.new_empty(programs, channels + 1, channels)
    sums = norm.new_empty(programs, 2, channels)
    gate_kernels.gate_backward[(programs,)](
        maps.source,
        (grad_BUVC, dy, gate_grads, sums),
        tuple(parameters),
        key,
        shape,
        RULES=maps.rules,
        P=program.rows,
        C=maps.padded,
        num_warps=program.warps,
        num_stages=1,
    )
    both = gate_grads.sum(0)
    return dy, (both[:channels], both[channels]), sums


def _gradient_buffer(maps: BlockMaps, like: Tensor) -> Tensor:
    """Return room for the gradient of maps, 0 where pooling leaves pixels out."""
    shape, rules = maps.shape, maps.rules
    pooled = shape.frames % rules.pool_t == 0 and shape.bands % rules.pool_f == 0
    return torch.empty_like(like) if pooled else torch.zeros_like(like)


def _given(maps: BlockMaps, parameters: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the normalised maps and W y + b of them, (pixels, C) each, in the maps' type."""
    norm, weight, bias = parameters
    x_NC = maps.source[0].permute(0, 2, 3, 1).reshape(-1, maps.shape.channels)
    y_NC = torch.addcmul(norm[3], x_NC.to(norm.dtype), norm[2]).to(x_NC.dtype)
    return y_NC, F.linear(y_NC, weight.to(x_NC.dtype), bias.to(x_NC.dtype))


def _wide_forward(
    maps: BlockMaps, pooled_BUVC: Tensor, parameters: Sequence[Tensor], key: Tensor
) -> None:
    rows, shape = launches.tile_rows(128), maps.shape
    gate_kernels.given_forward[-(-shape.windows // rows), -(-shape.channels // 128)](
        _given(maps, parameters), pooled_BUVC, key, shape, RULES=maps.rules, P=rows, C=128
    )


def _wide_backward(
    maps: BlockMaps, grad_BUVC: Tensor, parameters: Sequence[Tensor], key: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor]:
    """Return what `_narrow_backward` does, with one row of sums."""
    rows, shape, (norm, weight, _) = launches.tile_rows(128), maps.shape, parameters
    y_NC, z_NC = _given(maps, parameters)
    kept_NC = y_NC.clone()
    if shape.frames % maps.rules.pool_t or shape.bands % maps.rules.pool_f:
        # Pixels that pooling leaves out have no gradient, and no window writes one.
        keep_TF = torch.zeros(shape.frames, shape.bands, dtype=torch.bool, device=maps.device)
        keep_TF[
            : shape.pooled_frames * maps.rules.pool_t, : shape.pooled_bands * maps.rules.pool_f
        ] = True
        out_N = (~keep_TF).flatten().repeat(shape.pixels // keep_TF.numel())
        y_NC.masked_fill_(out_N[:, None], 0), z_NC.masked_fill_(out_N[:, None], 0)
    gate_kernels.given_backward[-(-shape.windows // rows), -(-shape.channels // 128)](
        (y_NC, z_NC), grad_BUVC, key, shape, RULES=maps.rules, P=rows, C=128
    )
    dy_NC = y_NC.addmm_(z_NC, weight.to(z_NC.dtype))
    x_NC = maps.source[0].permute(0, 2, 3, 1).reshape(-1, shape.channels)
    total_C = dy_NC.sum(0, dtype=norm.dtype)
    centred_C = ((x_NC - norm[0]) * dy_NC).sum(0, dtype=norm.dtype)
    gate_grads = (z_NC.T @ kept_NC).to(norm.dtype), z_NC.sum(0, dtype=norm.dtype)
    clips = shape.pixels // (shape.frames * shape.bands)
    dy = dy_NC.view(clips, shape.frames, shape.bands, -1).permute(0, 3, 1, 2)
    return dy, gate_grads, torch.stack([total_C, centred_C])[None]
