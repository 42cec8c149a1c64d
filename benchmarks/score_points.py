"""`raysed score` of 10,000 clips at 50 operating points beside another checkout: CPU time, wall time and memory.

The clips are the DCASE 2020 baseline's 1168, each under up to nine names. Both checkouts run the same command as a
process of its own, taking turns; their JSON is compared. BLAS has one thread, since idle ones count as busy.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.common import document, publish, row
from benchmarks.real_systems import BASELINE, TRUTH

HERE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Used:
    """The time and memory that one process used."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    printed: str


def write_set(folder: Path, n_clips: int) -> None:
    """Write truth.tsv, durations.tsv and predictions/ of `n_clips` renamed clips."""
    (folder / "predictions").mkdir(parents=True)
    names = sorted({line.split("\t")[0] for line in _lines(BASELINE / "durations.tsv")[1:]})
    copies: dict[str, list[str]] = {}
    for n in range(n_clips):
        name = names[n % len(names)]
        copies.setdefault(name, []).append(f"{n // len(names)}_{name}")
    _write_copies(BASELINE / "durations.tsv", folder / "durations.tsv", copies)
    _write_copies(TRUTH, folder / "truth.tsv", copies)
    for path in sorted((BASELINE / "predictions").glob("*.tsv")):
        _write_copies(path, folder / "predictions" / path.name, copies)


def _write_copies(source: Path, target: Path, copies: dict[str, list[str]]) -> None:
    header, *rows = _lines(source)
    place = header.split("\t").index("filename")
    with target.open("w") as file:
        file.write(f"{header}\n")
        for line in rows:
            fields = line.split("\t")
            for name in copies.get(fields[place], ()):
                file.write("\t".join([*fields[:place], name, *fields[place + 1 :]]) + "\n")


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def run(checkout: Path, arguments: list[str]) -> Used:
    """Run `raysed score` of a checkout."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "raysed.cli", "score", *arguments, "--json"]
    with tempfile.TemporaryFile() as printed:
        began = time.monotonic()
        child = subprocess.Popen(
            command, cwd=checkout, env=environment, stdout=printed, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise RuntimeError(f"{' '.join(command)} in {checkout} ended with {child.returncode}")
        printed.seek(0)
        text = printed.read().decode()
    return Used(usage.ru_utime + usage.ru_stime, wall_s, usage.ru_maxrss / 1e3, text)


def largest_difference(ours: Any, theirs: Any) -> float:
    """Return the largest difference of two JSON values' numbers; all else has to be equal."""
    if isinstance(ours, float) and isinstance(theirs, float):
        return abs(ours - theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return max((largest_difference(ours[key], theirs[key]) for key in ours), default=0.0)
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return max(
            (largest_difference(*pair) for pair in zip(ours, theirs, strict=True)), default=0.0
        )
    return 0.0 if ours == theirs else float("inf")


def main(
    other: Annotated[Path, typer.Argument(exists=True, help="A checkout of earlier code.")],
    clips: int = 10_000,
    pairs: int = 3,
    store: Annotated[bool, typer.Option("--store")] = False,
) -> None:
    """Compare, print, and with `--store` keep the result."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "set"
        write_set(folder, clips)
        arguments = [
            *("--predictions", str(folder / "predictions")),
            *("--ground-truth", str(folder / "truth.tsv")),
            *("--durations", str(folder / "durations.tsv")),
        ]
        used: tuple[list[Used], list[Used]] = ([], [])
        for pair in range(-1, pairs):  # the first compiles
            for side, checkout in ((0, HERE), (1, other.resolve()))[:: 1 if pair % 2 else -1]:
                each = run(checkout, arguments)
                print(pair, checkout.name, each.cpu_s, each.wall_s, each.peak_mb, flush=True)
                if pair >= 0:
                    used[side].append(each)
    # Without remarks: those that are new have no counterpart.
    found = [json.loads(side[0].printed) | {"warnings": []} for side in used]
    error = largest_difference(*found)
    times = ([each.cpu_s for each in used[0]], [each.cpu_s for each in used[1]])
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=other,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    made = row(
        f"raysed score, {clips:,} clips, 50 operating points, 10,000 draws",
        f"the same command at {commit}",
        times,
        items=1,
        unit="runs/s",
        error=error,
        limit="reading 1.7 million detections, PSDS of draws",
    )
    sides = {
        name: {
            "cpu_s": [round(each.cpu_s, 1) for each in side],
            "wall_s": [round(each.wall_s, 1) for each in side],
            "peak_mb": [round(each.peak_mb) for each in side],
        }
        for name, side in zip(("ours", "theirs"), used, strict=True)
    }
    content = document("score_points", [made], threads=2, **sides)
    publish(content, store)


if __name__ == "__main__":
    typer.run(main)
