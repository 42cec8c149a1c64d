"""Feature sets and a trial small enough to train in a second, without audio."""

from dataclasses import replace

import numpy as np

from raysed.config.data_job import Features
from raysed.config.encoder import EncoderFacts
from raysed.config.trial import Model, Optimiser, Schedule, Shares, Teacher, Trial, TrialData
from raysed.data.clip import Event
from raysed.data.features.mel import mel_amplitude
from raysed.data.features.shards import stored_mel
from raysed.data.features.store import FeatureSet

CLASSES = ("Cat", "Dog")
FEATURES = Features(duration_s=1.0, n_mels=8, hop=255)  # 63 frames


def feature_set(name, n, *, strong=True, weak=True, seed=0, classes=CLASSES, features=FEATURES):
    """Clips where a class is a louder half of the bands between onset and offset."""
    rng = np.random.default_rng([seed, n])
    mels, events = [], []
    half = features.n_mels // 2
    for _ in range(n):
        mel_TF = rng.uniform(0.05, 0.1, (features.n_frames, features.n_mels))
        label = int(rng.integers(2))
        onset, offset = sorted(rng.uniform(0, 1, 2).round(3))
        frames = slice(*(int(t * 16000 / features.hop) for t in (onset, offset)))
        mel_TF[frames, label * half : (label + 1) * half] *= 30
        mels.append(mel_TF.astype(np.float16))
        events.append((Event(onset, offset, classes[label]),))
    return FeatureSet(
        name=name,
        id=f"{name}-id",
        classes=classes,
        features=features,
        filenames=tuple(f"{name}{i:03d}.wav" for i in range(n)),
        durations_s=np.full(n, features.duration_s),
        frames=np.full(n, features.n_frames, np.int32),
        events=tuple(events) if strong else (None,) * n,
        weak_labels=tuple((e[0].event_label,) for e in events) if weak else (None,) * n,
        mels=tuple(mels),
    )


def with_waveforms(feature_set):
    """The clips as sounds, a low and a high tone as loud as the two halves of their bands, and the mels of
    these; every second clip is half as long.
    """
    features = feature_set.features.model_copy(update={"waveforms": True})
    rng = np.random.default_rng(len(feature_set))
    time_T = np.arange(features.n_samples) / features.sample_rate_hz
    tones_2T = np.sin(2 * np.pi * np.array([[300.0], [5000.0]]) * time_T)
    waveforms = []
    for n, mel_TF in enumerate(feature_set.mels):
        loud_2F = mel_TF.reshape(features.n_frames, 2, -1).mean(2).T
        sound_2T = 0.1 * loud_2F.repeat(features.hop, axis=1)[:, : features.n_samples] * tones_2T
        waveform_T = sound_2T.sum(0) + rng.normal(0, 0.01, features.n_samples)
        waveforms.append(waveform_T[: features.n_samples // (1 + n % 2)].astype(np.float16))
    own = [mel_amplitude(waveform_T, features) for waveform_T in waveforms]
    return replace(
        feature_set,
        features=features,
        waveforms=tuple(waveforms),
        mels=tuple(stored_mel(mel_TF, features) for mel_TF in own),
        frames=np.array([len(mel_TF) for mel_TF in own], np.int32),
    )


def sets():
    return {
        "synthetic": feature_set("synthetic", 9, seed=1),
        "unlabelled": feature_set("unlabelled", 13, strong=False, weak=False, seed=2),
        "weak": feature_set("weak", 8, strong=False, seed=3),
        "dry": feature_set("dry", 5, seed=4),
        "plain": feature_set("plain", 4, seed=5),
        "validation": feature_set("validation", 6, seed=6),
    }


def trial(**change):
    values = {
        "data": TrialData(
            synthetic="synthetic",
            unlabelled="unlabelled",
            weak="weak",
            xvalid=("dry", "plain"),
            evaluation=("validation",),
        ),
        "shares": Shares(synthetic=2, unlabelled=3, weak=2),
        "model": Model(
            filters=(4, 4, 4),
            pooling=((2, 2), (2, 2), (1, 2)),
            gru_units=4,
            gru_layers=1,
            dropout=0.3,
            batchnorm_momentum=0.1,
            glu_std=0.3,
        ),
        "teacher": Teacher(snr_db=20.0),
        "optimiser": Optimiser(learning_rate=1e-2, ramp=False),
        "schedule": Schedule(epochs=3, ramp_epochs=2),
    }
    return Trial(**(values | change))


def with_rows(feature_set):
    """The clips with rows of an encoder, every 40 ms: the mean mel of each half of the bands, and a constant."""
    facts = EncoderFacts(
        encoder={"kind": "onnx"},
        layers=None,
        sha256="tiny",
        sample_rate_hz=16000,
        hop=640,
        width=3,
        licence="none",
    )
    rows = []
    for mel_TF in feature_set.mels:
        halves_2T = mel_TF.astype(np.float32).reshape(len(mel_TF), 2, -1).mean(2)
        row_at = np.minimum((np.arange(25) + 0.5) * 640 / 255, len(mel_TF) - 1).astype(int)
        rows.append(np.c_[halves_2T[row_at], np.ones(25)].astype(np.float16))
    return replace(feature_set, encoder=facts, embeddings=tuple(rows))
