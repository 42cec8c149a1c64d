"""`python -m benchmarks.mel`: mel bands of 10 s clips against librosa as the published code calls it, on one core.

The CPU definition and DALI's CPU backend; the floor is the FFT alone. About half a minute.
"""

from typing import Annotated

import numpy as np
import scipy.fft
import typer

from benchmarks.common import Row, document, least_s, one_core, paired, publish, row
from benchmarks.data import BLOCK
from benchmarks.published import published_mel
from raysed.config.data_job import Features
from raysed.data.features.mel import CHUNK_FRAMES, mel_amplitude
from raysed.data.features.mel_dali import DaliMel


def mels(pairs: int) -> list[Row]:
    """Measure clips per CPU second: the CPU definition, and DALI's CPU backend."""
    features = Features()
    random = np.random.default_rng(0)
    clips = [0.1 * random.standard_normal(features.n_samples) for _ in range(BLOCK)]
    singles = [clip.astype(np.float32) for clip in clips]
    dali = DaliMel(features, device_id=None, batch=BLOCK)

    def by_us() -> list[np.ndarray]:
        return [mel_amplitude(clip, features) for clip in singles]

    def as_published() -> list[np.ndarray]:
        return [published_mel(clip) for clip in clips]

    def in_single() -> list[np.ndarray]:
        return [published_mel(clip) for clip in singles]

    def by_dali() -> list[np.ndarray]:
        return dali(singles)

    comparisons = (
        ("mel, CPU definition", by_us, "librosa as published (float64)", as_published),
        ("mel, CPU definition", by_us, "librosa given float32", in_single),
        ("mel, DALI on the CPU", by_dali, "librosa as published (float64)", as_published),
    )
    fft_s = least_s(lambda _: fft_alone(features))
    rows = []
    for name, ours, reference, theirs in comparisons:
        times = paired(lambda _, o=ours: o(), lambda _, t=theirs: t(), pairs=pairs, warm_up=2)
        error = max(float(np.abs(a - b).max()) for a, b in zip(ours(), theirs(), strict=True))
        made = row(
            name,
            reference,
            times,
            items=BLOCK,
            unit="clips/s",
            error=error,
            limit="DALI's own spectrogram" if ours is by_dali else "the FFT of 628 frames",
            floor_s=fft_s,
        )
        rows.append(made)
    return rows


def fft_alone(features: Features) -> None:
    """Compute the real FFTs of a block's frames in float32, chunk by chunk as in the CPU definition."""
    frames_TN = np.ones((CHUNK_FRAMES, features.n_fft), np.float32)
    for _ in range(BLOCK):
        for start in range(0, features.n_frames, CHUNK_FRAMES):
            scipy.fft.rfft(frames_TN[: features.n_frames - start], axis=1)


def main(
    pairs: Annotated[int, typer.Option(min=1, help="Pairs per row.")] = 15,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Measure, print, and optionally keep."""
    one_core()
    publish(document("mel", mels(pairs)), store)


if __name__ == "__main__":
    typer.run(main)
