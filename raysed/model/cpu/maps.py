"""The output of a 3 x 3 convolution by tiles, forward and backward: stored, or computed again from one input
channel.

Both kinds give the same four things: the sums that batch statistics need; a tile, normalised; the place for
the gradient of a tile; and, once the gradients of all tiles are there, those of weights and input.

Shapes: B clips, I and C channels, T frames, F bands, M pixels of a tile, N nine taps and a constant one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from raysed.model.cpu import kernels
from raysed.model.cpu.bfloat16 import bits_of

TILE_ELEMENTS = 1 << 17
"""Elements of a tile: the four arrays of it in single precision fill a cache of 2 MiB."""
CHUNK = 1 << 20
"""Elements of the clips that are convolved at a time: larger arrays cost more to allocate than to fill."""


@dataclass(frozen=True)
class Tile:
    """Frames t0..t1 of a clip, and the frames that pooling makes of them."""

    index: int
    clip: int
    t0: int
    t1: int
    pooled: slice


def tiles(shape_BTFC: Sequence[int], pool_t: int) -> Iterator[Tile]:
    """List all tiles, clip by clip; none is larger than the first."""
    clips, frames, bands, channels = shape_BTFC
    step = max(1, TILE_ELEMENTS // (bands * channels * pool_t)) * pool_t
    starts = range(0, frames, step)
    for clip in range(clips):
        for n, t0 in enumerate(starts):
            t1 = min(t0 + step, frames)
            pooled = slice(t0 // pool_t, t1 // pool_t)
            yield Tile(clip * len(starts) + n, clip, t0, t1, pooled)


@dataclass(frozen=True)
class Norm:
    """Batch statistics and the normalisation's y = scale x + shift, per channel."""

    mean_C: Tensor
    rstd_C: Tensor
    scale_C: Tensor
    shift_C: Tensor

    def factors(self, sums_2C: Tensor, count: float) -> Tensor:
        """Return a, b and c of dx = a dy - b x - c, from the sums of dy and dy (x - mean) over the whole
        batch.
        """
        slope_C = self.scale_C * self.rstd_C**2 * sums_2C[1] / count
        return torch.stack(
            [self.scale_C, slope_C, self.scale_C * sums_2C[0] / count - slope_C * self.mean_C]
        )


class Maps:
    """Outputs that are kept, some clips at a time, channels last; the type of products is also that of the
    outputs and of their gradients.
    """

    def __init__(
        self,
        x_BITF: Tensor,
        convolution: tuple[Tensor, Tensor],
        products: torch.dtype,
        kept: Sequence[Tensor] = (),
    ) -> None:
        self.x_BITF, self.products = x_BITF, products
        self.weight, bias = (parameter.to(products) for parameter in convolution)
        self.sums_type = convolution[0].dtype
        self.shape = (len(x_BITF), *x_BITF.shape[2:], len(bias))
        self.clips = max(1, CHUNK // int(np.prod(self.shape[1:])))
        self.kept = list(kept) or [
            F.conv2d(part.to(products), self.weight, bias, padding=1)
            .permute(0, 2, 3, 1)
            .contiguous()
            for part in x_BITF.split(self.clips)
        ]
        self.latest = -1
        self.gradients: list[Tensor] = []
        self.sums_2C = np.zeros((2, len(bias)))

    def _array(self, part: int) -> np.ndarray:
        """Return some clips' outputs (B, T, F, C) in the type of products; tiles ask for them in order."""
        if part != self.latest:
            self.latest, self.array = part, bits_of(self.kept[part].to(self.products))
        return self.array

    def _tile(self, tile: Tile) -> np.ndarray:
        part, clip = divmod(tile.clip, self.clips)
        return self._array(part)[clip, tile.t0 : tile.t1]

    def moments(self) -> Tensor:
        """Return the sums of the output and of its square, (2, C) in float64."""
        # Sums around a value near the mean lose no digits.
        first_C = self.kept[0][0, 0, 0].to(self.sums_type).numpy()
        sums_2C = np.zeros((2, len(first_C)))
        for part in range(len(self.kept)):
            kernels.moments(self._array(part).reshape(-1, *self.shape[2:]), first_C, sums_2C)
        count, about = np.prod(self.shape[:3]), first_C.astype(np.float64)
        square = sums_2C[1] + 2 * about * sums_2C[0] + count * about**2
        return torch.from_numpy(np.stack([sums_2C[0] + count * about, square]))

    def normalised(self, tile: Tile, norm: Norm, y_MC: Tensor) -> None:
        """Fill `y_MC` with the normalised tile."""
        scale_C, shift_C = norm.scale_C.numpy(), norm.shift_C.numpy()
        kernels.affine(self._tile(tile), scale_C, shift_C, bits_of(y_MC))

    def gradient(self, tile: Tile) -> Tensor:
        """Return the array that the gradient of a tile's y is to be written to, (M, C)."""
        part, clip = divmod(tile.clip, self.clips)
        if part == len(self.gradients):
            self.gradients.append(torch.empty_like(self.kept[part], dtype=self.products))
        return self.gradients[part][clip, tile.t0 : tile.t1].view(-1, self.shape[-1])

    def add(self, tile: Tile, norm: Norm, dy_MC: Tensor) -> None:
        """Count a tile's gradient in."""
        x_TFC = self._tile(tile)
        dy_TFC = bits_of(dy_MC).reshape(x_TFC.shape)
        kernels.gradient_sums(dy_TFC, x_TFC, norm.mean_C.numpy(), self.sums_2C)

    def gradient_sums(self, norm: Norm) -> Tensor:
        """Return the sums of dy and of dy (x - mean), (2, C) in float64."""
        return torch.from_numpy(self.sums_2C)

    def finish(self, factors_3C: Tensor, input_too: bool) -> tuple[Tensor | None, Tensor]:
        """Return the gradients of the input (if asked for) and of the weight."""
        factors, channels = factors_3C.numpy(), self.shape[-1]
        weight_grad = torch.zeros_like(self.weight, dtype=self.sums_type)
        x_grad = torch.empty_like(self.x_BITF) if input_too else None
        for part, x_NITF in enumerate(self.x_BITF.split(self.clips)):
            dy_NTFC = self.gradients[part]
            dy_MC, x_MC = (a.reshape(-1, channels) for a in (bits_of(dy_NTFC), self._array(part)))
            kernels.norm_gradient(dy_MC, x_MC, factors)
            dx, dw, _ = torch.ops.aten.convolution_backward(
                dy_NTFC.permute(0, 3, 1, 2), x_NITF.to(self.products), self.weight, [channels],
                [1, 1], [1, 1], [1, 1], False, [0, 0], 1, [input_too, True, False],
            )  # fmt: skip
            weight_grad += dw
            if x_grad is not None:
                first = part * self.clips
                x_grad[first : first + len(dx)] = dx
        return x_grad, weight_grad


class Taps:
    """Outputs of a convolution of one channel: products of nine shifted inputs, which are never stored.

    Everything that batch statistics and gradients need of the outputs follows from sums over the taps. Products are
    in the parameters' type.
    """

    def __init__(self, x_B1TF: Tensor, convolution: tuple[Tensor, Tensor]) -> None:
        weight, bias = convolution
        self.shape = (len(x_B1TF), *x_B1TF.shape[2:], len(weight))
        self.weight, self.products = weight, weight.dtype
        self.matrix_NC = torch.cat([weight.reshape(-1, 9).T, bias[None]])
        self.padded_BTF = F.pad(x_B1TF[:, 0].to(weight.dtype), (1, 1, 1, 1)).numpy()
        self.buffer = weight.new_empty(0)
        self.gradient_MC = weight.new_empty(0)
        self.sums_NC = torch.zeros_like(self.matrix_NC, dtype=torch.float64)
        self.products_NN = torch.zeros(10, 10, dtype=torch.float64)
        for tile in tiles(self.shape, 1):
            taps_NM = self._taps(tile)
            self.products_NN += taps_NM @ taps_NM.T

    def _taps(self, tile: Tile) -> Tensor:
        shape = (10, tile.t1 - tile.t0, self.shape[2])
        size = int(np.prod(shape))
        if size > len(self.buffer):
            self.buffer = self.weight.new_empty(size)
        taps_NTF = self.buffer[:size].view(shape)
        kernels.patches(self.padded_BTF[tile.clip, tile.t0 : tile.t1 + 2], taps_NTF.numpy())
        return taps_NTF.flatten(1)

    def moments(self) -> Tensor:
        """Return the sums of the output and of its square, (2, C) in float64."""
        matrix_NC = self.matrix_NC.double()
        sums_NC = self.products_NN @ matrix_NC
        return torch.stack([sums_NC[9], (sums_NC * matrix_NC).sum(0)])

    def normalised(self, tile: Tile, norm: Norm, y_MC: Tensor) -> None:
        """Fill `y_MC` with the normalised tile."""
        matrix_NC = self.matrix_NC * norm.scale_C
        matrix_NC[9] += norm.shift_C
        self.taps_NM = self._taps(tile)
        torch.mm(self.taps_NM.T, matrix_NC, out=y_MC)

    def gradient(self, tile: Tile) -> Tensor:
        """Return the array that the gradient of a tile's y is to be written to, (M, C)."""
        pixels = (tile.t1 - tile.t0) * self.shape[2]
        if not len(self.gradient_MC):
            self.gradient_MC = self.weight.new_empty(pixels, self.shape[-1])
        return self.gradient_MC[:pixels]

    def add(self, tile: Tile, norm: Norm, dy_MC: Tensor) -> None:
        """Count a tile's gradient in; the tile is the one that was normalised last."""
        self.sums_NC += self.taps_NM @ dy_MC

    def gradient_sums(self, norm: Norm) -> Tensor:
        """Return the sums of dy and of dy (x - mean), (2, C) in float64."""
        sum_C = self.sums_NC[9]
        return torch.stack([sum_C, (self.sums_NC * self.matrix_NC).sum(0) - norm.mean_C * sum_C])

    def finish(self, factors_3C: Tensor, input_too: bool) -> tuple[Tensor | None, Tensor]:
        """Return None for the input, and the gradient of the weight."""
        assert not input_too
        scale_C, slope_C, constant_C = factors_3C.double()
        taps_x_NC = self.products_NN @ self.matrix_NC.double()
        grad_NC = scale_C * self.sums_NC - slope_C * taps_x_NC
        grad_NC -= constant_C * self.products_NN[:, 9:]
        return None, grad_NC[:9].T.reshape(self.weight.shape).to(self.weight.dtype)
