"""Comparison of prediction on a GPU with the CPU, and its speed there."""

import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import torch

from benchmarks.gpu_parts import Check, model_for, within
from benchmarks.train_step import CLASSES
from raysed.config.data_job import Features
from raysed.config.trial import PostProcessing
from raysed.data.windows import Grid
from raysed.model.network import make_network
from raysed.predict.detector import Detector
from raysed.predict.recordings import predict
from raysed.predict.settings import ClassPostProcessing
from raysed.predict.sources import Recording
from raysed.training.inputs import Normaliser
from raysed.training.keys import torch_generator

TOLERANCE = 2e-3
"""Tolerance of scores in float16, whose step below 1 is 0.0005: a different rounding in float32 may lead to
either neighbour."""


def prediction_parity(device: str) -> Check:
    """Compare the scores of a batch of windows on the device with the CPU, and predict a recording of noise
    by the whole path.

    The recording has 10 minutes on a GPU, 1 on the CPU. Its share of frames that differ is reported but not
    judged: two scores that tie at a joint on one device and not on the other may be joined differently.
    """
    torch.backends.cudnn.allow_tf32 = False
    seconds = 600 if device == "cuda" else 60
    noise_T = (np.random.default_rng(0).standard_normal(seconds * 16_000) / 10).astype(np.float32)
    on_cpu, on_device = (_detector(where, device) for where in ("cpu", device))
    starts = range(0, min(len(noise_T), 64 * 160_000), 160_000)
    mels = [on_cpu.mel(noise_T[start : start + 160_000]) for start in starts]
    errors_BUK = on_device.scores(mels).astype(np.float32) - on_cpu.scores(mels)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "noise.wav")
        soundfile.write(path, noise_T, 16_000)
        expected_TK, _ = _whole(on_cpu, path)
        _whole(on_device, path)
        found_TK, took_s = _whole(on_device, path)
    return within(
        float(np.abs(errors_BUK).max()),
        TOLERANCE,
        frames_that_differ=float((np.abs(found_TK - expected_TK) > TOLERANCE).any(1).mean()),
        times_real_time=round(seconds / took_s),
    )


def _whole(detector: Detector, path: Path) -> tuple[np.ndarray, float]:
    """Return the scores of a recording and the seconds that they took."""
    began = time.perf_counter()
    (prediction,) = predict(detector, [Recording(path.name, str(path))])
    assert prediction.scores is not None, prediction.reason
    return prediction.scores.scores_TK.astype(np.float32), time.perf_counter() - began


def _detector(device: str, size_for: str) -> Detector:
    """Return a network of random weights, of the size for `size_for`, on the device."""
    features = Features()
    model = model_for(size_for, glu_std=0.3)
    normaliser = Normaliser(
        torch.full((features.n_mels,), -30.0), torch.full((features.n_mels,), 20.0)
    )
    settings = ClassPostProcessing.uniform(CLASSES, PostProcessing())
    return Detector(
        network=make_network(model, len(CLASSES), torch_generator(0)).eval().to(device),
        normaliser=normaliser.to(device),
        features=features,
        classes=CLASSES,
        grid=Grid.of(features, model),
        settings=settings,
        trained=settings,
        name="student",
        epoch=0,
        device=device,
    )
