"""Runs that nobody trained: scores made from the truth with errors, stored as a real run stores them."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raysed.config.data_job import Features
from raysed.config.trial import PostProcessing
from raysed.data.clip import Clip, Event
from raysed.evaluation.detections.events import Events, Reference
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json
from raysed.training.scoring import (
    Scores,
    baseline_statistics,
    encode_scores,
    encode_statistics,
    statistics_of,
)
from tests.data.small_sets import write_rows

CLIPS, FRAMES, FRAME_S = 30, 40, 0.25
CONFIG = {
    "data": {"synthetic": "synthetic", "xvalid": ["dry"], "evaluation": ["val"]},
    "shares": {"synthetic": 6, "weak": 6},
    "teacher": {"snr_db": None},
    "schedule": {"epochs": 4},
    "postprocessing": {"threshold": 0.5, "median_window": 1},
}
FEATURES = Features(duration_s=10.0, n_mels=8, hop=1600)


@dataclass(frozen=True)
class MadeUp:
    """What the run shall look like."""

    cells: int = 3
    seeds: int = 2
    classes: tuple[str, ...] = ("Cat", "Dog", "Speech")
    clips: int = CLIPS
    xvalids: tuple[str, ...] = ("dry",)
    evaluations: tuple[str, ...] = ("val",)
    draws: int = 200
    published: bool = True
    claims: bool = True
    column: str = "column"
    epochs: int = 4


def reference(asked: MadeUp, seed=0) -> Reference:
    random = np.random.default_rng(seed)
    count = 2 * asked.clips
    onset = random.integers(0, FRAMES - 12, count) * FRAME_S
    offset = onset + random.integers(4, 12, count) * FRAME_S
    label = random.permutation(np.arange(count) % len(asked.classes))
    events = Events.sort(np.arange(count) % asked.clips, label, onset, offset)
    names = tuple(f"Y{n:03d}_0.000_10.000.wav" for n in range(asked.clips))
    return Reference(names, np.full(asked.clips, 10.0), asked.classes, events)


def scores(truth: Reference, error: float, seed: int) -> Scores:
    """Events are found, missed or made up with `error` in place of certainty."""
    random = np.random.default_rng([seed, round(1000 * error)])
    shape = (len(truth.filenames), FRAMES, len(truth.classes))
    scores_NUK = random.uniform(0, 0.45, shape)
    events = truth.events
    for n, k, onset, offset in zip(
        events.clip_E, events.label_E, events.onset_E, events.offset_E, strict=True
    ):
        place = slice(round(onset / FRAME_S), round(offset / FRAME_S))
        scores_NUK[n, place, k] = random.uniform(0.55, 1.0) if random.uniform() > error else 0.3
        if random.uniform() < error:
            other = random.integers(shape[2])
            scores_NUK[n, :6, other] = random.uniform(0.5, 0.9)
    return Scores(
        filenames=truth.filenames,
        durations_s=truth.durations_s,
        classes=truth.classes,
        frame_s=FRAME_S,
        scores_NUK=scores_NUK.astype(np.float16),
        weak_NK=scores_NUK.max(axis=1).astype(np.float16),
    )


def make_run(path: Path, asked: MadeUp = MadeUp(), *, dataset: bool = True) -> Folder:
    """A finished run; the cells of one training differ in their x-valid set."""
    run = Folder(str(path / "run"))
    truths = {name: reference(asked, seed) for seed, name in enumerate(asked.evaluations)}
    urls = {
        name: write_dataset(path / f"{name}-id", truth) if dataset else str(path / "gone")
        for name, truth in truths.items()
    }
    plan = plan_of(asked, urls)
    write_json(run, "plan.json", plan)
    write_json(run, "status.json", {"state": "done", "commit": "abc", "heartbeat": 1.8e9})
    for number, training in enumerate(plan["trainings"]):
        for seed in plan["seeds"]:
            error = 0.15 + 0.6 * number / max(len(plan["trainings"]), 2)
            write_trial(run, training, seed, truths, error, asked)
    return run


def plan_of(asked: MadeUp, urls):
    cells = []
    for number in range(asked.cells):
        xvalid = asked.xvalids[number % len(asked.xvalids)]
        value = {"event_f1": 0.5 - 0.05 * number, "psds": 0.6 - 0.05 * number}
        cells.append(
            {
                "id": f"C{number}",
                "table": str(1 + number // 5),
                "column": f"{asked.column} {number}",
                "training": f"t{number // len(asked.xvalids):03d}",
                "xvalid": xvalid,
                "evaluation": list(asked.evaluations),
                "published": dict.fromkeys(asked.evaluations, value) if asked.published else {},
            }
        )
    trainings = {}
    for cell in cells:
        trainings.setdefault(cell["training"], []).append(cell["id"])
    claims = [
        {
            "id": "K1",
            "text": "The first does better than the second.",
            "evaluation": asked.evaluations[0],
            "metrics": ["event_f1", "psds"],
            "comparisons": [{"cell": "C0", "against": "C1", "expect": "higher"}],
        }
    ]
    return {
        "space": "made up",
        "seeds": list(range(asked.seeds)),
        "cells": cells,
        "contrasts": [{"cell": c["id"], "against": "C0"} for c in cells[1:]],
        "claims": claims if asked.claims and asked.cells > 1 else [],
        "bootstrap_draws": asked.draws,
        "trainings": [
            {"id": t, "cells": ids, "config": CONFIG | {"shares": {"synthetic": n, "weak": 6}}}
            for n, (t, ids) in enumerate(trainings.items())
        ],
        "trials": len(trainings) * asked.seeds,
        "datasets": [{"name": n, "id": "id", "url": u, "clips": 1} for n, u in urls.items()],
        "resources_per_trial": {"workers": 1, "cpus_per_worker": 2, "gpus_per_worker": 0},
    }


def write_trial(run, training, seed, truths, error, asked):
    trial = run.child(f"trials/{training['id']}-seed{seed}")
    rules = PostProcessing(**CONFIG["postprocessing"])
    for name, truth in truths.items():
        for place, xvalid in enumerate(asked.xvalids):
            found = scores(truth, error + 0.03 * place, seed)
            stem = f"{name}.{xvalid}"
            trial.write(f"scores/{stem}.arrow", encode_scores(found))
            counted = {"": statistics_of(found, truth, rules)}
            counted |= {f".{k}": v for k, v in baseline_statistics(found, truth, rules).items()}
            for end, statistics in counted.items():
                trial.write(f"statistics/{stem}{end}.npz", encode_statistics(statistics))
    write_progress(trial, asked.epochs, asked.xvalids)
    selected = {
        x: {"epoch": n % asked.epochs, "xvalid_f1": 0.5, "score": 0.5}
        for n, x in enumerate(asked.xvalids)
    }
    result = {"selected": selected, "epochs": asked.epochs, "world": 1, "train_seconds": 40.0,
              "evaluation_seconds": 6.0, "loss_first": 1.0, "loss_last": 0.5,
              "training_energy": {"cpu_kwh": 0.5}, "macs_10s": 930_900_000}  # fmt: skip
    write_json(trial, "result.json", result)


def write_progress(trial, epochs, xvalids):
    lines = []
    for epoch in range(epochs):
        f1 = {name: round(0.1 * epoch + 0.02 * n, 3) for n, name in enumerate(xvalids)}
        lines.append(
            {"epoch": epoch, "loss": 1 / (1 + epoch), "strong": 0.5 / (1 + epoch), "weak": 0.0,
             "clips_per_s": 24.0, "train_s": 10.0, "xvalid_s": 2.0, "world": 1,
             "xvalid_f1": f1, "xvalid_f1_student": f1, "xvalid_f1_teacher": f1}
        )  # fmt: skip
    trial.write("progress.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode())


def write_dataset(path: Path, truth: Reference, features: Features = FEATURES, source="{}") -> str:
    """The set as a finished data set of one shard."""
    random = np.random.default_rng(0)
    rows, events = [], truth.events
    for n, name in enumerate(truth.filenames):
        own = np.flatnonzero(events.clip_E == n)
        found = tuple(
            Event(
                float(events.onset_E[e]),
                float(events.offset_E[e]),
                truth.classes[events.label_E[e]],
            )
            for e in own
        )
        waveform_T = random.uniform(-0.5, 0.5, features.n_samples).astype(np.float32)
        clip = Clip(name, waveform_T, 10.0, found, tuple({e.event_label for e in found}), source)
        mel_TF = random.uniform(0, 5, (features.n_frames, features.n_mels)).astype(np.float32)
        rows.append((clip, mel_TF))
    return write_rows(Folder(str(path)), rows, features, truth.classes, subset="validation")
