"""Training throughput on a GPU: by precision, by where the features lie, by trials that share the GPU."""

import math
import multiprocessing
import time
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.gpu_parts import SHARES, Check, model_for, trainer_of
from benchmarks.train_step import VALUES, inputs, trial_of
from raysed.config.trial import Schedule, Shares, Teacher
from raysed.training.mean_teacher import MeanTeacher, Targets

_LIMIT_S = 600.0
"""Longest wait for other processes, seconds."""


def throughput(device: str) -> Check:
    """Measure steps per second at the published batch of 24; on the CPU with small networks and batches, for
    a moment each.
    """
    gpu = device == "cuda"
    seconds = 6.0 if gpu else 0.2
    found = {}
    for precision in ("float32", "bfloat16", "float16") if gpu else ("float32",):
        found[f"step, {precision}"] = rate(step_of(device, precision), device, seconds)
    for resident in (True, False):
        name = f"with inputs and noise, {'resident' if resident else 'copied'} features"
        found[name] = rate(epoch_of(device, resident=resident), device, seconds)
    for trials in (1, 2, 4, 8) if gpu else (1, 2):
        found[f"{trials} trials, float32, together"] = trials_together(device, trials, seconds)
    steps_per_s = {name: round(value, 2) for name, value in found.items()}
    return {"steps_per_s": steps_per_s, "ok": min(found.values()) > 0}


def shares_for(device: str) -> Shares:
    """Return the shares of the published batch of 24, or of a small one on the CPU."""
    return Shares() if device == "cuda" else SHARES


def rate(ten_steps: Callable[[], object], device: str, seconds: float) -> float:
    """Return steps per second over at least `seconds`."""

    def finish() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    finish()
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        ten_steps()
        finish()
        done += 10
    return done / (time.perf_counter() - started)


def step_of(device: str, precision: str) -> Callable[[], None]:
    """Return a function that takes ten steps on a batch that lies on the device; they have been taken once
    already.
    """
    shares = shares_for(device)
    trial = trial_of(shares, model=model_for(device), precision=precision)
    networks = MeanTeacher(trial, 10, 0, device)
    student, teacher, targets = inputs(shares)
    targets = Targets(targets.strong_SUK.to(device), targets.weak_WK.to(device), shares)
    batch = (student.to(device), teacher.to(device), targets)

    def ten_steps() -> None:
        for _ in range(10):
            networks.step(*batch, VALUES)
            networks.update_teacher(VALUES.ema_decay)

    ten_steps()
    return ten_steps


def epoch_of(device: str, *, resident: bool) -> Callable[[], None]:
    """Return a function that takes ten whole training steps: batches, logarithm, noise at 30 dB, step; they
    have been taken once already.
    """
    trial = trial_of(
        shares_for(device),
        model=model_for(device),
        teacher=Teacher(snr_db=30.0),
        schedule=Schedule(steps_per_epoch=2),
    )
    trainer = trainer_of(trial, device, resident=resident)
    # Epochs of two steps would ask for the losses far more often than training does.
    trainer._check_losses = lambda: None

    def ten_steps() -> None:
        for _ in range(5):
            trainer.step_in_epoch = 0
            trainer._train_epoch(math.inf)

    ten_steps()
    return ten_steps


def trials_together(device: str, trials: int, seconds: float) -> float:
    """Return the steps per second of all `trials` processes together while all of them run."""
    context = multiprocessing.get_context("spawn")
    results, ready = context.Queue(), context.Barrier(trials)
    processes = [
        context.Process(target=_measure, args=(device, seconds, ready, results), daemon=True)
        for _ in range(trials)
    ]
    for process in processes:
        process.start()
    total = sum(results.get(timeout=_LIMIT_S) for _ in processes)
    for process in processes:
        process.join()
    return total


def _measure(device: str, seconds: float, ready: Any, results: Any) -> None:
    torch.set_num_threads(1)
    if device == "cuda":
        torch.backends.cudnn.allow_tf32 = False
    ten_steps = step_of(device, "float32")
    ready.wait(timeout=_LIMIT_S)
    results.put(rate(ten_steps, device, seconds))
