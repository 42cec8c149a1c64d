"""Batch normalisation over the batches of all ranks.

The published BatchNorm sees 24 mixed clips; with a rank's share alone the result would change. GPUs use
torch's SyncBatchNorm; it refuses CPU tensors, so CPUs (gloo) use this one.
"""

import torch
import torch.distributed as dist
import torch.distributed.nn.functional as collective
from torch import Tensor, nn


class AllReducedBatchNorm(nn.BatchNorm2d):
    """A BatchNorm2d whose training statistics are those of all ranks' (B, C, H, W) together."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: D102
        if not self.training:
            return super().forward(input)
        # Sums over a global batch overflow float16 and lose bfloat16's few digits.
        x_BCHW = input.float() if input.dtype in (torch.float16, torch.bfloat16) else input
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        axes = (0, 2, 3)
        count = x_BCHW.new_tensor(float(x_BCHW.numel() // x_BCHW.shape[1]))
        dist.all_reduce(count)
        mean_C = _all_reduce(x_BCHW.sum(axes)) / count
        centred_BCHW = x_BCHW - mean_C[:, None, None]
        variance_C = _all_reduce(centred_BCHW.square().sum(axes)) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean_C, self.momentum)
            self.running_var.lerp_(variance_C * count / (count - 1), self.momentum)
        scale_C = self.weight * torch.rsqrt(variance_C + self.eps)
        normalised_BCHW = centred_BCHW * scale_C[:, None, None] + self.bias[:, None, None]
        return normalised_BCHW.to(input.dtype)


def _all_reduce(x: Tensor) -> Tensor:
    """A differentiable sum over ranks."""
    return collective.all_reduce(x)


def synchronise_norms(model: nn.Module, device: str) -> nn.Module:
    """Return `model` with every BatchNorm2d over all ranks; names and values of the state stay the same."""
    if device.startswith("cuda"):
        return nn.SyncBatchNorm.convert_sync_batchnorm(model)
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = AllReducedBatchNorm
    return model
