"""Rows of steps that raysed does not take yet: a CUDA graph of the whole training step, by one trial and by several threads
of one process, and the teacher's forward pass beside the student's.

A graph holds the learning rate, the weight of consistency and the moving average's decay of the step that it was made of,
so these rows take steps with constant values; they tell whether more is worth writing.
"""

from functools import partial
from typing import Any

import torch

from benchmarks.gpu_parts import Check, model_for
from benchmarks.gpu_speed import (
    PLAIN,
    ROUNDS,
    Steps,
    as_threads,
    batch_on,
    plain_of,
    rate,
    shares_for,
    spread,
    step_of,
    steps_of,
)
from benchmarks.train_step import VALUES, trial_of
from raysed.training.mean_teacher import MeanTeacher

_WARM_UP = 3
"""Steps before a graph is made, as torch asks for: they allocate, compile and choose."""


def graph_rates(device: str) -> Check:
    """Measure steps per second of graphs of the step; without a GPU, of the same steps without graphs.

    A step that cannot be made a graph is told and fails nothing, since raysed does not need it.
    """
    gpu = device == "cuda"
    seconds, rounds = (1.0, ROUNDS) if gpu else (0.0, 1)
    plain = plain_of(device, tf32=True)
    plain()
    ours, aside = step_of(device, "tf32"), step_of(device, "tf32", aside=True)
    ways = {PLAIN: plain, "step, tf32": ours, "step, tf32, teacher aside": aside}
    ours(), aside()
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, take in ways.items():
            rates[name].append(rate(take, device, seconds))
    told: dict[str, Any] = {}
    try:
        for trials in (1, 4, 8) if gpu else (1, 2):
            makers = [partial(graphed_of, device)] * trials
            rates[f"{trials} trials, tf32, as threads, graphs"] = as_threads(
                makers, device, seconds
            )
    except RuntimeError as error:
        told = {"no graph": f"{type(error).__name__}: {error}"}
    steps_per_s = {name: spread(values) for name, values in rates.items()}
    base = steps_per_s[PLAIN][0]
    ratios = {name: round(values[0] / base, 2) for name, values in steps_per_s.items()}
    return {"steps_per_s": steps_per_s, "ratios": ratios, "targets": {}, **told, "ok": base > 0}


def graphed_of(device: str) -> Steps:
    """Return steps of ours as replays of one graph; on a CPU the steps themselves."""
    trial = trial_of(shares_for(device), model=model_for(device), precision="tf32")
    networks, batch = MeanTeacher(trial, 10, 0, device), batch_on(device)
    torch.backends.cudnn.allow_tf32 = True

    def step() -> None:
        networks.step(*batch, VALUES)
        networks.update_teacher(VALUES.ema_decay)

    once = step
    if device == "cuda":
        for group in networks.optimiser.param_groups:
            group["capturable"] = True
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UP):
                step()
        torch.cuda.current_stream().wait_stream(aside)
        networks.optimiser.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=aside):
            step()
        once = graph.replay

    def take_steps() -> None:
        for _ in range(steps_of(device)):
            once()

    return take_steps
