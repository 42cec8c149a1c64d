"""One trial, from features to stored per-clip statistics; no Ray inside.

    OUT/config.json  progress.jsonl  checkpoints/{last,best-<x-valid>}.pt
        scores/<set>.<x-valid>.arrow  statistics/<set>.<x-valid>.npz  result.json

`result.json` is written last: where it is, the trial is finished. A trial killed at any moment and
called again goes on from `checkpoints/last.pt` and ends with bitwise the same weights.
"""

import json
import math
import time
from collections.abc import Callable
from typing import Any

import torch

from raysed import __version__
from raysed.config.trial import Trial
from raysed.data.folder import Folder
from raysed.data.mel import log_mel_db_torch
from raysed.data.store import FeatureSet
from raysed.evaluation.events import Reference
from raysed.model.crnn import CRNN
from raysed.training.batches import Batch, BatchSource
from raysed.training.checkpoint import (
    Predictor,
    load_checkpoint,
    load_predictor,
    save_checkpoint,
    save_predictor,
)
from raysed.training.files import read_json, write_json
from raysed.training.inputs import Normaliser, fit_normaliser, teacher_noise
from raysed.training.keys import seed_of, torch_generator
from raysed.training.mean_teacher import MeanTeacher, Targets, step_values
from raysed.training.scoring import (
    baseline_statistics,
    encode_scores,
    encode_statistics,
    macro_f1,
    reference_of,
    score_set,
    statistics_of,
)

Report = Callable[[dict[str, Any]], None]


class DivergedError(RuntimeError):
    """A loss that is not finite. The last good checkpoint is kept."""


def train(
    trial: Trial,
    sets: dict[str, FeatureSet],
    out: Folder,
    *,
    seed: int,
    device: str = "cpu",
    report: Report = lambda metrics: None,
) -> dict[str, Any]:
    """Train, select and evaluate one trial; returns the content of `result.json`.

    `sets` holds every data set that the trial names. `report` receives one dict per epoch. Raises
    ValueError where `out` holds another trial, DivergedError where a loss is not finite.
    """
    if (finished := read_json(out, "result.json")) is not None:
        return finished
    _claim(out, trial, sets, seed)
    training = Training(trial, sets, out, seed=seed, device=device)
    training.resume()
    for epoch in range(training.epoch, trial.schedule.epochs):
        report(training.run_epoch(epoch))
    result = training.evaluate()
    write_json(out, "result.json", result)
    return result


def _claim(out: Folder, trial: Trial, sets: dict[str, FeatureSet], seed: int) -> None:
    """Write config.json, or refuse a folder that holds another trial."""
    config = {
        "trial": trial.model_dump(mode="json"),
        "seed": seed,
        "datasets": {name: feature_set.id for name, feature_set in sorted(sets.items())},
    }
    stored = read_json(out, "config.json")
    if stored is not None:
        differing = [key for key in config if stored.get(key) != config[key]]
        if differing:
            raise ValueError(
                f"{out.url}/config.json holds another trial: {', '.join(differing)} differ. Choose another run"
                " folder, or remove this one"
            )
    write_json(out, "config.json", {**config, "raysed": __version__, "torch": torch.__version__})


class Training:
    """The state of one trial: networks, position, history and best epochs."""

    def __init__(
        self, trial: Trial, sets: dict[str, FeatureSet], out: Folder, *, seed: int, device: str
    ) -> None:
        self.trial, self.sets, self.out, self.seed, self.device = trial, sets, out, seed, device
        self.source = BatchSource(trial, sets, seed)
        first = next(iter(self.source.sets.values()))
        self.features, self.classes = first.features, first.classes
        self._check_scored_sets()
        self.networks = MeanTeacher(trial, len(self.classes), seed, device)
        self.references: dict[str, Reference] = {
            x: reference_of(sets[x]) for x in trial.data.xvalid
        }
        self.normaliser: Normaliser | None = None
        self.epoch = 0
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, dict[str, Any]] = {}
        self.seconds = 0.0

    def _check_scored_sets(self) -> None:
        for name in (*self.trial.data.xvalid, *self.trial.data.evaluation):
            scored = self.sets[name]
            if (scored.classes, scored.features) != (self.classes, self.features):
                raise ValueError(
                    f"{name} has classes {list(scored.classes)} and {scored.features}; training has"
                    f" {list(self.classes)} and {self.features}"
                )

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one; else fit the normaliser."""
        last = load_checkpoint(self.out, "checkpoints/last.pt")
        if last is None:
            self.normaliser = fit_normaliser(list(self.source.sets.values())).to(self.device)
            return
        tensors, about = last
        self.normaliser = Normaliser(tensors["mean_F"], tensors["std_F"]).to(self.device)
        self.networks.load_state(tensors["networks"])
        self.epoch, self.best = about["epoch"], about["best"]
        self.history, self.seconds = about["history"], about["seconds"]

    def run_epoch(self, epoch: int) -> dict[str, Any]:
        """Train one epoch, score the x-valid sets, keep the best, checkpoint; returns the metrics."""
        started = time.perf_counter()
        sums = self._train_epoch(epoch)
        steps = self.source.steps_per_epoch
        trained_s = time.perf_counter() - started
        values = step_values(self.trial, (epoch + 1) * steps - 1, steps)
        metrics: dict[str, Any] = {
            "epoch": epoch,
            "step": (epoch + 1) * steps,
            **{name: total / steps for name, total in sums.items()},
            "learning_rate": values.learning_rate,
            "consistency_weight": values.consistency_weight,
            "clips_per_s": steps * self.trial.shares.total / trained_s,
            "xvalid_f1": self._score_xvalid(epoch),
        }
        self.seconds += time.perf_counter() - started
        metrics["seconds"] = self.seconds
        self.history.append(metrics)
        self.epoch = epoch + 1
        self._save()
        return metrics

    def _train_epoch(self, epoch: int) -> dict[str, float]:
        steps = self.source.steps_per_epoch
        sums: dict[str, float] = {}
        for index, batch in enumerate(self.source.epoch(epoch)):
            step = epoch * steps + index
            values = step_values(self.trial, step, steps)
            # Dropout draws from torch's global generator: keyed per step, so resuming needs no RNG state.
            torch.manual_seed(seed_of(self.seed, "dropout", step))
            terms = self.networks.step(*self._inputs(batch, step), values)
            if self.trial.teacher.ema_every == "step" or index == steps - 1:
                self.networks.update_teacher(values.ema_decay)
            for name, term in terms.items():
                sums[name] = sums.get(name, 0.0) + float(term)
            if not math.isfinite(float(terms["loss"])):
                losses = {name: float(term) for name, term in terms.items()}
                raise DivergedError(
                    f"loss is not finite at epoch {epoch}, step {step}: {losses};"
                    f" clips: {', '.join(batch.filenames)}; {self.out.url}/checkpoints/last.pt is kept"
                )
        return sums

    def _inputs(self, batch: Batch, step: int) -> tuple[torch.Tensor, torch.Tensor, Targets]:
        """Student and teacher inputs and targets of a batch, on the device."""
        assert self.normaliser is not None
        mel_BTF = torch.from_numpy(batch.mel_BTF).to(self.device).float()
        frames_B = torch.from_numpy(batch.frames_B).to(self.device)
        student_BTF = self.normaliser(log_mel_db_torch(mel_BTF, frames_B, self.features.floor_db))
        teacher_BTF = student_BTF
        if self.trial.teacher.snr_db is not None:
            generator = torch_generator(self.seed, "noise", step, device=self.device)
            noisy_BTF = teacher_noise(mel_BTF, frames_B, self.trial.teacher.snr_db, generator)
            teacher_BTF = self.normaliser(
                log_mel_db_torch(noisy_BTF, frames_B, self.features.floor_db)
            )
        targets = Targets(
            torch.from_numpy(batch.strong_SUK).to(self.device).float(),
            torch.from_numpy(batch.weak_WK).to(self.device).float(),
        )
        return student_BTF, teacher_BTF, targets

    def _selected(self) -> CRNN:
        is_teacher = self.trial.selection.network == "teacher"
        return self.networks.teacher if is_teacher else self.networks.student

    def _score_xvalid(self, epoch: int) -> dict[str, float]:
        """Macro-F1 on every x-valid set; the first maximum of each keeps its weights."""
        assert self.normaliser is not None
        model, scored = self._selected(), {}
        for name, reference in self.references.items():
            scores = score_set(model, self.sets[name], self.normaliser, self.trial)
            scored[name] = macro_f1(scores, reference, self.trial.postprocessing)
            better = name not in self.best or scored[name] > self.best[name]["xvalid_f1"]
            if better or self.trial.selection.rule == "last":
                self.best[name] = {"epoch": epoch, "xvalid_f1": scored[name]}
                self._save_best(name, epoch)
        return scored

    def _save_best(self, xvalid: str, epoch: int) -> None:
        assert self.normaliser is not None
        save_predictor(
            self.out,
            f"checkpoints/best-{xvalid}.pt",
            Predictor(
                self._selected(),
                self.normaliser.to("cpu"),
                self.trial,
                self.features,
                self.classes,
                epoch,
            ),
        )

    def _save(self) -> None:
        assert self.normaliser is not None
        normaliser = self.normaliser.to("cpu")
        save_checkpoint(
            self.out,
            "checkpoints/last.pt",
            {
                "networks": self.networks.state(),
                "mean_F": normaliser.mean_F,
                "std_F": normaliser.std_F,
            },
            {
                "epoch": self.epoch,
                "best": self.best,
                "history": self.history,
                "seconds": self.seconds,
            },
        )
        # Written whole from the checkpoint's own history, so that a resumed trial repeats no epoch.
        lines = "".join(json.dumps(line) + "\n" for line in self.history)
        self.out.write("progress.jsonl", lines.encode())

    def evaluate(self) -> dict[str, Any]:
        """Score the evaluation sets with the selected model of every x-valid set; store statistics."""
        started = time.perf_counter()
        for xvalid in self.trial.data.xvalid:
            predictor = load_predictor(self.out, f"checkpoints/best-{xvalid}.pt")
            for name in self.trial.data.evaluation:
                self._evaluate_set(name, xvalid, predictor)
        return {
            "selected": self.best,
            "epochs": self.epoch,
            "train_seconds": self.seconds,
            "evaluation_seconds": time.perf_counter() - started,
            "loss_first": self.history[0]["loss"],
            "loss_last": self.history[-1]["loss"],
        }

    def _evaluate_set(self, name: str, xvalid: str, predictor: Predictor) -> None:
        feature_set, postprocessing = self.sets[name], self.trial.postprocessing
        model, normaliser = predictor.model.to(self.device), predictor.normaliser.to(self.device)
        scores = score_set(model, feature_set, normaliser, self.trial)
        reference = reference_of(feature_set)
        found = {"": statistics_of(scores, reference, postprocessing)}
        for baseline, counts in baseline_statistics(scores, reference, postprocessing).items():
            found[f".{baseline}"] = counts
        self.out.write(f"scores/{name}.{xvalid}.arrow", encode_scores(scores))
        for suffix, statistics in found.items():
            path = f"statistics/{name}.{xvalid}{suffix}.npz"
            self.out.write(path, encode_statistics(statistics))
