"""The floor of a training step on the device at hand: what it moves, multiplies and waits for, at measured rates.

The bytes are those of fused blocks in float32: each block's maps are written once and read once forward, read
again and their gradient written, read and written once more backward; maps of the first block are computed
again, not stored. Products are counted by benchmarks.roofline, the GRU is timed by itself.
"""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from benchmarks.roofline import step_work
from raysed.config.trial import Model, Shares

_PASSES = {"teacher": 2, "student": 2 + 4}
"""Times that the maps of a block are written or read."""
FRAMES, BANDS, OUTPUTS = 628, 128, 157


def map_bytes(model: Model, clips: int) -> int:
    """Return the bytes of all blocks' maps in float32, without those of the first."""
    frames, bands, found = FRAMES, BANDS, 0
    for n, (channels, (pool_t, pool_f)) in enumerate(
        zip(model.filters, model.pooling, strict=True)
    ):
        found += 4 * clips * frames * bands * channels * (n > 0)
        frames, bands = frames // pool_t, bands // pool_f
    return found


def floor_ms(device: str, shares: Shares) -> dict[str, float]:
    """Return milliseconds of the published step's parts at the device's own rates, and their sum.

    On the CPU a small step, for a moment: it shows that the code runs.
    """
    gpu = device == "cuda"
    model = Model() if gpu else Model(filters=(4,) * 7, gru_units=4)
    size = 1 << (28 if gpu else 18)
    source = torch.empty(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    bytes_s = 2 * size / _seconds(lambda: target.copy_(source), device)
    side = 8192 if gpu else 128
    factor = torch.randn(side, side, device=device)
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = True
    flops_s = 2 * side**3 / _seconds(lambda: factor @ factor, device)
    torch.backends.cuda.matmul.allow_tf32 = before
    work = step_work(shares, model, torch.float32)
    products = sum(each.flops for kind, each in work.items() if kind != "GRU")
    moved = map_bytes(model, shares.total) * sum(_PASSES.values())
    gru_s = _gru_seconds(device, model, shares.total)
    parts = {"maps": moved / bytes_s, "products, TF32": products / flops_s, "GRU": gru_s}
    found = {name: round(1e3 * value, 3) for name, value in parts.items()}
    rates = {"copy TB/s": round(bytes_s / 1e12, 3), "TF32 TFLOP/s": round(flops_s / 1e12, 2)}
    return {**found, "sum": round(sum(found.values()), 3), **rates}


def _gru_seconds(device: str, model: Model, clips: int) -> float:
    """Return the seconds of torch's GRU: the teacher's forward pass, the student's both ways."""
    gru = nn.GRU(
        model.filters[-1], model.gru_units, model.gru_layers, batch_first=True, bidirectional=True
    ).to(device)
    x = torch.randn(clips, OUTPUTS, model.filters[-1], device=device)

    def passes() -> Any:
        with torch.no_grad():
            gru(x)
        gru(x)[0].sum().backward()

    return _seconds(passes, device)


def _seconds(work: Callable[[], Any], device: str, times: int = 5) -> float:
    """Return the least seconds of some calls, after one that does not count."""
    found = []
    for _ in range(times + 1):
        if device == "cuda":
            torch.cuda.synchronize()
        started = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        found.append(time.perf_counter() - started)
    return min(found[1:])
