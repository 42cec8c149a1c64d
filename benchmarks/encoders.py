"""`python -m benchmarks.encoders`: an encoder's rows of 10 s clips against a plain loop over files, in CPU seconds.

The encoder is Google's speech embedding as openWakeWord's wheel holds it. The loop reads a file, and gives the
network every window of it, as that package does: batch 1. Also measured: what float16 costs, and what reading rows of
BEATs' size adds to a batch. About a minute. `--wall` measures wall time on the two first cores instead: two processes of
ours, as Ray starts one a core, against the loop whose networks take both cores (on an idle machine only).
"""

import importlib.util
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import onnxruntime
import soundfile
import typer

from benchmarks.common import (
    Row,
    cpu_seconds,
    document,
    idle_share,
    one_core,
    paired,
    publish,
    row,
)
from raysed.config.data_job import Features
from raysed.config.encoder import EmbeddingFusion, Encoder
from raysed.config.trial import Model, Trial, TrialData
from raysed.data.encoders.clip_rows import embed_clips
from raysed.data.encoders.opening import find_encoder, open_encoder
from raysed.data.encoders.speech_embedding import FRONT_END, NETWORK
from raysed.training.batches import Batch, BatchSource
from raysed.training.inputs import Normaliser
from raysed.training.mean_teacher import MeanTeacher, step_values
from raysed.training.step_inputs import StepInputs
from raysed.tune.estimate import random_set, with_random_rows

CLIPS, WALL_CLIPS, CORES = 4, 24, 2
_FRAMES, _STEP = 76, 8


class PlainLoop:
    """The two files as they are, one clip after the other, window by window."""

    def __init__(self, folder: str, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        sessions: list[Any] = [
            onnxruntime.InferenceSession(str(Path(folder, name)), options)
            for name in (FRONT_END, NETWORK)
        ]
        self._front_end, self._network = sessions

    def __call__(self, files: list[Path]) -> list[np.ndarray]:
        """Return the rows of each file."""
        return [self._rows(soundfile.read(file, dtype="float32")[0]) for file in files]

    def _rows(self, waveform_T: np.ndarray) -> np.ndarray:
        audio_1T = waveform_T[None] * np.float32(32767)
        mel_TF = self._front_end.run(None, {"input": audio_1T})[0].squeeze() / 10 + 2
        starts = range(0, len(mel_TF) - _FRAMES + 1, _STEP)
        windows = np.stack([mel_TF[at : at + _FRAMES, :, None] for at in starts])
        (rows,) = self._network.run(None, {"input_1": windows.astype(np.float32)})
        return rows.reshape(len(rows), -1)


def extraction(pairs: int) -> tuple[list[Row], dict[str, float]]:
    """Measure clips per CPU second, and the error of float16."""
    folder = wheel_folder()
    features, plain = Features(), PlainLoop(folder)
    encoder = open_encoder(find_encoder(Encoder(kind="openwakeword", path=folder), None), "cpu")
    with tempfile.TemporaryDirectory() as scratch:
        files = write_clips(Path(scratch), features, CLIPS)

        def ours() -> list[np.ndarray]:
            waves = [soundfile.read(file, dtype="float32")[0] for file in files]
            return embed_clips(encoder, waves, features)

        def one_by_one() -> list[np.ndarray]:
            return [
                embed_clips(encoder, [soundfile.read(file, dtype="float32")[0]], features)[0]
                for file in files
            ]

        rows = []
        peers = (("plain loop, window by window", plain), ("ours, batch 1", None))
        for name, peer in peers:
            theirs = one_by_one if peer is None else lambda p=peer: p(files)
            times = paired(lambda _: ours(), lambda _, t=theirs: t(), pairs=pairs)
            # The loop's windows lie where a clip's own beginning puts them, ours around the middle of each row.
            error = (
                difference(ours(), theirs())
                if peer is None
                else same_windows(encoder, plain, files)
            )
            rows.append(
                row(
                    "speech embedding",
                    name,
                    times,
                    items=CLIPS,
                    unit="clips/s",
                    error=error,
                    limit="convolutions of ONNX Runtime",
                )
            )
        return rows, float16_error(np.concatenate(ours()))


def wheel_folder() -> str:
    """Return the folder of the two files in openWakeWord's wheel."""
    spec = importlib.util.find_spec("openwakeword")
    if spec is None or spec.origin is None:
        raise typer.BadParameter("openwakeword 0.4.0 is not installed")
    return str(Path(spec.origin).parent / "resources" / "models")


class _Worker:
    """A process of ours: the encoder that it has opened."""

    encoder: Any = None

    @classmethod
    def open(cls, folder: str) -> None:
        """Open the encoder once."""
        config = Encoder(kind="openwakeword", path=folder)
        cls.encoder = open_encoder(find_encoder(config, None), "cpu")

    @classmethod
    def rows(cls, files: list[Path]) -> list[np.ndarray]:
        """Return the rows of each file."""
        waves = [soundfile.read(file, dtype="float32")[0] for file in files]
        return embed_clips(cls.encoder, waves, Features())


def seconds_of(work: Callable[[int], object], argument: int) -> float:
    """Return the wall time of `work(argument)`."""
    start = time.perf_counter()
    work(argument)
    return time.perf_counter() - start


def wall(pairs: int) -> Row:
    """Measure clips per second of two processes, and of the loop whose networks have two threads."""
    folder, spawn = wheel_folder(), multiprocessing.get_context("spawn")
    plain = PlainLoop(folder, threads=CORES)
    with (
        tempfile.TemporaryDirectory() as scratch,
        spawn.Pool(CORES, _Worker.open, (folder,)) as pool,
    ):
        files = write_clips(Path(scratch), Features(), WALL_CLIPS)
        shards = [files[n : n + 4] for n in range(0, len(files), 4)]

        def ours(_: int) -> list[np.ndarray]:
            found = pool.map(_Worker.rows, shards, chunksize=1)
            return [rows_RE for shard in found for rows_RE in shard]

        times = paired(ours, lambda _: plain(files), pairs=pairs, clock=seconds_of)
        _Worker.open(folder)
        error = same_windows(_Worker.encoder, plain, files)
        same = difference(ours(0), _Worker.rows(files))
    assert same < 1e-4, f"processes give other rows: {same}"
    return row(
        "speech embedding, two cores",
        "plain loop, window by window",
        times,
        items=WALL_CLIPS,
        unit="clips/s",
        error=error,
        limit="convolutions of ONNX Runtime",
    )


def write_clips(folder: Path, features: Features, count: int) -> list[Path]:
    """Write clips of noise whose level and colour change."""
    random, files = np.random.default_rng(0), []
    for n in range(count):
        level_T = np.repeat(10 ** random.uniform(-3, -1, 40), features.n_samples // 40)
        noise_T = np.convolve(
            random.standard_normal(len(level_T)), random.standard_normal(5), "same"
        )
        files.append(folder / f"{n}.wav")
        soundfile.write(files[-1], np.clip(level_T * noise_T, -1, 1), features.sample_rate_hz)
    return files


def difference(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    """Return the largest absolute difference."""
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))


def same_windows(encoder: Any, plain: PlainLoop, files: list[Path]) -> float:
    """Return the largest difference where both hear the same samples."""
    found = []
    for file in files[:2]:
        waveform_T = soundfile.read(file, dtype="float32")[0]
        found.append((encoder(waveform_T[None])[0], plain([file])[0]))
    return max(float(np.abs(a - b).max()) for a, b in found)


def float16_error(rows_RE: np.ndarray) -> dict[str, float]:
    """Return the error of storing rows in float16, beside the deviation of their values."""
    error_RE = np.abs(rows_RE.astype(np.float16).astype(np.float32) - rows_RE)
    deviation_E = rows_RE.std(0)
    return {
        "largest": float(f"{error_RE.max():.2g}"),
        "rms": float(f"{np.sqrt(np.square(error_RE).mean()):.2g}"),
        "rms_of_deviation": float(f"{np.sqrt(np.square(error_RE / deviation_E).mean()):.2g}"),
        "mean_deviation": float(f"{deviation_E.mean():.3g}"),
    }


def reading() -> dict[str, float]:
    """Return CPU milliseconds of making a batch of 24 clips with and without rows, and of the step that takes it."""
    found: dict[str, float] = {}
    for name, fusion in (("without", None), ("with", EmbeddingFusion(fusion="pool", width=768))):
        trial, source = batches_of(fusion)
        times = [cpu_seconds(partial(first_batch, source), n) for n in range(9)]
        found[f"batch_{name}_ms"] = float(f"{1000 * median(times):.3g}")
    networks, values = MeanTeacher(trial, 10, seed=0), step_values(trial, 0, 1)
    identity = Normaliser.identity(Features().n_mels)
    given = StepInputs(trial, source, "cpu")(first_batch(source, 0), 0, identity)
    steps = [cpu_seconds(lambda _: networks.step(*given, values), n) for n in range(4)]
    return found | {"step_ms": float(f"{1000 * min(steps):.3g}")}


def batches_of(fusion: EmbeddingFusion | None) -> tuple[Trial, BatchSource]:
    """Return the published trial with a fusion, and its batches of random clips."""
    trial = Trial(
        data=TrialData(synthetic="s", unlabelled="u", weak="w", xvalid=("x",), evaluation=("x",)),
        model=Model(embedding=fusion),
    )
    clips = with_random_rows(random_set(48, Features(), 10), fusion)
    return trial, BatchSource(trial, {"s": clips, "u": clips, "w": clips}, seed=0)


def first_batch(source: BatchSource, epoch: int) -> Batch:
    """Make the first batch of an epoch."""
    return next(iter(source.epoch(epoch)))


def main(
    pairs: Annotated[int, typer.Option(min=1, help="Pairs per row.")] = 5,
    on_wall: Annotated[
        bool, typer.Option("--wall", help="Wall time of two cores, on an idle machine.")
    ] = False,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Measure, print, and optionally keep."""
    if on_wall:
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))
        idle = round(idle_share(), 2)
        about = {"threads": CORES, "clock": "wall seconds, two cores", "idle_share_before": idle}
        publish(document("encoders_wall", [wall(pairs)], **about), store)
        return
    one_core()
    rows, float16 = extraction(pairs)
    publish(document("encoders", rows, float16=float16, reading=reading()), store)


if __name__ == "__main__":
    typer.run(main)
