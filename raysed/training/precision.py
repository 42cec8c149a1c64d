"""The precision of a trial's products, as its configuration declares it."""

import torch

HALF = ("bfloat16", "float16")


def set_products(precision: str, device: str) -> None:
    """Let this process's convolutions and recurrent layers round to TF32, or not, as `precision` says.

    torch rounds them by default on a GPU, in scoring too. The fused blocks follow the same switch for their
    gated units. Raises ValueError for TF32 on a CPU, which has none.
    """
    if precision == "tf32" and not device.startswith("cuda"):
        raise ValueError(
            f"precision tf32 is for GPUs, and this trial is to train on {device}: give float32, which is exact"
        )
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def autocast(precision: str, device_type: str) -> torch.autocast:
    """Return the context of a forward pass: half precision where it is declared."""
    half = precision in HALF
    return torch.autocast(
        device_type, dtype=getattr(torch, precision) if half else None, enabled=half
    )
