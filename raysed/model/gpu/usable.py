"""The answer to whether this process can run the fused blocks on a GPU, found once on a block of a few pixels."""

from functools import lru_cache

import torch
from torch import nn

from raysed.draws import draws

_LEAST_CAPABILITY = (7, 0)
"""Older GPUs are not among those that Triton compiles for."""


@lru_cache
def unusable(device: torch.device) -> str | None:
    """Return why the fused blocks cannot run on this GPU, None where they can.

    A machine may lack Triton, the C compiler that its launches are built with, or a driver that knows what it
    compiles; whatever is missing shows in a block that is run.
    """
    capability = torch.cuda.get_device_capability(device)
    if capability < _LEAST_CAPABILITY:
        return f"Triton needs compute capability 7.0, this GPU has {capability[0]}.{capability[1]}"
    try:
        with draws(), torch.random.fork_rng([device]), torch.cuda.device(device):
            _run_a_block(device)
    except Exception as error:
        lines = str(error).splitlines() or ["no message"]
        return f"Triton cannot run here: {type(error).__name__}: {lines[-1]:.200}"
    return None


def _run_a_block(device: torch.device) -> None:
    """Run a block of two channels both ways. Raises whatever keeps it from running."""
    from raysed.model.gpu.triton_block import TritonBlock, TritonSettings

    sizes = ((2, 2, 3, 3), (2,), (2,), (2,), (2, 2), (2,))
    # The first block may be one that scores, where nothing is recorded for a gradient.
    recorded = torch.inference_mode(False), torch.enable_grad()
    with recorded[0], recorded[1], torch.autocast(device.type, enabled=False):
        norm = nn.BatchNorm2d(2).to(device)
        settings = TritonSettings(norm, (2, 2), 0.5, all_ranks=False, storage=torch.float32)
        parameters = [torch.ones(size, device=device, requires_grad=True) for size in sizes]
        input = torch.ones(1, 2, 4, 4, device=device)
        TritonBlock.apply(settings, input, *parameters).sum().backward()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
