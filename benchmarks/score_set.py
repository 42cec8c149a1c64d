"""A made-up evaluation set of the size of AudioSet strong: ground truth, and score files with a column for each class.

16,996 clips of 10 s, 407 classes with a long tail, 250 frames: 1.7e9 scores, 16 GB of text. Scores rise where events
are, bumps elsewhere are false alarms, and most of the others are far below .01, as sigmoid outputs are.

As a command it writes the set, unless it is there, and scores it by `raysed score` on two cores: CPU seconds, wall time, the
memory of all processes together, and the longest silence.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import IO, Annotated

import numpy as np
import typer
from numba import njit

from benchmarks.common import document, publish

CLIP_S = 10.0
DIGITS = 6
"""Decimal places of a score."""


def names_of(count: int, what: str) -> list[str]:
    """Return names that sort as they are numbered."""
    return [f"{what}_{n:05d}" for n in range(count)]


def made_events(n_clips: int, n_classes: int, seed: int = 0) -> list[tuple[int, int, float, float]]:
    """Return events as clip, class, onset, offset: every class has one, a few have most, and none overlaps another of
    its class.
    """
    rng = np.random.default_rng([seed, 1])
    share_K = 1 / (np.arange(n_classes) + 3.0)
    share_K /= share_K.sum()
    found = []
    for clip in range(n_clips):
        drawn = rng.choice(n_classes, size=1 + rng.poisson(2), p=share_K)
        for label in {int(clip % n_classes), *drawn.tolist()}:
            edge_X = np.sort(rng.choice(1000, size=2 * rng.integers(1, 4), replace=False)) / 100
            found += [(clip, label, *edge_X[i : i + 2].tolist()) for i in range(0, len(edge_X), 2)]
    return found


def write_set(folder: Path, n_clips: int, n_classes: int, n_frames: int) -> None:
    """Write truth.tsv, durations.tsv and scores/CLIP.tsv."""
    (folder / "scores").mkdir(parents=True, exist_ok=True)
    clips, classes = names_of(n_clips, "clip"), names_of(n_classes, "class")
    events = made_events(n_clips, n_classes)
    rows = [f"{clips[n]}.wav\t{on:.2f}\t{off:.2f}\t{classes[k]}" for n, k, on, off in events]
    header = "filename\tonset\toffset\tevent_label"
    (folder / "truth.tsv").write_text("\n".join([header, *rows]) + "\n")
    rows = [f"{clip}.wav\t{CLIP_S}" for clip in clips]
    (folder / "durations.tsv").write_text("\n".join(["filename\tduration", *rows]) + "\n")
    jobs = len(os.sched_getaffinity(0))
    write = partial(_write_clip, folder / "scores", classes, n_frames)
    with ProcessPoolExecutor(jobs) as pool:
        list(pool.map(write, enumerate_events(events, n_clips), chunksize=64))


def enumerate_events(
    events: list[tuple[int, int, float, float]], n_clips: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each clip with its events (E, 3): class, onset, offset."""
    first = 0
    for clip in range(n_clips):
        stop = first
        while stop < len(events) and events[stop][0] == clip:
            stop += 1
        yield clip, np.array([event[1:] for event in events[first:stop]], np.float64).reshape(-1, 3)
        first = stop


def _write_clip(
    folder: Path, classes: list[str], n_frames: int, clip: tuple[int, np.ndarray]
) -> None:
    number, event_E3 = clip
    edge_T1 = np.linspace(0, CLIP_S, n_frames + 1)
    score_TK = made_scores(number, event_E3, edge_T1, len(classes))
    times = [f"{on:.3f}\t{off:.3f}".encode() for on, off in pairwise(edge_T1)]
    text = _digits(np.rint(score_TK * 10**DIGITS).astype(np.int64))
    rows = (time + row.tobytes() for time, row in zip(times, text, strict=True))
    header = "\t".join(["onset", "offset", *classes]).encode()
    (folder / f"clip_{number:05d}.tsv").write_bytes(b"\n".join([header, *rows]) + b"\n")


@njit(cache=True)
def made_scores(seed: int, event_E3: np.ndarray, edge_T1: np.ndarray, n_classes: int) -> np.ndarray:
    """Return scores (T, K) of one clip."""
    np.random.seed(seed)
    n_frames = edge_T1.size - 1
    logit_TK = np.empty((n_frames, n_classes))
    for k in range(n_classes):
        level, drift = np.random.normal(-8.0, 1.2), 0.0
        for t in range(n_frames):
            drift = 0.9 * drift + np.random.normal(0.0, 0.25)
            logit_TK[t, k] = level + drift
        if np.random.random() < 0.01:
            first, height = np.random.randint(n_frames), np.random.uniform(2.0, 8.0)
            for t in range(first, min(n_frames, first + np.random.randint(5, 60))):
                logit_TK[t, k] += height
    for e in range(len(event_E3)):
        gain = np.random.normal(9.0, 3.0)
        early, late = np.random.normal(0.0, 0.1), np.random.normal(0.0, 0.2)
        for t in range(n_frames):
            if event_E3[e, 1] + early <= edge_T1[t] < event_E3[e, 2] + late:
                logit_TK[t, int(event_E3[e, 0])] += gain
    return 1 / (1 + np.exp(-logit_TK))


@njit(cache=True)
def _digits(micro_TK: np.ndarray) -> np.ndarray:
    """Return each row as the text of its scores, each behind a tab: uint8 (T, K * (DIGITS + 3))."""
    width = DIGITS + 3
    text_TX = np.empty((micro_TK.shape[0], micro_TK.shape[1] * width), np.uint8)
    for t in range(micro_TK.shape[0]):
        for k in range(micro_TK.shape[1]):
            rest, first = micro_TK[t, k], k * width
            text_TX[t, first] = 9  # a tab
            for place in range(width - 1, 2, -1):
                text_TX[t, first + place] = 48 + rest % 10
                rest //= 10
            text_TX[t, first + 1], text_TX[t, first + 2] = 48 + rest, 46
    return text_TX


@dataclass(frozen=True)
class Watched:
    """The time and memory that a command took, all its processes together."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    """The largest sum of resident memory, mapped files included."""
    processes: int
    longest_silence_s: float
    """Between two lines of standard error, the start and the end."""
    load_before: float
    """The machine's load average over 1 minute."""


def watched(command: list[str], out: Path, cores: set[int]) -> Watched:
    """Run a command on these cores, its standard output into a file. Raises RuntimeError where it fails."""
    load, began, spoken = os.getloadavg()[0], time.monotonic(), [0.0]
    # The benchmarks' one thread (benchmarks/__init__.py) is not what a user of the command has.
    own = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    with out.open("wb") as printed:
        child = subprocess.Popen(command, stdout=printed, stderr=subprocess.PIPE, env=own)
    os.sched_setaffinity(child.pid, cores)
    assert child.stderr is not None
    listener = threading.Thread(target=_listen, args=(child.stderr, began, spoken), daemon=True)
    listener.start()
    peak_mb, processes = 0.0, 0
    while True:
        ended, status, usage = os.wait4(child.pid, os.WNOHANG)
        if ended:
            break
        family = _family(child.pid)
        peak_mb = max(peak_mb, sum(map(_resident_mb, family)))
        processes = max(processes, len(family))
        time.sleep(0.2)
    child.returncode = os.waitstatus_to_exitcode(status)
    listener.join()
    wall_s = time.monotonic() - began
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}")
    silence_s = max(after - before for before, after in pairwise([*spoken, wall_s]))
    return Watched(
        cpu_s=round(usage.ru_utime + usage.ru_stime, 1),
        wall_s=round(wall_s, 1),
        peak_mb=round(peak_mb),
        processes=processes,
        longest_silence_s=round(silence_s, 1),
        load_before=round(load, 1),
    )


def _listen(lines: IO[bytes], began: float, spoken: list[float]) -> None:
    for line in lines:
        spoken.append(time.monotonic() - began)
        print(f"{spoken[-1]:7.1f} {line.decode().rstrip()}", file=sys.stderr, flush=True)


def _family(process: int) -> list[int]:
    """Return a process and all that it started."""
    found = [process]
    for parent in found:
        for path in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, path.read_text().split())
    return found


def _resident_mb(process: int) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except OSError:
        return 0.0  # it has ended
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main(
    folder: Annotated[Path, typer.Argument(help="Where the set is, or is written.")],
    clips: int = 16_996,
    classes: int = 407,
    metrics: Annotated[str, typer.Option(help="As of raysed score; default: its own.")] = "",
    draws: int = 10_000,
    store: Annotated[bool, typer.Option("--store")] = False,
) -> None:
    """Write, score, print, and with `--store` keep the result."""
    if not (folder / "durations.tsv").exists():
        write_set(folder, clips, classes, 250)
    command = [sys.executable, "-m", "raysed.cli", "score", "--json", "--draws", str(draws)]
    command += ["--predictions", str(folder / "scores"), *(["--metrics", metrics] * bool(metrics))]
    for option in ("ground-truth", "durations"):
        name = "truth" if option == "ground-truth" else option
        command += [f"--{option}", str(folder / f"{name}.tsv")]
    cores = sorted(os.sched_getaffinity(0))[:2]
    found = watched(command, folder / "score.json", {*cores})
    scored = json.loads((folder / "score.json").read_text())
    about = {"clips": scored["clips"], "classes": len(scored["classes"]), "frames": 250}
    clock = "CPU seconds of all processes, and wall time"
    content = document("score_set", [], threads=len(cores), clock=clock)
    publish(
        content
        | about
        | {"draws": draws}
        | asdict(found)
        | {"all_thresholds": scored["all_thresholds"]},
        store,
    )


if __name__ == "__main__":
    typer.run(main)
