"""Mel bands on a GPU, copies counted: DALI against torchaudio's MelSpectrogram on the same card, in turns."""

import time
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.gpu_parts import Check
from raysed.config.data_job import Features

BATCH = 64
TARGET = 2.0
"""Times torchaudio that DALI is to reach at this batch."""
_ROUNDS = 5


def mel_throughput(device: str) -> Check:
    """Measure clips of 10 s per second, from waveforms in memory to mels in memory; on the CPU a few clips."""
    try:
        from raysed.data.features.mel_dali import DaliMel
    except ImportError as error:
        return {"skipped": f"DALI is not installed ({error})", "ok": True}
    gpu, features = device == "cuda", Features()
    batch, calls = (BATCH, 10) if gpu else (2, 1)
    random = np.random.default_rng(0)
    waveforms = [
        random.standard_normal(features.n_samples).astype(np.float32) / 10 for _ in range(batch)
    ]
    dali = DaliMel(features, device_id=0 if gpu else None, batch=batch)
    ways: dict[str, Any] = {
        "DALI": lambda: dali(waveforms),
        "torchaudio": _torchaudio(features, waveforms, device),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(_ROUNDS + 1):
        for name, way in ways.items():
            started = time.perf_counter()
            for _ in range(calls):
                way()
            if turn:
                rates[name].append(batch * calls / (time.perf_counter() - started))
    found = {name: round(median(values), 1) for name, values in rates.items()}
    ratio = round(found["DALI"] / found["torchaudio"], 2)
    return {"clips_per_s": found, "ratio": ratio, "target": TARGET, "batch": batch, "ok": True}


def _torchaudio(features: Features, waveforms: list[np.ndarray], device: str) -> Any:
    """Return a function that gives mels in memory of waveforms in memory, as torchaudio's users write it."""
    import torchaudio

    transform = torchaudio.transforms.MelSpectrogram(
        sample_rate=features.sample_rate_hz,
        n_fft=features.n_fft,
        hop_length=features.hop,
        f_min=features.low_hz,
        f_max=features.high_hz,
        n_mels=features.n_mels,
        power=1.0,
        window_fn=lambda size: torch.hamming_window(size, periodic=False),
        mel_scale="slaney",
    ).to(device)

    def mels() -> np.ndarray:
        batch_BT = torch.from_numpy(np.stack(waveforms)).to(device)
        return transform(batch_BT).cpu().numpy()

    return mels
