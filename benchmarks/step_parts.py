"""The parts of a training step's CPU time, with a floor beside each part.

The step's own functions are timed from outside, each without what it calls that is timed too. A floor is
the longer of two times: the part's products at the speed of a large matrix product, and its memory traffic
at the speed of a copy, both measured on the spot.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch

from raysed.config.trial import Model
from raysed.model.cpu import fused, gru, kernels, maps

PARTS: tuple[tuple[Any, tuple[str, ...], str], ...] = (
    (maps.Maps, ("__init__",), "convolutions 2-7, forward"),
    (maps.Maps, ("finish",), "convolutions 2-7, backward"),
    (maps.Taps, ("__init__", "normalised", "add"), "convolution 1, both ways"),
    (fused.Gate, ("forward",), "gate, dropout, pooling: forward"),
    (fused.Gate, ("backward",), "gate, dropout, pooling: backward"),
    (kernels, ("moments", "affine", "gradient_sums", "norm_gradient"), "batch norm, both ways"),
    (gru.Layer, ("forward",), "GRU, forward"),
    (gru.Layer, ("backward",), "GRU, backward"),
    (torch.optim.Adam, ("step",), "Adam"),
)


class Clock:
    """Measures the exclusive CPU seconds of each part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.inner = [0.0]

    def timed(self, work: Callable[..., Any], part: str) -> Callable[..., Any]:
        """Return `work`, with its time counted."""

        def run(*args: Any, **options: Any) -> Any:
            self.inner.append(0.0)
            start = time.process_time()
            try:
                return work(*args, **options)
            finally:
                spent = time.process_time() - start
                self.seconds[part] += spent - self.inner.pop()
                self.inner[-1] += spent

        return run


@contextmanager
def clocked() -> Iterator[Clock]:
    """Time the step's parts within this context."""
    clock, patches = Clock(), []
    for owner, names, part in PARTS:
        for name in names:
            work = clock.timed(getattr(owner, name), part)
            static = isinstance(vars(owner).get(name), staticmethod)
            patches.append(patch.object(owner, name, staticmethod(work) if static else work))
    for each in patches:
        each.start()
    try:
        yield clock
    finally:
        for each in patches:
            each.stop()


def stream_gb_s() -> float:
    """Return the gigabytes read and written per second by copying an array that no cache holds."""
    source = torch.randn(1 << 26)
    target = torch.empty_like(source).copy_(source)
    start = time.process_time()
    for _ in range(3):
        target.copy_(source)
    return 3 * 2 * source.nbytes / (time.process_time() - start) / 1e9


def floors(model: Model, clips: int, gflops: float, gb_s: float) -> dict[str, float]:
    """Return the least seconds of each part: two forward passes, and one backward at twice a forward's
    products.
    """
    frames, bands, before = 628, 128, 1
    macs: dict[str, float] = defaultdict(float)
    floats = 0.0
    for index, (channels, (pool_t, pool_f)) in enumerate(
        zip(model.filters, model.pooling, strict=True)
    ):
        pixels = clips * frames * bands
        macs["gate"] += pixels * channels**2
        macs["conv" if index else "first"] += pixels * 9 * before * channels
        floats += pixels * channels if index else 0
        frames, bands, before = frames // pool_t, bands // pool_f, channels
    units = model.gru_units
    inputs = (before, *(2 * units for _ in range(model.gru_layers - 1)))
    macs["gru"] = clips * frames * sum(2 * 3 * units * (units + i) for i in inputs)

    def at_peak(kind: str, forwards: float) -> float:
        return 2 * macs[kind] * forwards / gflops / 1e9

    return {
        "convolutions 2-7, forward": max(at_peak("conv", 2), 2 * 4 * floats / gb_s / 1e9),
        "convolutions 2-7, backward": at_peak("conv", 2),
        # Products again in the backward pass, nothing of a gradient of the input.
        "convolution 1, both ways": at_peak("first", 4),
        "gate, dropout, pooling: forward": at_peak("gate", 2),
        "gate, dropout, pooling: backward": max(at_peak("gate", 3), 4 * floats / gb_s / 1e9),
        # Stored outputs: twice in either forward pass, and in the backward twice beside three of gradients.
        "batch norm, both ways": 9 * 4 * floats / gb_s / 1e9,
        "GRU, forward": at_peak("gru", 2),
        "GRU, backward": at_peak("gru", 2),
    }


def breakdown(step: Callable[[], object], floors_s: dict[str, float]) -> list[dict[str, Any]]:
    """Return CPU seconds, share and floor of each part of one step, largest first, and the rest."""
    with clocked() as clock:
        start = time.process_time()
        step()
        whole = time.process_time() - start
    parts = dict(sorted(clock.seconds.items(), key=lambda item: -item[1]))
    parts["the rest"] = whole - sum(parts.values())
    return [
        {
            "part": part,
            "seconds": round(seconds, 4),
            "share": round(seconds / whole, 3),
            "floor_s": round(floors_s[part], 4) if part in floors_s else None,
        }
        for part, seconds in parts.items()
    ]
