"""`python -m benchmarks.full_length --out DIR`: does the published model learn at full length, and in the paper's order?

Trains tune_spaces/mini_desed_full_length.yaml by `raysed tune` for at most `--minutes`, several trials at once on a GPU, and
brings the run's state into DIR every minute; the same command goes on, also where DIR is all that is left. Beforehand, on
CPUs: `--prepare` builds the data sets and takes the first 50 steps there. At the end, of whatever is finished: curves of
x-valid F1, F1 against the always-on detector, the paper's order, losses beside the CPU's, steps per second, kWh.
"""

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
from benchmarks.full_length_data import CHECKED_STEPS, build, compared_losses, pack, unpack
from benchmarks.full_length_state import bring_back, restore
from benchmarks.parts import MIB
from raysed.config.reader import validate
from raysed.config.space import read_space
from raysed.config.trial import Trial
from raysed.exit_codes import DONE, HOLES
from raysed.interrupts import interruptible
from raysed.report.report import write_report
from raysed.run.folders import TrialFolder
from raysed.run.run_plan import RunPlan
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json

SPACE = Path("tune_spaces/mini_desed_full_length.yaml")
EVERY_S = 60.0
"""Seconds between two states that are brought back."""
_ENDS_WITHIN_S = 120.0
"""Longest wait for a run that was told to end."""
_POINTS = 200
"""Points of a stored curve."""


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


def state(run: Path, out: Path) -> None:
    """Bring the state back, and say which trials found no room in it."""
    if left := bring_back(run, out):
        print(f"{out}: no room for the checkpoints of {', '.join(left)}", file=sys.stderr)


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
    parts: Annotated[
        Path | None,
        typer.Option(help="Data in parts: written by --prepare, else put together and checked."),
    ] = None,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Train for some minutes, bring back what there is, and say what it shows so far."""
    resolved = read_space(space)
    run = Folder(str(Path(resolved.space.run).absolute()))
    if parts and not prepare:
        print(f"{parts}: {unpack(parts)} files put together", flush=True)
    if restore(out, Path(run.url)):
        print(f"{run.url}: restored from {out}", flush=True)
    with interruptible():
        urls = build(resolved)
        losses = compared_losses(resolved, urls)
        if prepare:
            for part in pack(resolved.job, urls, parts) if parts else ():
                print(f"{part}: {part.stat().st_size / MIB:.1f} MiB")
            return
        before, started = steps_done(run), time.monotonic()
        command = [sys.executable, "-m", "raysed.tune", str(space), "--run", run.url]
        code = tune_until(command, 60 * minutes, lambda: state(Path(run.url), out))
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
