"""`make gpu-check`: everything that needs a GPU, checked and timed on one (at most 10 minutes, no network).

Parity of networks, training, DALI, prediction and two ranks with the CPU; features on the device and copied;
trials in each precision, stopped and resumed; no waiting for the GPU within a step; NCCL; two trials on one
GPU by Ray Tune; throughput. Every part is a process of its own, so that a crash of one does not end the
others. Without a GPU the same parts run on the CPU, which is what CI does. The last line is one JSON object;
exit code 1 if a part fails. `python -m benchmarks.gpu_check PART` runs one in this process. `--figures` runs what has a target
alone, and the equality of the blocks that it times: the first command for a card that is there for minutes.
"""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any

import torch
import typer

from benchmarks import gpu_parts
from benchmarks.gpu_blocks import block_parity
from benchmarks.gpu_graphs import graph_rates
from benchmarks.gpu_kernels import kernel_lists
from benchmarks.gpu_mel import BATCH, mel_throughput
from benchmarks.gpu_mel import TARGET as MEL_TARGET
from benchmarks.gpu_parts import Check
from benchmarks.gpu_speed import OVER_FLOOR, TARGETS, throughput


def _prediction(device: str) -> Check:
    """Compare prediction; what reads and resamples audio is not on every machine with a GPU."""
    from benchmarks.gpu_predict import prediction_parity

    return prediction_parity(device)


PARTS: dict[str, Callable[[str], Check]] = {
    "forward": gpu_parts.forward_parity,
    "training": gpu_parts.training_parity,
    "features_copied": gpu_parts.features_copied,
    "mel": gpu_parts.mel_parity,
    "predict": _prediction,
    "blocks": block_parity,
    "trial_tf32": partial(gpu_parts.trial_runs, precision="tf32"),
    "trial_float32": partial(gpu_parts.trial_runs, precision="float32"),
    "trial_bfloat16": partial(gpu_parts.trial_runs, precision="bfloat16"),
    "trial_float16": partial(gpu_parts.trial_runs, precision="float16"),
    "no_synchronisation": gpu_parts.no_synchronisation,
    "group_of_one": gpu_parts.group_of_one,
    "two_ranks": gpu_parts.two_ranks,
    "tune": gpu_parts.tune,
    "mel_throughput": mel_throughput,
    "throughput": throughput,
    "kernels": kernel_lists,
    "graphs": graph_rates,
}
FIGURES = ("blocks", "throughput", "mel_throughput", "kernels", "graphs")
"""Parts of `--figures`, in the order in which a card that may go is to be asked."""
_TABLES = ("steps_per_s", "ratios", "targets", "floor", "kernels")
"""Results that are printed as tables below the lines of the parts."""
LIMIT_S = {"cuda": 600.0, "cpu": 3600.0}
"""Time limit of all parts together; a part that it cuts off has failed."""


def run_apart(part: str, limit_s: float) -> Check:
    """Run a part in a process of its own; a crash or the time limit is a failed check."""
    if limit_s <= 0:
        return {"ok": False, "error": "not started: the time is over"}
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.gpu_check", part],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | ({} if torch.cuda.is_available() else {"TRITON_INTERPRET": "1"}),
    )
    try:
        said, errors = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        # With all that it started.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return {"ok": False, "error": f"not finished in the {limit_s:.0f} s that were left"}
    if said:
        return json.loads(said.splitlines()[-1])
    sys.stderr.write(errors)
    last = (errors.splitlines() or ["no message"])[-1]
    return {"ok": False, "error": f"crashed with exit code {process.returncode}: {last}"}


def run_all(parts: list[str], limit_s: float) -> dict[str, Any]:
    """Run parts one after the other and print each; return what they found."""
    started, found = time.monotonic(), {}
    for part in parts:
        began = time.monotonic()
        found[part] = run_apart(part, limit_s - (began - started))
        word = "ok" if found[part]["ok"] else "FAILED"
        tables = ("ok", *_TABLES)
        numbers = ", ".join(f"{k} {_short(v)}" for k, v in found[part].items() if k not in tables)
        print(f"{word:7s}{part:19s}{time.monotonic() - began:5.0f} s  {numbers}", flush=True)
        for line in [*speed_lines(found[part]), *kernel_lines(found[part])]:
            print(line, flush=True)
    return found


def target_lines(found: dict[str, Check]) -> Iterator[str]:
    """Yield a line for every target: what was found beside it, and whether that reaches it; `not measured` where a part
    did not come to its end.
    """
    speed, mel = found.get("throughput", {}), found.get("mel_throughput", {})
    for name, wanted in TARGETS.items():
        ratio = speed.get("ratios", {}).get(name)
        yield _target(
            f"{name}, against the plain step", ratio, wanted, reached=(ratio or 0) >= wanted
        )
    over = None
    if "floor" in speed:
        over = 1e3 / speed["steps_per_s"]["step, tf32"][0] / speed["floor"]["sum"]
    yield _target(
        "step, tf32, in floors", over, OVER_FLOOR, reached=(over or math.inf) <= OVER_FLOOR
    )
    ratio = mel.get("ratio")
    name = f"DALI's mel against torchaudio's, batch {BATCH}"
    yield _target(name, ratio, MEL_TARGET, reached=(ratio or 0) >= MEL_TARGET)


def _target(name: str, value: float | None, wanted: float, *, reached: bool) -> str:
    word = "not measured" if value is None else "reached" if reached else "missed"
    return f"target {name}: {wanted:g}; found {'-' if value is None else f'{value:.2f}'}: {word}"


def speed_lines(found: Check) -> Iterator[str]:
    """Yield the table of `throughput`: median, least and most of each row, times the plain step, the target."""
    for name, (middle, least, most) in found.get("steps_per_s", {}).items():
        wanted = found["targets"].get(name)
        target = f"  target {wanted}x" if wanted else ""
        spread = f"{middle:8.2f} ({least:.2f} to {most:.2f}) steps/s"
        yield f"{name:52s}{spread}  {found['ratios'][name]:5.2f}x plain{target}"
    if "floor" in found:
        yield "floor, ms: " + ", ".join(f"{name} {value}" for name, value in found["floor"].items())


def kernel_lines(found: Check) -> Iterator[str]:
    """Yield the lists of `kernels`: milliseconds and launches of a step."""
    for name, rows in found.get("kernels", {}).items():
        yield f"{name}: milliseconds and launches of a step"
        yield from (f"  {ms:9.3f} {launches:7.1f}  {kernel}" for kernel, ms, launches in rows)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def main(
    part: Annotated[
        str | None, typer.Argument(help="Run this part alone, in this process.")
    ] = None,
    figures: Annotated[
        bool,
        typer.Option("--figures", help="What has a target alone, and the blocks that it times."),
    ] = False,
) -> None:
    """Run what this machine can, print it, and exit with 1 if a part failed."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if part is not None:
        if part not in PARTS:
            raise typer.BadParameter(f"{part!r} is none of {', '.join(PARTS)}")
        check = PARTS[part](device)
        for line in [*speed_lines(check), *kernel_lines(check)]:
            print(line)
        print(json.dumps(check))
        raise typer.Exit(0 if check["ok"] else 1)
    gpus = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    name = ", ".join(gpus) or "no GPU: the CPU half only"
    print(f"device: {name}", flush=True)
    found = run_all([*FIGURES] if figures else [*PARTS], LIMIT_S[device])
    for line in target_lines(found) if gpus else ():  # a CPU's ratios are none of a card's
        print(line)
    ok = all(check["ok"] for check in found.values())
    print(json.dumps({"device": name, "ok": ok, "checks": found}))
    raise typer.Exit(0 if ok else 1)


if __name__ == "__main__":
    typer.run(main)
