"""`python -m benchmarks.float16_rows`: what storing an encoder's rows in float16 costs in scores and metrics.

A small form of tune_spaces/mini_desed_encoder.yaml on mini-DESED ($MINI_DESED): each seed is trained with rows in float32
and with the same rows rounded to float16, as data sets store them. The network trained on float16 also scores the
validation clips with rows in float32: that difference is the rounding's alone. Between two trainings a difference of
one bit grows as far as training is sensitive, for which the differences between seeds are the scale. Some minutes of CPU.
"""

import json
import tempfile
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from benchmarks.common import document, publish
from raysed.config.data_job import DataJob
from raysed.config.reader import read_config
from raysed.config.space import read_space
from raysed.config.trial import Schedule, Trial
from raysed.data.build.job import build
from raysed.data.encoders.clip_rows import embed_clips
from raysed.data.encoders.opening import find_encoder, open_encoder
from raysed.data.features.embeddings import embedding_shape
from raysed.data.features.store import FeatureSet, open_dataset
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.evaluation.metrics.psds import psds
from raysed.storage.folder import Folder
from raysed.training.checkpoint import Predictor, load_predictor
from raysed.training.embedding_rows import stream_of_clips
from raysed.training.inputs import log_mel_of
from raysed.training.network_scores import score_set
from raysed.training.scoring import reference_of, statistics_of
from raysed.training.train import train

JOB, SPACE = "data_jobs/mini_desed_encoder.yaml", "tune_spaces/mini_desed_encoder.yaml"
COUNTS = {"train_pitch_dry": 120, "xvalid_pitch_dry": 40}
CHECKPOINT, EVALUATION = "checkpoints/best-xvalid_pitch_dry.pt", "val"
Sets = dict[str, FeatureSet]


def small_job(out: Path) -> DataJob:
    """Return the job with fewer soundscapes, and with the waveforms that rows are computed from."""
    job = read_config(Path(JOB), DataJob)
    sets = {
        name: each.model_copy(update={"count": COUNTS[name]}) if name in COUNTS else each
        for name, each in job.sets.items()
    }
    features = job.features.model_copy(update={"waveforms": True})
    return job.model_copy(update={"out": str(out), "sets": sets, "features": features})


def both_precisions(stored: FeatureSet, encoder: Any) -> tuple[FeatureSet, FeatureSet]:
    """Return a set with rows in float32, and with the same rows in float16."""
    assert stored.waveforms is not None and stored.encoder is not None
    shape = embedding_shape(stored.encoder, stored.features)
    whole = []
    for waveform_T in stored.waveforms:
        (rows_RE,) = embed_clips(encoder, [waveform_T.astype(np.float32)], stored.features)
        padded_RE = np.zeros(shape, np.float32)
        padded_RE[: len(rows_RE)] = rows_RE
        whole.append(padded_RE)
    rounded = tuple(rows_RE.astype(np.float16) for rows_RE in whole)
    return replace(stored, embeddings=tuple(whole)), replace(stored, embeddings=rounded)


def frame_scores(predictor: Predictor, feature_set: FeatureSet) -> np.ndarray:
    """Return the selected network's scores (N, U, K) in float32; those of a run are stored in float16."""
    rows = np.arange(len(feature_set))
    stream = stream_of_clips(feature_set, rows, predictor.trial.model, "cpu")
    with torch.inference_mode():
        mel_BTF = predictor.normaliser(log_mel_of(feature_set, rows))
        return predictor.model(mel_BTF, stream=stream)[0].numpy()


def values_of(predictor: Predictor, feature_set: FeatureSet) -> dict[str, float]:
    """Return event F1 and PSDS in per cent."""
    trial = predictor.trial
    scores = score_set(predictor.model, feature_set, predictor.normaliser, trial)
    counts = statistics_of(scores, reference_of(feature_set), trial.postprocessing)
    return {
        "event_f1": 100 * float(event_f1(counts)[0][0]),
        "psds": 100 * float(psds(counts)[0]),
    }


def distance(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """Return the largest and the rms difference of scores, and the share of frames on another side of 0.5."""
    apart = np.abs(one - other)
    return {
        "largest": float(f"{apart.max():.2g}"),
        "rms": float(f"{np.sqrt(np.square(apart).mean()):.2g}"),
        "decisions_changed": float(f"{((one >= 0.5) != (other >= 0.5)).mean():.2g}"),
    }


def trained(trial: Trial, sets: Sets, seed: int) -> Predictor:
    """Train a seed and return its selected network."""
    with tempfile.TemporaryDirectory() as scratch:
        train(trial, sets, Folder(scratch), seed=seed)
        return load_predictor(Folder(scratch), CHECKPOINT)


def compare(trial: Trial, whole: Sets, rounded: Sets, seeds: int) -> dict[str, Any]:
    """Return what float16 changes: in a network's scores, and between trainings; and what another seed changes."""
    rounding, paired, found = [], [], []
    for seed in range(seeds):
        network16, network32 = trained(trial, rounded, seed), trained(trial, whole, seed)
        given16, given32 = rounded[EVALUATION], whole[EVALUATION]
        own16, own32 = frame_scores(network16, given16), frame_scores(network32, given32)
        exact = values_of(network16, given32)
        values = {
            "float16": values_of(network16, given16),
            "float32": values_of(network32, given32),
        }
        rounding.append(
            distance(own16, frame_scores(network16, given32))
            | {key: values["float16"][key] - exact[key] for key in exact}
        )
        paired.append(
            distance(own16, own32)
            | {key: values["float16"][key] - values["float32"][key] for key in exact}
        )
        found.append((own32, values))
    seeds_apart = [distance(a, b) for (a, _), (b, _) in combinations(found, 2)]
    return {
        "clips": len(whole[EVALUATION]),
        "frames": int(np.prod(found[0][0].shape)),
        "values": [values for _, values in found],
        "rows_of_a_trained_network_rounded": rounding,
        "trained_on_rounded_rows": paired,
        "two_seeds": seeds_apart,
    }


def main(
    seeds: Annotated[int, typer.Option(min=2, help="Paired seeds.")] = 3,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of 25 steps.")] = 10,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Build, train, compare, and optionally keep."""
    torch.set_num_threads(1)
    trial = read_space(SPACE).training_of("pool").trial.on("cpu")
    trial = trial.model_copy(update={"schedule": Schedule(epochs=epochs, steps_per_epoch=25)})
    with tempfile.TemporaryDirectory() as scratch:
        job = small_job(Path(scratch, "data"))
        built = build(job)
        stored = {name: open_dataset(result.url, scratch) for name, result in built.items()}
        found = find_encoder(job.encoders["speech"], None)
        encoder = open_encoder(found, "cpu")
        pairs = {name: both_precisions(each, encoder) for name, each in stored.items()}
        whole, rounded = ({name: pair[n] for name, pair in pairs.items()} for n in (0, 1))
        compared = compare(trial, whole, rounded, seeds)
    print(json.dumps(compared, indent=1))
    publish(document("float16_rows", [], steps=25 * epochs, **compared), store)


if __name__ == "__main__":
    typer.run(main)
