"""`python -m benchmarks.full_length --out DIR`: does the published model learn at full length, and in the paper's order?

Trains tune_spaces/mini_desed_full_length.yaml by `raysed tune` for at most `--minutes`, several trials at once on a GPU, and
brings the run's state into DIR every minute; the same command goes on, also where DIR is all that is left. Beforehand, on
CPUs: `--prepare` builds the data sets and takes the first 50 steps there. At the end, of whatever is finished: curves of
x-valid F1, F1 against the always-on detector, the paper's order, losses beside the CPU's, steps per second, kWh.
"""

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import torch
import typer

from benchmarks.common import document, publish
from benchmarks.full_length_state import bring_back, restore
from benchmarks.gpu_parts import relative
from raysed.config.reader import validate
from raysed.config.space import ResolvedSpace, read_space
from raysed.config.trial import Trial
from raysed.data.features.store import FeatureSet, open_dataset
from raysed.exit_codes import DONE, HOLES
from raysed.interrupts import interruptible
from raysed.report.report import write_report
from raysed.run.folders import TrialFolder
from raysed.run.run_plan import RunPlan
from raysed.storage.folder import Folder
from raysed.storage.json_file import read_json, write_json
from raysed.storage.node_cache import cache_dir
from raysed.training.ranks import ALONE
from raysed.training.trainer import Trainer

SPACE = Path("tune_spaces/mini_desed_full_length.yaml")
EVERY_S = 60.0
"""Seconds between two states that are brought back."""
CHECKED_STEPS = 50
_ENDS_WITHIN_S = 120.0
"""Longest wait for a run that was told to end."""
_POINTS = 200
"""Points of a stored curve."""
CPU_LOSSES = "losses_cpu.json"


def build(resolved: ResolvedSpace) -> dict[str, str]:
    """Build the data sets that are not there, by `raysed data`; return the URL of each by its name."""
    sets = ",".join(sorted({n for each in resolved.trainings for n in each.trial.set_names()}))
    command = [
        sys.executable,
        "-m",
        "raysed.data",
        resolved.space.data_job,
        "--sets",
        sets,
        "--json",
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (DONE, HOLES):
        raise typer.Exit(done.returncode)
    return {one["name"]: one["url"] for one in json.loads(done.stdout)["datasets"]}


def first_losses(trial: Trial, sets: dict[str, FeatureSet], device: str) -> torch.Tensor:
    """Return the losses (CHECKED_STEPS, 5) of a training's first steps in float32, without dropout and noise, whose draws
    differ between devices.
    """
    model = trial.model.model_copy(update={"dropout": 0.0})
    teacher = trial.teacher.model_copy(update={"snr_db": None})
    changes = {"model": model, "teacher": teacher, "precision": "float32"}
    plain = trial.model_copy(update=changes)
    nowhere = Folder("/nonexistent")
    trainer = Trainer(plain, sets, nowhere, seed=0, device=device, ranks=ALONE)
    trainer.resume()
    parts: list[torch.Tensor] = []
    while sum(map(len, parts)) < CHECKED_STEPS:
        trainer._train_epoch(math.inf)
        parts.append(trainer.losses_L5.cpu().clone())
        trainer.epoch, trainer.step_in_epoch = trainer.epoch + 1, 0
    return torch.cat(parts)[:CHECKED_STEPS]


def compared_losses(resolved: ResolvedSpace, urls: dict[str, str], out: Folder) -> dict[str, Any]:
    """Return the losses of the first training's first steps on the CPU, taken once, and on the GPU where there is one."""
    first = resolved.trainings[0]
    sets = {name: open_dataset(urls[name], cache_dir()) for name in first.trial.set_names()}
    of = [first.id, *sorted(each.id for each in sets.values())]
    stored = read_json(out, CPU_LOSSES)
    if not isinstance(stored, dict) or stored.get("of") != of:
        stored = {"of": of, "losses_L5": first_losses(first.trial, sets, "cpu").tolist()}
        write_json(out, CPU_LOSSES, stored)
    expected_L5 = torch.tensor(stored["losses_L5"])
    found: dict[str, Any] = {"cpu": [round(loss, 6) for loss in expected_L5[:, 0].tolist()]}
    if torch.cuda.is_available():
        found_L5 = first_losses(first.trial, sets, "cuda")
        found["gpu"] = [round(loss, 6) for loss in found_L5[:, 0].tolist()]
        found["relative_error_10_steps"] = relative(found_L5[:10], expected_L5[:10])
        found["relative_error"] = relative(found_L5, expected_L5)
    return found


def tune_until(command: list[str], seconds: float, each_minute: Callable[[], None]) -> int | None:
    """Run a command for at most so long, then ask it to end; return its exit code, None where the time was over."""
    process, ends = subprocess.Popen(command), time.monotonic() + seconds
    try:
        while (left := ends - time.monotonic()) > 0:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(timeout=min(EVERY_S, left))
            each_minute()
        return None
    finally:
        process.terminate()
        try:
            process.wait(timeout=_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        each_minute()


def leaves_zero(epochs: list[dict[str, Any]]) -> int | None:
    """Return the step after which an x-valid F1 was first above 0; None where it never was."""
    return next((e["step"] for e in epochs if max(e["xvalid_f1"].values()) > 0), None)


def curves(run: Folder, plan: RunPlan) -> list[dict[str, Any]]:
    """Return the curve of every trial that has begun, thinned to _POINTS, its first step above 0, and its steps a second."""
    found = []
    for training in plan.trainings:
        trial = validate(training.config, Trial, source=f"{run.url}, training {training.id}")
        for seed in plan.seeds_of(training.id):
            folder = TrialFolder.of(run, training.id, seed)
            if not (epochs := folder.epochs()):
                continue
            shown = epochs[:: max(1, len(epochs) // _POINTS)]
            rates = [epoch["clips_per_s"] / trial.shares.total for epoch in epochs]
            found.append(
                {
                    "cells": list(training.cells), "seed": seed, "finished": folder.finished,
                    "epochs": len(epochs), "steps": epochs[-1]["step"],
                    "leaves_zero_at_step": leaves_zero(epochs), "steps_per_s": round(median(rates), 3),
                    "at_step": [epoch["step"] for epoch in shown],
                    "xvalid_f1": [{k: round(v, 4) for k, v in e["xvalid_f1"].items()} for e in shown],
                    "loss": [round(epoch["loss"], 5) for epoch in shown],
                }
            )  # fmt: skip
    return found


def steps_done(run: Folder) -> int:
    """Return the steps of all trials of a run so far, to the end of their last epochs."""
    plan = RunPlan.read(run)
    return sum(curve["steps"] for curve in curves(run, plan)) if plan else 0


def outcome(run: Folder) -> dict[str, Any]:
    """Return what the run shows so far: its curves, and its report's check of learning, claims, contrasts and ledger."""
    report = write_report(run).as_json()
    kept = ("learning", "claims", "contrasts", "ledger")
    plan = RunPlan.require(run)
    return {"trials": plan.trials, "curves": curves(run, plan)} | {
        k: report[k] for k in kept if k in report
    }


def lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield what a person reads of it; `raysed report` has the tables."""
    for curve in found["curves"]:
        above = curve["leaves_zero_at_step"]
        when = "F1 0 so far" if above is None else f"F1 above 0 from step {above}"
        last = ", ".join(f"{name} {f1:.3f}" for name, f1 in curve["xvalid_f1"][-1].items())
        name = f"{'/'.join(curve['cells'])}, seed {curve['seed']}"
        yield (
            f"{name}: {curve['steps']} steps, {curve['steps_per_s']:.3g} a second; x-valid: {when},"
            f" {last} at step {curve['at_step'][-1]}"
        )
    finished = sum(curve["finished"] for curve in found["curves"])
    yield f"{finished} of {found['trials']} trials are finished"
    if "steps_per_s_together" in found:
        yield f"all trials together: {found['steps_per_s_together']:.3g} steps a second, starts and x-valid counted"
    losses = found["first_losses"]
    yield f"loss of the first and step {CHECKED_STEPS} on the CPU: {losses['cpu'][0]}, {losses['cpu'][-1]}"
    if "gpu" in losses:
        yield (
            f"on the GPU: {losses['gpu'][0]}, {losses['gpu'][-1]}; largest relative difference"
            f" {losses['relative_error_10_steps']:.2g} in 10 steps, {losses['relative_error']:.2g} in all"
        )


def main(
    out: Annotated[Path, typer.Option(help="Folder that receives the state every minute.")],
    space: Annotated[Path, typer.Option(exists=True, help="The space to run.")] = SPACE,
    minutes: Annotated[float, typer.Option(min=0, help="Longest training of this call.")] = 12.0,
    prepare: Annotated[bool, typer.Option("--prepare", help="Data and CPU losses only.")] = False,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Train for some minutes, bring back what there is, and say what it shows so far."""
    resolved = read_space(space)
    run = Folder(str(Path(resolved.space.run).absolute()))
    if restore(out, Path(run.url)):
        print(f"{run.url}: restored from {out}", flush=True)
    with interruptible():
        losses = compared_losses(resolved, build(resolved), Folder(str(out.absolute())))
        if prepare:
            return
        before, started = steps_done(run), time.monotonic()
        command = [sys.executable, "-m", "raysed.tune", str(space), "--run", run.url]
        code = tune_until(command, 60 * minutes, lambda: bring_back(Path(run.url), out))
        seconds = time.monotonic() - started
    if RunPlan.read(run) is None:
        raise typer.Exit(code or HOLES)
    found = outcome(run) | {"space": resolved.space.name, "first_losses": losses}
    found["steps_per_s_together"] = round((steps_done(run) - before) / seconds, 3)
    print("\n".join(lines(found)))
    if code is None:  # else `raysed tune` has shown its report
        print(*write_report(run).lines, "the time is over: the same command goes on", sep="\n")
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    content = document("full_length", [], clock="wall seconds", device=device, **found)
    write_json(Folder(str(out.absolute())), "full_length.json", content)
    publish(content, store)
    raise typer.Exit(code or DONE)


if __name__ == "__main__":
    typer.run(main)
