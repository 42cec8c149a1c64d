"""`python -m benchmarks.data_profile`: the parts of a soundscape and of a mel, in CPU time of one core.

docs/profile.md shows these tables. The time of a part excludes the parts that it calls. It takes about a
minute.
"""

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import scipy.fft
import typer

from benchmarks.common import one_core
from benchmarks.data import BLOCK, bank_roots, job_of, kept_blocks
from raysed.config.data_job import Features, Roots
from raysed.data.features import mel
from raysed.data.soundscapes import loudness, rendering, soundscape, sox_effects
from raysed.data.soundscapes.soundscape import SoundscapeContext, make_soundscape

PARTS = {
    "Scaper's instantiation": (soundscape.scaper.Scaper, "_instantiate_event"),
    "random generators": (soundscape, "random_state"),
    "rest of the specification": (soundscape, "specify"),
    "sources": (rendering._Sources, "read"),
    "SoX's resampling": (sox_effects, "_resampled"),
    "stretching": (sox_effects, "stretched"),
    "around both": (soundscape, "convert"),
    "loudness, filters": (loudness, "_weighted_energy"),
    "loudness, blocks and gates": (rendering, "integrated_lufs"),
    "gains": (rendering, "_at_level"),
    "fades": (rendering, "_fade"),
    "rest of the rendering": (soundscape, "render_stems"),
    "sum of the stems": (soundscape, "_mix"),
    "labels": (soundscape, "clean_events"),
    "specification as JSON": (soundscape, "_source"),
}
WARM_UP, BLOCKS = 40, 15
"""Numbers of blocks of soundscapes: those before the ones that count, and the ones that count."""
REPEATS = 30


class Parts:
    """Adds up the CPU seconds of each part, without those of the parts within it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._within = [0.0]

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function`, with its time counted as the part `name`."""

        def call(*arguments: Any, **keywords: Any) -> Any:
            self._within.append(0.0)
            start = time.process_time()
            result = function(*arguments, **keywords)
            seconds = time.process_time() - start
            self.seconds[name] += seconds - self._within.pop()
            self._within[-1] += seconds
            return result

        return call

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Measure the PARTS that run within this context."""
        with ExitStack() as stack:
            for name, (owner, attribute) in PARTS.items():
                timed = self.timed(name, getattr(owner, attribute))
                stack.enter_context(mock.patch.object(owner, attribute, timed))
            yield


def soundscape_parts(roots: Roots, shift: float) -> dict[str, float]:
    """Return the milliseconds of each part of a kept soundscape, with sources decoded before."""
    context = SoundscapeContext.from_job(job_of(roots, pitch_shift_semitones=shift, count=600), "s")
    blocks = kept_blocks(context, WARM_UP + BLOCKS)
    parts = Parts()
    for block in blocks[:WARM_UP]:
        for index in block:
            make_soundscape(context, index)
    with parts.watched():
        make = parts.timed("rest", make_soundscape)
        for block in blocks[WARM_UP:]:
            for index in block:
                make(context, index)
    return {name: 1e3 * seconds / (BLOCKS * BLOCK) for name, seconds in parts.seconds.items()}


def mel_parts(features: Features) -> dict[str, float]:
    """Return the milliseconds of each step of `mel_amplitude` of a 10 s clip."""
    random = np.random.default_rng(0)
    waveform_T = random.standard_normal(features.n_samples).astype(np.float32)
    window_N, groups = mel._front_end(features)
    parts = Parts()
    prepare = parts.timed("checks and reflected edges", partial(_framed, features=features))
    window = parts.timed("window", lambda chunk: chunk * window_N)
    transform = parts.timed("FFT", lambda chunk: scipy.fft.rfft(chunk, axis=1))
    amplitude = parts.timed("amplitude", np.abs)
    bands = parts.timed("mel bands", lambda a: [a[:, bins] @ w for _, bins, w in groups])
    for _ in range(REPEATS):
        frames_TN = prepare(waveform_T)
        for start in range(0, len(frames_TN), mel.CHUNK_FRAMES):
            bands(amplitude(transform(window(frames_TN[start : start + mel.CHUNK_FRAMES]))))
    return {name: 1e3 * seconds / REPEATS for name, seconds in parts.seconds.items()}


def _framed(waveform_T: np.ndarray, features: Features) -> np.ndarray:
    padded_T = np.pad(mel.prepared(waveform_T, features), features.n_fft // 2, mode="reflect")
    frames_TN = np.lib.stride_tricks.sliding_window_view(padded_T, features.n_fft)
    return frames_TN[:: features.hop][: features.n_frames]


def table(title: str, parts: dict[str, float]) -> str:
    """Return a Markdown table, the largest part first."""
    total = sum(parts.values())
    lines = [f"| {title} | ms | share |", "|---|---|---|"]
    for name, ms in sorted(parts.items(), key=lambda item: -item[1]):
        lines.append(f"| {name} | {ms:.2f} | {ms / total:.0%} |")
    return "\n".join([*lines, f"| together | {total:.2f} | |", ""])


def main() -> None:
    """Print the tables and, last, one line of JSON."""
    one_core()
    found = {}
    with tempfile.TemporaryDirectory(prefix="raysed-profile-") as name:
        roots, bank = bank_roots(Path(name))
        found["soundscape without pitch shift"] = soundscape_parts(roots, 0.0)
        found["soundscape with pitch shift"] = soundscape_parts(roots, 3.0)
        found["mel of 10 s"] = mel_parts(Features())
    for title, parts in found.items():
        print(table(title, parts))
    print(json.dumps({"benchmark": "data_profile", "bank": bank, "ms": found}))


if __name__ == "__main__":
    typer.run(main)
