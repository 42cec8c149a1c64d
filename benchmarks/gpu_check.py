"""`make gpu-check`: everything that needs a GPU, checked and timed on one (at most 10 minutes, no network).

Parity of model, step and mel with the CPU, a trial trained, killed and resumed on the device, AMP, steps per
second, and several trials on one GPU. Without a GPU its CPU half runs and says so. The last line is one JSON
object; exit code 1 if a check fails. Not yet run on a GPU by us.
"""

import contextlib
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.train_step import VALUES, features_of, inputs, trial_of
from raysed.config.data_job import Features
from raysed.config.trial import Model, Schedule, Shares
from raysed.data.folder import Folder
from raysed.data.mel import mel_amplitude
from raysed.data.store import FeatureSet
from raysed.model.crnn import CRNN, initialise
from raysed.training.keys import torch_generator
from raysed.training.mean_teacher import MeanTeacher
from raysed.training.train import train

Check = dict[str, Any]


def within(error: float, tolerance: float) -> Check:
    """A check that passes where the error is at most the tolerance."""
    return {"error": error, "tolerance": tolerance, "ok": bool(error <= tolerance)}


def forward_parity(device: str) -> Check:
    """Scores of the full-size model on the device against the CPU, float32."""
    model = CRNN(Model(), 10).eval()
    initialise(model, Model(glu_std=0.3), torch_generator(0))
    mel_BTF = torch.randn(4, 628, 128, generator=torch_generator(1))
    with torch.no_grad():
        expected = model(mel_BTF)
        found = model.to(device)(mel_BTF.to(device))
    errors = [(a - b.cpu()).abs().max().item() for a, b in zip(expected, found, strict=True)]
    return within(max(errors), 1e-4)


def step_parity(device: str) -> Check:
    """Losses of three steps without dropout on the device against the CPU, float32."""
    shares = Shares(synthetic=2, unlabelled=4, weak=2)
    trial = trial_of(shares, model=Model(dropout=0.0))
    found = []
    for where in ("cpu", device):
        networks = MeanTeacher(trial, 10, seed=0, device=where)
        student, teacher, targets = (
            x.to(where) if isinstance(x, torch.Tensor) else x for x in inputs(shares)
        )
        targets = type(targets)(targets.strong_SUK.to(where), targets.weak_WK.to(where), shares)
        losses = [networks.step(student, teacher, targets, VALUES).cpu() for _ in range(3)]
        found.append(torch.stack(losses))
    return within(float((found[1] / found[0] - 1).abs().max()), 1e-3)


def mel_parity(device: str) -> Check:
    """DALI against the CPU definition, decibels where within 60 dB of the clip's maximum."""
    try:
        from raysed.data.mel_dali import DaliMel
    except ImportError as error:
        return {"skipped": f"DALI is not installed ({error})", "ok": True}
    features = Features()
    waveforms = [
        np.random.default_rng(n).standard_normal(160_000).astype(np.float32) / 10 for n in range(8)
    ]
    dali = DaliMel(features, device_id=0 if device == "cuda" else None, batch=8)
    worst = 0.0
    for ours, waveform in zip(dali(waveforms), waveforms, strict=True):
        expected = mel_amplitude(waveform, features)
        near = expected > expected.max() * 1e-3
        worst = max(worst, float(np.abs(20 * np.log10(ours[near] / expected[near])).max()))
    return within(worst, 1e-3)


def small_sets() -> dict[str, FeatureSet]:
    """Features of noise: enough for a few steps of the full-size model."""
    return {
        "s": features_of("s", 24, strong=True, weak=True),
        "u": features_of("u", 48, strong=False, weak=False),
        "w": features_of("w", 24, strong=False, weak=True),
    }


def trial_runs(device: str, precision: str) -> Check:
    """A trial of two epochs on the device, killed after the first and resumed: same losses as undisturbed."""
    model = Model() if device == "cuda" else Model(filters=(4,) * 7, gru_units=8)
    trial = trial_of(
        Shares(), model=model, precision=precision, schedule=Schedule(epochs=2, steps_per_epoch=2)
    )
    sets, losses = small_sets(), []

    def stop(metrics: dict[str, Any]) -> None:
        raise InterruptedError

    with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as cut:
        train(
            trial,
            sets,
            Folder(whole),
            seed=0,
            device=device,
            report=lambda m: losses.append(m["loss"]),
        )
        with contextlib.suppress(InterruptedError):
            train(trial, sets, Folder(cut), seed=0, device=device, report=stop)
        again: list[float] = []
        train(
            trial,
            sets,
            Folder(cut),
            seed=0,
            device=device,
            report=lambda m: again.append(m["loss"]),
        )
    if not np.isfinite(losses).all():
        return {"losses": losses, "ok": False}
    return within(abs(again[-1] / losses[-1] - 1), 0.0 if device == "cpu" else 1e-3)


def steps_per_second(device: str, precision: str, seconds: float) -> float:
    """Of the full-size step at the published batch, inputs on the device."""
    trial = trial_of(Shares(), precision=precision)
    networks = MeanTeacher(trial, 10, seed=0, device=device)
    student, teacher, targets = inputs(Shares())
    targets = type(targets)(targets.strong_SUK.to(device), targets.weak_WK.to(device), Shares())
    student, teacher = student.to(device), teacher.to(device)

    def run(steps: int) -> None:
        for _ in range(steps):
            networks.step(student, teacher, targets, VALUES)
            networks.update_teacher(VALUES.ema_decay)
        if device == "cuda":
            torch.cuda.synchronize()

    run(3)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        run(10)
        done += 10
    return done / (time.perf_counter() - started)


def _measure(device: str, seconds: float, results: Any) -> None:
    results.put(steps_per_second(device, "float32", seconds))


def trials_together(trials: int, seconds: float) -> float:
    """Steps per second of `trials` processes on one GPU, all together."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [
        context.Process(target=_measure, args=("cuda", seconds, results)) for _ in range(trials)
    ]
    for process in processes:
        process.start()
    total = sum(results.get(timeout=180) for _ in processes)
    for process in processes:
        process.join()
    return total


def main() -> int:
    """Run what this machine can; returns the exit code."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    name = torch.cuda.get_device_name() if device == "cuda" else "no GPU: the CPU half only"
    print(f"device: {name}")
    checks: dict[str, Callable[[], Check]] = {
        "forward": lambda: forward_parity(device),
        "step": lambda: step_parity(device),
        "mel": lambda: mel_parity(device),
        "trial float32": lambda: trial_runs(device, "float32"),
        "trial bfloat16": lambda: trial_runs(device, "bfloat16"),
    }
    if device == "cuda":
        checks["trial float16"] = lambda: trial_runs(device, "float16")
    found: dict[str, Check] = {}
    for key, check in checks.items():
        found[key] = check()
        print(f"{key:16s} {found[key]}")
    throughput: dict[str, float] = {}
    if device == "cuda":
        for precision in ("float32", "bfloat16", "float16"):
            throughput[f"1 trial, {precision}, steps/s"] = steps_per_second(device, precision, 10)
        for trials in (2, 4, 8):
            throughput[f"{trials} trials, float32, steps/s together"] = trials_together(trials, 10)
        for key, value in throughput.items():
            print(f"{key:40s} {value:.1f}")
    ok = all(check["ok"] for check in found.values())
    print(json.dumps({"device": name, "ok": ok, "checks": found, "throughput": throughput}))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
