"""The kernels that a training step spends its time in, of the plain step and of ours, by torch's profiler."""

from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu_parts import Check
from benchmarks.gpu_speed import PLAIN, Steps, plain_of, step_of, steps_of

_SHOWN = 15


def kernel_lists(device: str) -> Check:
    """Return the longest kernels of some steps: milliseconds and launches of one step, by name."""
    ways = {PLAIN: plain_of(device, tf32=True), "step, tf32": step_of(device, "tf32")}
    return {"kernels": {name: _longest(take, device) for name, take in ways.items()}, "ok": True}


def _longest(take_steps: Steps, device: str) -> list[tuple[str, float, float]]:
    take_steps()
    gpu, steps = device == "cuda", steps_of(device)
    with profile(activities=[ProfilerActivity.CUDA if gpu else ProfilerActivity.CPU]) as seen:
        take_steps()
        if gpu:
            torch.cuda.synchronize()
    kind = "self_device_time_total" if gpu else "self_cpu_time_total"

    def time_us(event: Any) -> float:
        return getattr(event, kind)

    events = sorted(seen.key_averages(), key=time_us, reverse=True)[:_SHOWN]
    return [(e.key[:60], round(time_us(e) / 1e3 / steps, 4), e.count / steps) for e in events]
