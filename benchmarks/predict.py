"""`python -m benchmarks.predict [CHECKPOINT AUDIO]`: recordings of 10 minutes, 3 hours and (`--day`) 24
hours.

They are the clips of the folder AUDIO end to end. The benchmark checks whether the clips' own events are
found in them, measures a new process of `raysed predict` for each length, and compares our batches with a
plain loop over the same windows, one after the other, with the same scores. It takes about 3 CPU minutes, or
8 with `--day` and 1.5 GB of temporary files. The defaults are what `make demo` leaves: its first checkpoint
and its validation clips.
"""

import hashlib
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import soundfile
import torch
import typer

from benchmarks.common import Row, document, least_s, one_core, paired, publish, row
from benchmarks.predict_agreement import agreement, draw, read_clips, write_recording
from benchmarks.predict_tables import tables
from benchmarks.rehearsal_watch import Process, look
from raysed.data.windows import Timeline, windows
from raysed.predict.detector import Detector, load_detector
from raysed.predict.prediction_run import PredictRequest, run
from raysed.predict.recordings import BATCH, predict
from raysed.predict.settings import smooth
from raysed.predict.sources import Recording

DEMO_TRIALS = Path("runs/demo/trials")
DEMO_AUDIO = "data/demo_tree/dataset/audio/validation"
RECORDING_S = 600
HOURS_3_S, DAY_S = 3 * 3600, 24 * 3600


def read_whole(source: Recording) -> np.ndarray:
    """Read a recording's waveform."""
    return soundfile.read(source.url, dtype="float32")[0]


def plainly(detector: Detector, source: Recording) -> np.ndarray:
    """Return the frame scores of a recording that is read whole and whose windows are scored one after the
    other.
    """
    wave_T, grid = read_whole(source), detector.grid
    timeline = Timeline(grid)
    for start, window_T in windows([wave_T], grid):
        scores_1UK = smooth(detector.scores([detector.mel(window_T)]), detector.settings)
        timeline.add(start, scores_1UK[0])
    return timeline.finish(len(wave_T) / grid.rate_hz)[0]


def ours(detector: Detector, source: Recording) -> np.ndarray:
    """Return the frame scores as `raysed predict` makes them."""
    (prediction,) = predict(detector, [source])
    assert prediction.scores is not None, prediction.reason
    return prediction.scores.scores_TK


def batches_row(detector: Detector, source: Recording, pairs: int) -> Row:
    """Compare the prediction of one recording with the plain loop."""
    held = [window_T for _, window_T in windows([read_whole(source)], detector.grid)]
    batch = BATCH[detector.device]

    def windows_alone(_: int) -> None:
        for start in range(0, len(held), batch):
            detector.scores([detector.mel(window_T) for window_T in held[start : start + batch]])

    difference_TK = ours(detector, source).astype(np.float32) - plainly(detector, source)
    times = paired(
        lambda _: ours(detector, source), lambda _: plainly(detector, source), pairs=pairs
    )
    return row(
        "10 minutes, batches of windows",
        "one window after the other",
        times,
        items=RECORDING_S,
        unit="times real time",
        error=float(np.abs(difference_TK).max()),
        limit="mels and the network of its windows",
        floor_s=least_s(windows_alone, times=3),
    )


def once(checkpoint: str, audio: str, out: str) -> dict[str, float]:
    """Run `raysed predict` in this process, which must be new: memory and CPU count from its start, the clock
    without the start-up.
    """
    torch.set_num_threads(1)
    said: list[str] = []
    began, before_s = time.perf_counter(), time.process_time()
    if run(PredictRequest(checkpoint, (audio,), out=out), said.append):
        raise RuntimeError("; ".join(said))
    seen: dict[tuple[int, int], Process] = {}
    look(os.getpid(), seen, "predict")
    return {
        "peak_mb": next(p.peak_mb for p in seen.values() if p.kind == "predict"),
        "cpu_s": time.process_time(),
        "start_up_s": before_s,
        "wall_s": time.perf_counter() - began,
        "events": len(Path(out).read_text().splitlines()) - 1,
    }


def cost(checkpoint: str, source: Recording, seconds: float, times: int) -> dict[str, Any]:
    """Return medians and ranges over `times` new processes that predict a recording to TSV."""
    out = str(Path(source.url).with_suffix(".tsv"))
    found = []
    for _ in range(times):
        # Spawned, so that its peak is its own.
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            found.append(process.submit(once, checkpoint, source.url, out).result())
        print(f"{seconds / 3600:.3g} h: {found[-1]}", file=sys.stderr, flush=True)
    made: dict[str, Any] = {"audio_s": seconds, "n": times, "events": found[0]["events"]}
    for name in ("peak_mb", "cpu_s", "start_up_s", "wall_s"):
        values = [one[name] for one in found]
        made[name] = {
            "median": round(median(values), 1),
            "min": round(min(values), 1),
            "max": round(max(values), 1),
        }
    work_s = median(one["cpu_s"] - one["start_up_s"] for one in found)
    return {
        **made,
        "times_real_time": round(seconds / work_s),
        "real_time_factor": round(work_s / seconds, 5),
    }


def costs(
    checkpoint: str,
    detector: Detector,
    clips: Sequence[np.ndarray],
    lengths: dict[int, int],
    folder: Path,
) -> list[dict[str, Any]]:
    """Measure the cost of each length (seconds) as often as `lengths` says; each recording is removed when
    done.
    """
    made = []
    for seconds, times in lengths.items():
        count = round(seconds / detector.grid.window * detector.grid.rate_hz)
        order = draw(len(clips), count, 0)
        source = write_recording(
            folder / f"{seconds}.flac", (clips[n] for n in order), detector.grid
        )
        made.append(
            cost(checkpoint, source, count * detector.grid.window / detector.grid.rate_hz, times)
        )
        Path(source.url).unlink()
    return made


def demo_checkpoint() -> str:
    """Return the first checkpoint that the demo has left. Raises ValueError where there is none."""
    found = sorted(DEMO_TRIALS.glob("*/checkpoints/best-*.pt"))
    if not found:
        raise ValueError(
            f"no checkpoint in {DEMO_TRIALS}: run `make demo`, or give CHECKPOINT AUDIO"
        )
    return str(found[0])


def measure(checkpoint: str, audio: str, n: int, day: bool) -> dict[str, Any]:
    """Measure everything; return a document. Raises ValueError for something that is not a checkpoint or a
    folder.
    """
    detector = load_detector(checkpoint)
    clips = read_clips(audio, detector.grid)
    count = round(RECORDING_S * detector.grid.rate_hz / detector.grid.window)
    lengths = {RECORDING_S: n, HOURS_3_S: min(n, 3)} | ({DAY_S: 1} if day else {})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        agreed = agreement(detector, clips, count, n, folder)
        made = batches_row(detector, Recording("0", str(folder / "recording0.flac")), n)
        taken = costs(checkpoint, detector, clips, lengths, folder)
    trial = {"sha256": hashlib.sha256(Path(checkpoint).read_bytes()).hexdigest()[:12]}
    trial |= {"epoch": detector.epoch, "window_s": detector.grid.window / detector.grid.rate_hz}
    return document(
        "predict",
        [made],
        device=detector.device,
        checkpoint=trial,
        clips=len(clips),
        clips_in_10_minutes=count,
        agreement=agreed,
        costs=taken,
    )


def main(
    checkpoint: Annotated[str | None, typer.Argument(help="Default: the demo's first.")] = None,
    audio: Annotated[str, typer.Argument(help="Folder of clips.")] = DEMO_AUDIO,
    n: Annotated[int, typer.Option(min=1, help="Recordings, pairs and processes.")] = 5,
    day: Annotated[bool, typer.Option(help="24 hours too.")] = False,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Measure, print, and optionally keep."""
    torch.set_num_threads(1)
    one_core()
    try:
        content = measure(checkpoint or demo_checkpoint(), audio, n, day)
    except ValueError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from error
    print("\n".join(tables(content)))
    publish(content, store)


if __name__ == "__main__":
    typer.run(main)
