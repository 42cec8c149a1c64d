"""The processes of a rehearsal that work on finished data sets; `benchmarks.rehearsal` starts them.

`convert JOB.json` makes the node's cache, `epoch JOB.json` trains an epoch and evaluates with a clock on each part,
`hold JOB.json` takes two steps, touches every feature and stays. Each prints lines of JSON.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.rehearsal_watch import mapped_mb
from raysed.config.reader import validate
from raysed.config.trial import Trial
from raysed.data.features.store import FeatureSet, open_dataset
from raysed.storage.folder import Folder
from raysed.training import train as train_module
from raysed.training import trainer as trainer_module
from raysed.training.mean_teacher import MeanTeacher
from raysed.training.ranks import ALONE
from raysed.training.trainer import Trainer

_PAGE_BYTES = 4096


class Meter:
    """Measures CPU and wall seconds inside some functions; the first call, which may compile, is kept apart."""

    def __init__(self) -> None:
        self.parts: dict[str, dict[str, float]] = {}

    def wrap(self, owner: Any, name: str, label: Callable[..., str] | None = None) -> None:
        """Put a measured function in place of an attribute; `label` names the part by its arguments."""
        function = getattr(owner, name)

        def measured(*arguments: Any, **options: Any) -> Any:
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                part = self.parts.setdefault(
                    label(*arguments) if label else name,
                    {"calls": 0, "cpu_s": 0.0, "wall_s": 0.0},
                )
                part.setdefault("first_cpu_s", time.process_time() - cpu_s)
                part.setdefault("first_at_cpu_s", time.process_time())
                part["calls"] += 1
                part["cpu_s"] += time.process_time() - cpu_s
                part["wall_s"] += time.perf_counter() - wall_s

        setattr(owner, name, measured)


def open_sets(job: dict[str, Any]) -> dict[str, FeatureSet]:
    """Open the data sets that the trial reads, from the node's cache."""
    return {name: open_dataset(url, job["cache"]) for name, url in job["sets"].items()}


def peak_mb() -> float:
    """Return the largest resident memory of this process so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1)


def convert(job: dict[str, Any]) -> dict[str, Any]:
    """Open all sets, which converts those that are not in the cache; then open them again, which maps."""
    started = (time.process_time(), time.perf_counter())
    sets = open_sets(job)
    middle = (time.process_time(), time.perf_counter())
    again = open_sets(job)
    end = (time.process_time(), time.perf_counter())
    assert again.keys() == sets.keys()
    return {
        "clips": {name: len(one) for name, one in sets.items()},
        "convert_cpu_s": middle[0] - started[0],
        "convert_wall_s": middle[1] - started[1],
        "map_cpu_s": end[0] - middle[0],
        "map_wall_s": end[1] - middle[1],
        "peak_rss_mb": peak_mb(),
    }


def epoch(job: dict[str, Any]) -> dict[str, Any]:
    """Train and evaluate the trial as `raysed tune` does, in this process alone, on one thread."""
    imported = time.process_time()
    meter = Meter()
    meter.wrap(MeanTeacher, "step")
    meter.wrap(Trainer, "resume", lambda *_: "normaliser")
    meter.wrap(Trainer, "_inputs", lambda *_: "inputs")
    meter.wrap(Trainer, "_train_epoch", lambda *_: "training")
    meter.wrap(Trainer, "run_epoch", lambda *_: "epoch")
    meter.wrap(Trainer, "_save", lambda *_: "checkpoint")
    meter.wrap(trainer_module, "score_set", lambda *_: "x-valid forward")
    meter.wrap(trainer_module, "strong_macro_f1", lambda *_: "x-valid F1")
    meter.wrap(train_module, "evaluate", lambda *_: "evaluation")
    meter.wrap(train_module, "score_set", lambda _, one, *__: f"forward {one.name}")
    by_clips = {}

    def statistics(scores: Any, *_: Any) -> str:
        return f"statistics {by_clips[len(scores.filenames)]}"

    meter.wrap(train_module, "statistics_of", statistics)
    sets = open_sets(job)
    opened = time.process_time()
    trial = validate(job["trial"], Trial, source="job")
    by_clips |= {len(sets[name]): name for name in trial.data.evaluation}
    result = train_module.train(trial, sets, Folder(job["out"]), seed=0)
    assert result is not None
    return {
        "imported_at_cpu_s": imported,
        "opened_at_cpu_s": opened,
        "first_batch_at_cpu_s": meter.parts["inputs"]["first_at_cpu_s"],
        "parts": meter.parts,
        "peak_rss_mb": peak_mb(),
        "cpu_s": time.process_time(),
    }


def hold(job: dict[str, Any]) -> None:
    """Be a trial in mid-work: say when it is, then which memory it holds, and end when told to."""
    sets = open_sets(job)
    for feature_set in sets.values():
        for mel_TF in feature_set.mels:
            mel_TF.reshape(-1).view(np.uint8)[::_PAGE_BYTES].max()
    trial = validate(job["trial"], Trial, source="job")
    trainer = Trainer(trial, sets, Folder(job["out"]), seed=0, device="cpu", ranks=ALONE)
    for step, batch in zip(range(2), trainer.source.epoch(0), strict=False):
        inputs = trainer._inputs(batch, step)
        trainer.networks.step(*inputs, trainer_module.step_values(trial, step, 236))
    print(json.dumps({"peak_rss_mb": peak_mb()}), flush=True)
    sys.stdin.readline()
    print(json.dumps(mapped_mb(".arrow")), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    torch.set_num_threads(1)
    what, job = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
    if what == "hold":
        hold(job)
    else:
        print(json.dumps({"convert": convert, "epoch": epoch}[what](job)))
