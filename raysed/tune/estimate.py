"""An estimate of the time that a space takes: a few timed epochs of one step, with the real model and batch
on random features.

It runs the trainer itself, so that noise, log-mel, optimiser and x-valid scoring are included. On CPUs a few
clips stand for the batch, since their time grows with their number: a few seconds for the published model. Not
included are the building of data sets, the start of processes (a few seconds a trial) and the PSDS of the
evaluation sets.
"""

import dataclasses
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from raysed.config.base import content_hash
from raysed.config.data_job import Features
from raysed.config.encoder import EmbeddingFusion, EncoderFacts
from raysed.config.trial import SUBSETS, Model, Shares, Trial
from raysed.config.trial_resources import Resources
from raysed.data.clip import Event
from raysed.data.features.store import FeatureSet
from raysed.storage.folder import Folder
from raysed.training.ranks import ALONE
from raysed.training.trainer import Trainer

BUDGET_S = 5.0
"""Seconds after which no further model is timed."""
BUSY = 0.7
"""With a smaller share of the CPUs than this, a timed step tells more about the load than about the model."""
_PER_MODEL_S = 4.0
_MOST_EPOCHS = 6
_FEW_CLIPS = 4
"""Clips of a timed batch on CPUs; a GPU is timed on whole batches, which fill it."""
_SCORED_CLIPS = {"cpu": 2, "cuda": 8}
# Any other setting of the model may decide its speed.
_SAME_SPEED = {"dropout", "batchnorm_momentum", "batchnorm_eps", "glu_std", "attention_axis"}


@dataclass(frozen=True)
class Speed:
    """Seconds of one rank for one clip."""

    train_s: float
    """Seconds of a training step, with both networks."""
    score_s: float
    """Seconds of scoring by both networks, metrics included."""
    epochs: int
    """Number of epochs of one step that were timed, without the first where there were more."""
    cpu_share: float
    """The share of its CPUs that it got: small on a machine that is busy with other work."""


@dataclass(frozen=True)
class Work:
    """The amount of work in one trial."""

    steps: int
    """Optimiser steps, all epochs."""
    scored_clips: int
    """Clips scored over all epochs and x-valid sets, and in the evaluation at the end."""


def work_of(trial: Trial, clips: dict[str, int]) -> Work:
    """Return steps and scored clips of a trial on data sets of these numbers of clips; sets left out are not
    counted.
    """
    data, epochs = trial.data, trial.schedule.epochs
    every_epoch = [*data.xvalid, *([data.weak_xvalid] if data.weak_xvalid else [])]
    scored = epochs * sum(clips.get(name, 0) for name in every_epoch)
    scored += len(data.xvalid) * sum(clips.get(name, 0) for name in data.evaluation)
    return Work(epochs * steps_per_epoch(trial, clips), scored)


def steps_per_epoch(trial: Trial, clips: dict[str, int]) -> int:
    """Return the minimum over subsets of clips // share, or fewer where the schedule says so."""
    steps = min(clips[name] // trial.shares.of(s) for s, name in trial.used_subsets().items())
    return min(steps, trial.schedule.steps_per_epoch or steps)


def measure_speeds(
    trials: Iterable[Trial], features: Features, classes: int, resources: Resources
) -> dict[str, Speed]:
    """Measure the speed of each size of model among the trials, by `size_of`; not all of them where time runs
    out.
    """
    started = time.monotonic()
    speeds: dict[str, Speed] = {}
    for trial in trials:
        if size_of(trial) not in speeds and time.monotonic() - started < BUDGET_S:
            speeds[size_of(trial)] = measure(trial, features, classes, resources)
    return speeds


def size_of(trial: Trial) -> str:
    """Return what decides a model's speed; equal for trials that differ in other things."""
    sizes = trial.model.model_dump(exclude=_SAME_SPEED)
    return content_hash({**sizes, "precision": trial.precision}, 8)


def measure(trial: Trial, features: Features, classes: int, resources: Resources) -> Speed:
    """Time epochs of one step of a rank's part of the batch, on random clips."""
    device = "cuda" if resources.gpus else "cpu"
    rank = trial.model_copy(
        update={
            "shares": timed_shares(trial.shares, resources.workers, device),
            "schedule": trial.schedule.model_copy(update={"steps_per_epoch": 1}),
            # The random clips have no waveforms, so the noise is added to the mel instead.
            "teacher": trial.teacher.model_copy(update={"noise_domain": "mel"}),
            "data": trial.data.model_copy(update={"xvalid": trial.data.xvalid[:1]}),
            # Nor can they be heard: what an encoder takes that learns is not in the estimate.
            "model": with_stored_rows(trial.model),
        }
    )
    fusion = rank.model.embedding
    clips, scored = (
        with_random_rows(random_set(count, features, classes), fusion)
        for count in (rank.shares.total, _SCORED_CLIPS[device])
    )
    unscored = [*rank.used_subsets().values(), *(rank.data.scaler or ())]
    sets = {name: clips if name in unscored else scored for name in rank.set_names()}
    threads = torch.get_num_threads()
    torch.set_num_threads(resources.cpus_per_worker)
    timed: list[dict[str, Any]] = []
    cpu_share = 1.0
    try:
        with tempfile.TemporaryDirectory(prefix="raysed-estimate-") as scratch:
            trainer = Trainer(
                rank, sets, Folder(str(Path(scratch))), seed=0, device=device, ranks=ALONE
            )
            trainer.resume()
            started, cpu_started = time.monotonic(), time.process_time()
            while _go_on(timed, time.monotonic() - started):
                timed.append(trainer.run_epoch(float("inf")))
            if device == "cpu":
                cpu_s, wall_s = time.process_time() - cpu_started, time.monotonic() - started
                cpu_share = min(1.0, cpu_s / wall_s / resources.cpus_per_worker)
    finally:
        torch.set_num_threads(threads)
    return speed_of(timed, rank.shares.total, len(scored), cpu_share)


def with_stored_rows(model: Model) -> Model:
    """Return a model whose encoder stays as it is."""
    if model.embedding is None:
        return model
    stored = model.embedding.model_copy(update={"finetune": None})
    return model.model_copy(update={"embedding": stored})


def timed_shares(shares: Shares, workers: int, device: str) -> Shares:
    """Return a rank's part of the batch; on CPUs a few clips in about these proportions."""
    total = -(-shares.total // workers)
    kept = min(total, _FEW_CLIPS) if device == "cpu" else total
    each = {
        key: -(-share * kept // shares.total) for key in SUBSETS if (share := getattr(shares, key))
    }
    return shares.model_copy(update=each)


def _go_on(timed: list[dict[str, Any]], elapsed_s: float) -> bool:
    """Tell whether another epoch fits: one always does, then as many as fit if each takes as long as the one
    before.
    """
    if not timed:
        return True
    next_s = timed[-1]["train_s"] + timed[-1]["xvalid_s"]
    return len(timed) < _MOST_EPOCHS and elapsed_s + next_s < _PER_MODEL_S


def speed_of(
    timed: list[dict[str, Any]], trained_clips: int, scored_clips: int, cpu_share: float
) -> Speed:
    """Return the median over epochs of one step, without the first (which warms up) where there are more.

    Where other work had most of the CPUs, the seconds are brought down to those of an idle machine.
    """
    warm = timed[1:] or timed
    scale = cpu_share if cpu_share < BUSY else 1.0
    return Speed(
        train_s=scale * float(np.median([m["train_s"] for m in warm])) / trained_clips,
        score_s=scale * float(np.median([m["xvalid_s"] for m in warm])) / scored_clips,
        epochs=len(warm),
        cpu_share=cpu_share,
    )


def random_set(clips: int, features: Features, classes: int) -> FeatureSet:
    """Return full-length clips with random features, strong and weak labels."""
    random = np.random.default_rng(0)
    names = tuple(f"class-{k}" for k in range(classes))
    shape = (features.n_frames, features.n_mels)
    own = [names[n % classes] for n in range(clips)]
    half_s = features.duration_s / 2
    return FeatureSet(
        name="random",
        id="random",
        classes=names,
        features=features.model_copy(update={"waveforms": False}),
        filenames=tuple(f"{n:06d}.wav" for n in range(clips)),
        durations_s=np.full(clips, features.duration_s),
        frames=np.full(clips, features.n_frames, np.int32),
        events=tuple((Event(0.0, half_s, label),) for label in own),
        weak_labels=tuple((label,) for label in own),
        mels=tuple(random.random(shape).astype(features.dtype) for _ in range(clips)),
    )


def with_random_rows(feature_set: FeatureSet, fusion: EmbeddingFusion | None) -> FeatureSet:
    """Return the set with a row of an encoder every 40 ms, where the network takes some."""
    if fusion is None:
        return feature_set
    facts = EncoderFacts(
        encoder={"kind": "random"},
        layers=None,
        sha256="random",
        sample_rate_hz=16000,
        hop=640,
        width=fusion.width,
        licence="none",
    )
    shape = (facts.rows(feature_set.features.duration_s), facts.width)
    row_RE = np.random.default_rng(0).normal(size=shape).astype(np.float16)
    rows = (row_RE,) * len(feature_set)
    return dataclasses.replace(feature_set, encoder=facts, embeddings=rows)


def trial_seconds(work: Work, trial: Trial, speed: Speed, resources: Resources) -> float:
    """Return the wall seconds of a trial: ranks share its training, rank 0 scores."""
    per_rank = -(-trial.shares.total // resources.workers)
    return work.steps * per_rank * speed.train_s + work.scored_clips * speed.score_s


def mean_speed(speeds: Iterable[Speed]) -> Speed:
    """Return the mean speed, for models that were not timed."""
    rows = [dataclasses.astuple(speed) for speed in speeds]
    train_s, score_s, _, cpu_share = np.mean(rows, axis=0)
    return Speed(float(train_s), float(score_s), 0, float(cpu_share))
