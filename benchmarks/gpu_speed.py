"""Training throughput on a GPU, all rows in turns in one call: against plain PyTorch, by precision, by where the
features lie, by trials that share the GPU, as processes and as threads of one; and the floor of the step on that card.
"""

import math
import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from statistics import median
from typing import Any

import torch

from benchmarks.gpu_floor import floor_ms
from benchmarks.gpu_parts import SHARES, Check, model_for, trainer_of
from benchmarks.plain_step import PlainStep
from benchmarks.train_step import VALUES, inputs, trial_of
from raysed.config.trial import Schedule, Shares, Teacher
from raysed.training.mean_teacher import MeanTeacher, Targets

ROUNDS = 5
"""Turns of all rows: a row's value is their median."""
PLAIN = "plain eager PyTorch, its own defaults (cuDNN TF32)"
TARGETS = {"step, tf32": 3.0, "step, bfloat16": 3.5, "4 trials, tf32, together": 5.0}
TARGETS["8 trials, tf32, together"] = 6.0
TARGETS |= {"4 trials, tf32, as threads": 5.0, "8 trials, tf32, as threads": 6.0}
"""Times the plain step that a row is to reach."""
OVER_FLOOR = 1.5
"""Times the floor of the card at hand that `step, tf32` may take."""
_LIMIT_S = 300.0
"""Longest wait for other processes, seconds."""
Steps = Callable[[], object]


def throughput(device: str) -> Check:
    """Measure steps per second at the published batch of 24, in turns; on the CPU with small networks and
    batches, for a moment each. `ratios` are times the plain step; targets are told, not judged.
    """
    gpu = device == "cuda"
    seconds = 1.0 if gpu else 0.0
    rows = _rows(device)
    for take in rows.values():
        take()
    rates: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(ROUNDS if gpu else 1):
        for name, take in rows.items():
            rates[name].append(rate(take, device, seconds))
    rows.clear()
    for trials in (1, 2, 4, 8) if gpu else (1, 2):
        rates[f"{trials} trials, tf32, together"] = trials_together(device, trials, seconds)
        makers = [partial(step_of, device, "tf32")] * trials
        rates[f"{trials} trials, tf32, as threads"] = as_threads(makers, device, seconds)
    steps_per_s = {name: spread(values) for name, values in rates.items()}
    plain = steps_per_s[PLAIN][0]
    return {
        "steps_per_s": steps_per_s,
        "ratios": {name: round(values[0] / plain, 2) for name, values in steps_per_s.items()},
        "targets": TARGETS,
        "floor": floor_ms(device, shares_for(device)),
        "ok": min(values[0] for values in steps_per_s.values()) > 0,
    }


def spread(values: list[float]) -> tuple[float, float, float]:
    """Return median, least and most."""
    return round(median(values), 2), round(min(values), 2), round(max(values), 2)


def _rows(device: str) -> dict[str, Steps]:
    """Return what takes steps, by the name of its row."""
    kinds = ("tf32", "float32", "bfloat16", "float16") if device == "cuda" else ("tf32", "float32")
    rows: dict[str, Steps] = {PLAIN: plain_of(device, tf32=True)}
    rows["plain eager PyTorch, TF32 off"] = plain_of(device, tf32=False)
    for precision in kinds:
        rows[f"step, {precision}"] = step_of(device, precision)
    rows["step, tf32, plain blocks"] = step_of(device, "tf32", plain_blocks=True)
    for resident in (True, False):
        name = f"with inputs and noise, {'resident' if resident else 'copied'} features"
        rows[name] = epoch_of(device, resident=resident)
    return rows


def steps_of(device: str) -> int:
    """Return the steps that are taken at once, between two looks at the clock."""
    return 10 if device == "cuda" else 1


def shares_for(device: str) -> Shares:
    """Return the shares of the published batch of 24, or of a small one on the CPU."""
    return Shares() if device == "cuda" else SHARES


def rate(take_steps: Steps, device: str, seconds: float) -> float:
    """Return steps per second over at least `seconds`."""

    def finish() -> None:
        if device == "cuda":
            # Of this thread's stream alone.
            torch.cuda.current_stream().synchronize()

    finish()
    done, started = 0, time.perf_counter()
    while not done or time.perf_counter() - started < seconds:
        take_steps()
        finish()
        done += steps_of(device)
    return done / (time.perf_counter() - started)


def batch_on(device: str) -> tuple[torch.Tensor, torch.Tensor, Targets]:
    """Return the inputs and targets of a step, on the device."""
    shares = shares_for(device)
    student, teacher, targets = inputs(shares)
    targets = Targets(targets.strong_SUK.to(device), targets.weak_WK.to(device), shares)
    return student.to(device), teacher.to(device), targets


def plain_of(device: str, *, tf32: bool) -> Steps:
    """Return steps of the plain peer (benchmarks.plain_step) on a batch that lies on the device."""
    peer = PlainStep(trial_of(shares_for(device), model=model_for(device)), 10)
    peer.student.to(device), peer.teacher.to(device)
    student, teacher, targets = batch_on(device)

    def take_steps() -> None:
        torch.backends.cudnn.allow_tf32 = tf32
        for _ in range(steps_of(device)):
            peer.step(student, teacher, targets.strong_SUK, targets.weak_WK)

    return take_steps


def step_of(
    device: str, precision: str, *, plain_blocks: bool = False, aside: bool = False
) -> Steps:
    """Return steps of ours on a batch that lies on the device; TF32 is float32 on a CPU. With `aside` the teacher scores on
    a stream of its own, beside the student.
    """
    trial = trial_of(shares_for(device), model=model_for(device), precision=precision)
    networks = MeanTeacher(trial, 10, 0, device)
    for network in (networks.student, networks.teacher) if plain_blocks else ():
        blocks: Any = network.get_submodule("blocks")
        for block in blocks:
            block.forward = block.plain
    if aside and device == "cuda":
        _teacher_aside(networks)
    batch = batch_on(device)

    def take_steps() -> None:
        torch.backends.cudnn.allow_tf32 = precision == "tf32"
        for _ in range(steps_of(device)):
            networks.step(*batch, VALUES)
            networks.update_teacher(VALUES.ema_decay)

    return take_steps


def _teacher_aside(networks: MeanTeacher) -> None:
    """Let the teacher's forward pass run beside the student's, which ends when both have ended."""
    beside: Any = torch.cuda.Stream()
    teacher, student = networks.teacher.forward, networks.student.forward

    def teacher_forward(*given: Any, **more: Any) -> Any:
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            return teacher(*given, **more)

    def student_forward(*given: Any, **more: Any) -> Any:
        scores = student(*given, **more)
        torch.cuda.current_stream().wait_stream(beside)
        return scores

    networks.teacher.forward, networks.student.forward = teacher_forward, student_forward


def epoch_of(device: str, *, resident: bool) -> Steps:
    """Return whole training steps: batches, logarithm, noise at 30 dB, step."""
    trial = trial_of(
        shares_for(device),
        model=model_for(device),
        teacher=Teacher(snr_db=30.0),
        schedule=Schedule(steps_per_epoch=min(2, steps_of(device))),
    )
    trainer = trainer_of(trial, device, resident=resident)
    # Epochs of two steps would ask for the losses far more often than training does.
    trainer._check_losses = lambda: None

    def take_steps() -> None:
        torch.backends.cudnn.allow_tf32 = True
        for _ in range(max(1, steps_of(device) // 2)):
            trainer.step_in_epoch = 0
            trainer._train_epoch(math.inf)

    return take_steps


def trials_together(device: str, trials: int, seconds: float) -> list[float]:
    """Return the steps per second of all `trials` processes together, in each of the rounds."""
    context = multiprocessing.get_context("spawn")
    results, ready = context.Queue(), context.Barrier(trials)
    processes = [
        context.Process(target=_measure, args=(device, seconds, ready, results), daemon=True)
        for _ in range(trials)
    ]
    for process in processes:
        process.start()
    each = [results.get(timeout=_LIMIT_S) for _ in processes]
    for process in processes:
        process.join()
    return [sum(rates) for rates in zip(*each, strict=True)]


def _measure(device: str, seconds: float, ready: Any, results: Any) -> None:
    torch.set_num_threads(1)
    take_steps = step_of(device, "tf32")
    take_steps()
    ready.wait(timeout=_LIMIT_S)
    results.put([rate(take_steps, device, seconds) for _ in range(ROUNDS if seconds else 1)])


def as_threads(makers: list[Callable[[], Steps]], device: str, seconds: float) -> list[float]:
    """Return the steps per second of all threads of this process together, each on a stream of its own, in each of the
    rounds. What takes the steps is made in its thread, one after the other.
    """
    making, ready = threading.Lock(), threading.Barrier(len(makers), timeout=_LIMIT_S)

    def measured(make: Callable[[], Steps]) -> list[float]:
        own = torch.cuda.stream(torch.cuda.Stream()) if device == "cuda" else nullcontext()
        with own:
            try:
                with making:
                    take_steps = make()
                    take_steps()
            except BaseException:
                ready.abort()  # nobody waits for a thread that has nothing to measure
                raise
            ready.wait()
            return [rate(take_steps, device, seconds) for _ in range(ROUNDS if seconds else 1)]

    with ThreadPoolExecutor(len(makers)) as threads:
        each = list(threads.map(measured, makers))
    return [sum(rates) for rates in zip(*each, strict=True)]
