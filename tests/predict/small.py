"""A detector small enough to run in milliseconds, whose scores vary, and audio for it."""

import numpy as np
import soundfile
import torch

from raysed.config.data_job import Features
from raysed.config.trial import Model
from raysed.data.features.mel import log_mel_db_torch, mel_amplitude
from raysed.model.network import make_network
from raysed.predict.detector import load_detector
from raysed.predict.prediction_run import PredictRequest, run
from raysed.storage.folder import Folder
from raysed.training.checkpoint import Predictor, save_predictor
from raysed.training.inputs import Normaliser
from tests.training.tiny import CLASSES, trial

RATE_HZ = 8000
FEATURES = Features(
    sample_rate_hz=RATE_HZ, duration_s=2.0, n_fft=256, hop=51, n_mels=8, high_hz=4000.0
)
"""Output frames of 204 samples: 78 of them are 15,912, so a window of 16,000 is no multiple."""
MODEL = Model(
    filters=(4, 4, 4),
    pooling=((2, 2), (2, 2), (1, 2)),
    gru_units=4,
    gru_layers=1,
    dropout=0.0,
    glu_std=0.5,
)
NORMALISER = Normaliser(torch.full((8,), -30.0), torch.full((8,), 20.0))


def checkpoint(folder, name="best-dry.pt", **change):
    """Write a checkpoint of random weights; the strong layer is moved so that scores spread out."""
    networks = {}
    for seed, network in enumerate(("student", "teacher")):
        torch.manual_seed(seed)
        model = make_network(MODEL, len(CLASSES), torch.Generator().manual_seed(seed + 5))
        with torch.no_grad():
            model.strong.weight.mul_(4000)
            model.strong.bias.copy_(-_usual_logit(model.eval()))
        networks[network] = model.eval()
    predictor = Predictor(
        **networks,
        normaliser=NORMALISER,
        trial=trial(model=MODEL, **change),
        features=FEATURES,
        classes=CLASSES,
        epoch=3,
    )
    save_predictor(Folder(str(folder)), name, predictor)
    return f"{folder}/{name}"


def _usual_logit(model):
    """The median of each class before the sigmoid, without the bias."""
    model.strong.bias.zero_()
    logits = []
    hook = model.strong.register_forward_hook(lambda *call: logits.append(call[-1]))
    waves = [bursts(2.0, seed=seed) for seed in range(4)]
    mel_BTF = torch.from_numpy(np.stack([mel_amplitude(wave, FEATURES) for wave in waves]))
    frames_B = torch.full((4,), FEATURES.n_frames)
    model(NORMALISER(log_mel_db_torch(mel_BTF, frames_B, FEATURES.floor_db)))
    hook.remove()
    return logits[0].flatten(0, 1).median(dim=0).values


def detector(folder, **change):
    return load_detector(checkpoint(folder, **change), device="cpu")


def bursts(seconds, *, seed=0, rate_hz=RATE_HZ):
    """Noise whose level and colour change every tenth of a second or so."""
    rng = np.random.default_rng(seed)
    samples = round(seconds * rate_hz)
    parts, count = [], 0
    while count < samples:
        part = rng.standard_normal(int(rng.integers(rate_hz // 20, rate_hz // 2)))
        part = np.convolve(part, rng.standard_normal(5), "same") * 10 ** rng.uniform(-3, -1)
        parts.append(part)
        count += len(part)
    return np.clip(np.concatenate(parts)[:samples], -1, 1).astype(np.float32)


def write(path, waveform, rate_hz=RATE_HZ, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, waveform, rate_hz, **options)
    return str(path)


def call(place, *audio, **options):
    """`raysed predict` with the checkpoint in `place`; returns the exit code and what was said."""
    said = []
    request = PredictRequest(str(place / "best-dry.pt"), tuple(map(str, audio)), **options)
    return run(request, said.append), said
