"""The one place that chooses how a convolution block is computed: fused for its device, or plainly, and why."""

from typing import Any

import torch
from torch import Tensor, nn

from raysed.config.trial import Model
from raysed.model.cpu.bfloat16 import products_type
from raysed.model.cpu.fused import Block, BlockSettings
from raysed.model.sync_norm import AllReducedBatchNorm

_BYTE = 256
"""A CPU's dropout takes a byte of randomness for an element."""


def why_plain(config: Model, device: torch.device) -> str | None:
    """Return why the blocks of a network run one operation after the other on a device, None where they are
    fused.
    """
    if config.pool != "average":
        return f"pool is {config.pool}, fused blocks average"
    if device.type == "cpu":
        share = round(config.dropout * _BYTE)
        if config.dropout and not 0 < share < _BYTE:
            return f"a dropout of {config.dropout} is none or all in {_BYTE} parts"
        return None
    if device.type == "cuda":
        # Triton is imported where there is a GPU only.
        from raysed.model.gpu.usable import unusable

        return unusable(device)
    return f"none are written for {device.type}"


def fused(block: Any, x_BCTF: Tensor) -> Tensor | None:
    """Return the output of a `ConvBlock` as its device computes it best, None where the plain way is left.

    Gradients through statistics that are not the batch's are left to the plain way, and so is a batch of one pixel,
    which has no variance: torch says so.
    """
    able = x_BCTF[:, 0].numel() > 1 if block.training else not torch.is_grad_enabled()
    if not able or why_plain(block.config, x_BCTF.device) is not None:
        return None
    kind = x_BCTF.device.type
    half = torch.is_autocast_enabled(kind)
    storage = torch.get_autocast_dtype(kind) if half else block.conv.weight.dtype
    apply = _on_cpu if kind == "cpu" else _on_gpu
    parts = (block.conv, block.norm, block.glu.linear)
    parameters = [p for part in parts for p in (part.weight, part.bias)]
    with torch.autocast(kind, enabled=False):
        return apply(block, storage, x_BCTF, parameters)


def _on_cpu(block: Any, storage: torch.dtype, x_BCTF: Tensor, parameters: list[Tensor]) -> Tensor:
    settings = BlockSettings(
        norm=block.norm,
        pooling=block.pooling,
        dropped=round(block.dropout.p * _BYTE) if block.training else 0,
        all_ranks=isinstance(block.norm, AllReducedBatchNorm),
        storage=storage,
        products=products_type(storage, block.conv.weight.dtype),
    )
    return Block.apply(settings, x_BCTF, *parameters)


def _on_gpu(block: Any, storage: torch.dtype, x_BCTF: Tensor, parameters: list[Tensor]) -> Tensor:
    from raysed.model.gpu.triton_block import TritonBlock, TritonSettings

    settings = TritonSettings(
        norm=block.norm,
        pooling=block.pooling,
        dropout=block.dropout.p,
        all_ranks=isinstance(block.norm, nn.SyncBatchNorm),
        storage=storage,
    )
    # Triton starts its programs on the current GPU, wherever the tensors lie.
    with torch.cuda.device_of(x_BCTF):
        return TritonBlock.apply(settings, x_BCTF, *parameters)
