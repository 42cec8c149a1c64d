"""The number and size of the programs that a kernel of a block starts."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import torch
import triton.language as tl
from triton.runtime.interpreter import InterpretedFunction

from raysed.model.gpu.tiles import Rules, Shape, product

_PROGRAMS_PER_PROCESSOR = 2
"""Programs that take tile after tile: more would leave more partial sums to add up."""
_INTERPRETED = 3
"""Processors in Triton's interpreter, where there is no GPU: several programs, several tiles each."""


class Program(NamedTuple):
    """The size of a program that holds all channels."""

    rows: int
    """Windows."""
    warps: int
    shared_kb: int
    """Shared memory that it takes in single precision, as compiled for an H100."""


FORWARD = {
    16: Program(64, 4, 8),
    32: Program(64, 4, 16),
    64: Program(64, 8, 36),
    128: Program(32, 8, 84),
}
"""Tiles of the forward pass by (padded) channels: the largest whose registers do not spill."""
BACKWARD = {16: Program(64, 4, 26), 32: Program(32, 4, 24), 64: Program(32, 8, 60)}
"""Tiles of the backward pass. With 128 channels the gradient of the gate's weights fills the registers."""


@lru_cache
def _processors(device: torch.device) -> int:
    if device.type != "cuda":
        return _INTERPRETED
    return torch.cuda.get_device_properties(device).multi_processor_count


@lru_cache
def _shared_bytes(device: torch.device) -> int:
    if device.type != "cuda":
        return 1 << 18
    properties: Any = torch.cuda.get_device_properties(device)
    return properties.shared_memory_per_block_optin


def power_of_two(n: int) -> int:
    """Return the least power of two that is at least n and 16, the least size of a product."""
    return max(16, 1 << (n - 1).bit_length())


def program_of(
    tiles: Mapping[int, Program], channels: int, dot: torch.dtype, device: torch.device
) -> Program | None:
    """Return the tile of a program that holds all channels and the gate's weights, None where it cannot."""
    tile = tiles.get(power_of_two(channels))
    if tile is None or tile.shared_kb * 1024 * max(dot.itemsize // 4, 1) > _shared_bytes(device):
        return None
    return tile


def tile_rows(channels: int) -> int:
    """Return the pixels of a tile with these (padded) channels, where nothing is multiplied."""
    return max(16, min(128, 4096 // channels))


def programs_for(items: int, rows: int, device: torch.device) -> int:
    """Return the number of programs that share tiles of `rows` items."""
    return min(-(-items // rows), _PROGRAMS_PER_PROCESSOR * _processors(device))


def shape_of(maps_BTFC: tuple[int, int, int, int], pooling: tuple[int, int]) -> Shape:
    """Return the sizes of a block. Raises ValueError where pooling leaves nothing, and for more pixels than its
    kernels can count.
    """
    clips, frames, bands, channels = maps_BTFC
    u, v = frames // pooling[0], bands // pooling[1]
    pixels = clips * frames * bands
    if not u * v:
        raise ValueError(
            f"maps of {frames} frames and {bands} bands leave nothing after pooling by {pooling}"
        )
    if pixels >= 1 << 31:
        raise ValueError(f"{pixels:,} pixels of a block's maps: expected fewer than {1 << 31:,}")
    at_once = draws_at_once(pooling)
    draws = pooling[0] * pooling[1] // at_once
    return Shape(pixels, frames, bands, channels, clips * u * v, u, v, draws, at_once)


def draws_at_once(pooling: tuple[int, int]) -> int:
    """Return how many pixels of a window share four random words: the most that divide it."""
    pixels = pooling[0] * pooling[1]
    return max(n for n in range(1, 5) if pixels % n == 0)


def rules_of(pooling: tuple[int, int], dropout: float, dot: torch.dtype, *, taps: bool) -> Rules:
    """Return what is compiled into the kernels for factors of this type; `dropout` is 0 in evaluation."""
    tf32 = dot == torch.float32 and torch.backends.cudnn.allow_tf32
    return Rules(
        pool_t=pooling[0],
        pool_f=pooling[1],
        dropped=min(round(dropout * 2**32), 2**32 - 1),
        factor=1 / ((1 - dropout) * pooling[0] * pooling[1]),
        dot=getattr(tl, str(dot).removeprefix("torch.")),
        precision="tf32" if tf32 else "ieee",
        interpreted=isinstance(product, InterpretedFunction),
        taps=taps,
    )
