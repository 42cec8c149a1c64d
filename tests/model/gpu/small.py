"""Blocks and maps of a few pixels for the kernels, on the GPU if there is one."""

import copy

import torch
from torch import nn

from raysed.config.trial import Model
from raysed.model.crnn import ConvBlock
from raysed.model.gpu import launches
from raysed.model.gpu.gate import BlockMaps
from raysed.model.gpu.triton_block import TritonBlock, TritonSettings

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fused_way(block, storage=None, all_ranks=False):
    """The block's parameters through the fused block, whatever the device."""
    parts = (block.conv, block.norm, block.glu.linear)
    parameters = [p for part in parts for p in (part.weight, part.bias)]
    storage = storage or block.conv.weight.dtype
    settings = TritonSettings(block.norm, block.pooling, block.dropout.p, all_ranks, storage)
    return lambda x_BCTF: TritonBlock.apply(settings, x_BCTF, *parameters)


def block_of(in_channels, channels=5, pooling=(2, 2), dropout=0.0, dtype=torch.float64):
    torch.manual_seed(3)
    config = Model(filters=(channels,), pooling=(pooling,), dropout=dropout)
    block = ConvBlock(in_channels, channels, pooling, config).to(DEVICE, dtype).train()
    nn.init.uniform_(block.norm.weight, 0.5, 1.5)
    nn.init.uniform_(block.norm.bias, -1, 1)
    nn.init.normal_(block.glu.linear.weight, 0, 0.5)
    return block


def pair_of(*about, **more):
    """A block that goes the fused way, and its copy that goes the plain one."""
    ours = block_of(*about, **more)
    plain = copy.deepcopy(ours)
    ours.forward, plain.forward = fused_way(ours), plain.plain
    return ours, plain


def maps_of(x_BCTF, pooling=(2, 2), dropout=0.0):
    """Stored maps, channels last."""
    x_BCTF = x_BCTF.to(DEVICE).contiguous(memory_format=torch.channels_last)
    clips, channels, frames, bands = x_BCTF.shape
    shape = launches.shape_of((clips, frames, bands, channels), pooling)
    rules = launches.rules_of(pooling, dropout, x_BCTF.dtype, taps=False)
    return BlockMaps((x_BCTF, x_BCTF), shape, rules, x_BCTF.dtype)
