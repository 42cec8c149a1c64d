"""The fused convolution blocks of a GPU against the plain ones: parity by type, and time by kind of block.

Without a GPU, Triton's interpreter runs blocks of a few pixels.
"""

import copy
import os
import time
from typing import Any

import torch

from benchmarks.gpu_parts import Check
from raysed.config.trial import Model
from raysed.model.crnn import ConvBlock

PUBLISHED = (
    (1, 16, (2, 2), (628, 128)),
    (16, 32, (2, 2), (314, 64)),
    (32, 64, (1, 2), (157, 32)),
    (64, 128, (1, 2), (157, 16)),
    (128, 128, (1, 2), (157, 8)),
)
"""Input channels, channels, pooling, frames and bands of the published blocks; the last stands for three."""
SMALL = ((1, 3, (2, 2), (5, 6)), (2, 3, (1, 2), (3, 4)), (2, 70, (1, 2), (2, 4)))
TOLERANCE = {"float64": 1e-9, "float32": 1e-4, "tf32": 1e-2, "bfloat16": 5e-2, "float16": 1e-2}
"""Greatest error of values and gradients, relative to the largest value of each."""


def block_parity(device: str) -> Check:
    """Compare fused blocks with plain ones in float64; values and gradients of every parameter and input.

    On a GPU also the milliseconds of a block both ways, forward and backward, at batch 24: fused and plain.
    """
    gpu = device == "cuda"
    if not gpu and os.environ.get("TRITON_INTERPRET") != "1":
        # Triton asks when it is imported, which torch has done by now.
        return {"skipped": "without a GPU, set TRITON_INTERPRET=1", "ok": True}
    blocks = PUBLISHED if gpu else SMALL
    worst = {
        name: max(_error(device, sizes, name) for sizes in blocks)
        for name in (TOLERANCE if gpu else ("float64", "bfloat16"))
    }
    found: Check = {"errors": {name: float(f"{error:.2g}") for name, error in worst.items()}}
    if gpu:
        found["ms of a block, fused and plain"] = {
            f"{name}, {sizes[1]} channels of {sizes[3]}": _times(sizes, name)
            for name in ("tf32", "bfloat16")
            for sizes in PUBLISHED
        }
    return {**found, "ok": all(error <= TOLERANCE[name] for name, error in worst.items())}


def _pair(device: str, sizes: Any, name: str) -> tuple[Any, Any, torch.Tensor, torch.dtype]:
    """Return the fused function, the plain block, an input and the storage type."""
    from raysed.model.gpu.triton_block import TritonBlock, TritonSettings

    inputs, channels, pooling, shape = sizes
    like = torch.float64 if name == "float64" else torch.float32
    storage = getattr(torch, "float32" if name == "tf32" else name)
    torch.manual_seed(0)
    config = Model(filters=(channels,), pooling=(pooling,), dropout=0.0, glu_std=0.2)
    block = ConvBlock(inputs, channels, pooling, config).to(device, like).train()
    plain = copy.deepcopy(block)
    parts = (block.conv, block.norm, block.glu.linear)
    parameters = [p for part in parts for p in (part.weight, part.bias)]
    settings = TritonSettings(block.norm, pooling, 0.0, all_ranks=False, storage=storage)
    torch.backends.cudnn.allow_tf32 = name == "tf32"
    x = torch.randn(2, inputs, *shape, dtype=like).to(device)
    return (lambda x: TritonBlock.apply(settings, x, *parameters)), (block, plain), x, storage


def _error(device: str, sizes: Any, name: str) -> float:
    """Return the largest relative error of a fused block's values and gradients, against a plain one that
    stores all.
    """
    fused, (block, plain), x, storage = _pair(device, sizes, name)
    given = x.to(storage) if x.shape[1] > 1 else x.clone()
    ours, theirs = (each.requires_grad_(x.shape[1] > 1) for each in (given, x.clone().double()))
    out, expected = fused(ours), plain.double().plain(theirs)
    weights = torch.randn(expected.shape, dtype=torch.float64, device=device)
    out.backward(weights.to(out.dtype))
    expected.backward(weights)
    pairs = [(out, expected)]
    # The gradient of the convolution's bias is 0, and noise in the plain block.
    learnt = [n for n, _ in block.named_parameters() if n != "conv.bias"]
    pairs += [(block.get_parameter(n).grad, plain.get_parameter(n).grad) for n in learnt]
    pairs += [(ours.grad, theirs.grad)] * (x.shape[1] > 1)
    return max(float((a.double() - b).abs().max() / b.abs().max()) for a, b in pairs)


def _times(sizes: Any, name: str) -> list[float]:
    """Return the milliseconds of a block forward and backward at batch 24, fused and plain."""
    fused, (_, plain), x, storage = _pair("cuda", sizes, name)
    x = x[:1].repeat(24, 1, 1, 1).contiguous(memory_format=torch.channels_last)
    given = (x.to(storage) if x.shape[1] > 1 else x).requires_grad_(x.shape[1] > 1)

    def once(way: Any) -> None:
        with torch.autocast("cuda", dtype=storage, enabled=storage != torch.float32):
            out = way(given)
        out.sum().backward()

    found = []
    for way in (fused, plain.plain):
        once(way)
        torch.cuda.synchronize()
        started = time.perf_counter()
        for _ in range(20):
            once(way)
        torch.cuda.synchronize()
        found.append(round((time.perf_counter() - started) / 20 * 1e3, 3))
    return found
