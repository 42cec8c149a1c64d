"""The state of one trial while it trains: networks, position, history and the best epoch of each x-valid set.

Position, batch order, noise and dropout are functions of (seed, step), so `checkpoints/last.pt` needs no
generator state and a resumed trial ends with bitwise the weights of one that was never killed.
"""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from raysed.config.trial import Trial
from raysed.data.features.store import FeatureSet
from raysed.model.own_network import check_outputs
from raysed.run.folders import LAST, TrialFolder, best_checkpoint
from raysed.run.identity import check_identity, identity_of
from raysed.storage.folder import Folder
from raysed.training.batches import Batch, BatchSource
from raysed.training.checkpoint import (
    Predictor,
    parse_checkpoint,
    require,
    save_checkpoint,
    save_predictor,
)
from raysed.training.embedding_rows import standardise
from raysed.training.energy_meter import TrialEnergy
from raysed.training.inputs import Normaliser, fit_normaliser
from raysed.training.keys import seed_of
from raysed.training.mean_teacher import TERMS, MeanTeacher, Targets, labelled_loss, step_values
from raysed.training.network_scores import score_set
from raysed.training.precision import set_products
from raysed.training.ranks import Ranks
from raysed.training.scored_sets import check_scored_sets
from raysed.training.scoring import reference_of, strong_macro_f1, weak_macro_f1
from raysed.training.step_inputs import StepInputs
from raysed.training.tuned_network import encoder_opener, untuned

_STATE = {
    *("networks", "mean_F", "std_F", "losses_L5"),
    *("world", "epoch", "step_in_epoch", "best", "history", "seconds"),
}
"""The parts of a training state."""
_CHECK_STEPS = 50
"""The losses are read from the device once in this many steps, and at the end of an epoch."""


class DivergedError(RuntimeError):
    """A loss is not finite. The last good checkpoint is kept."""


class Trainer:
    """Trains one trial epoch by epoch; rank 0 scores, reports and writes."""

    def __init__(
        self,
        trial: Trial,
        sets: dict[str, FeatureSet],
        out: Folder,
        *,
        seed: int,
        device: str,
        ranks: Ranks,
    ) -> None:
        trial = trial.on(device)
        self.trial, self.sets, self.out, self.seed = trial, sets, out, seed
        self.device, self.ranks = device, ranks
        self.source = BatchSource(trial, sets, seed, ranks)
        first = next(iter(self.source.sets.values()))
        self.features, self.classes = first.features, first.classes
        self.encoder = first.encoder if trial.model.embedding is not None else None
        check_scored_sets(trial, sets, first)
        set_products(trial.precision, device)
        if device.startswith("cuda"):
            self.source.pinned = not self.source.make_resident(device)
        opener, count = encoder_opener(trial, first), len(self.classes)
        self.networks = MeanTeacher(trial, count, seed, device, ranks, opener)
        check_outputs(untuned(self.networks.student), trial.model, self.features, count)
        self.references = {name: reference_of(sets[name]) for name in trial.data.xvalid}
        self.inputs = StepInputs(trial, self.source, device)
        self.normaliser = Normaliser.identity(self.features.n_mels)
        self.epoch = self.step_in_epoch = 0
        self.losses_L5 = torch.zeros(self.source.steps_per_epoch, len(TERMS), device=device)
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, dict[str, Any]] = {}
        self.seconds = 0.0
        self.energy = TrialEnergy(device)
        self.saved, self.saved_once = time.monotonic(), False
        self.each_step: Callable[[], None] = lambda: None
        """Called before every step."""

    def resume(self) -> str:
        """Go on from the last checkpoint, if there is one; else fit the normaliser. Returns a phrase that
        says which.

        Raises ValueError where the checkpoint was made by another number of ranks.
        """
        content = self.ranks.broadcast(self.out.read(LAST) if self.ranks.is_first else None)
        if content is None:
            scaler = self.trial.data.scaler or self.trial.used_subsets().values()
            fitted_on = [self.sets[name] for name in scaler]
            self.normaliser = fit_normaliser(fitted_on).to(self.device)
            standardise([self.networks.student, self.networks.teacher], fitted_on)
            return "trains from the beginning"
        tensors, about = parse_checkpoint(content, f"{self.out.url}/{LAST}")
        require({**tensors, **about}, _STATE, about, f"{self.out.url}/{LAST}")
        identity = identity_of(self.trial, self.sets, self.seed)
        stored = {key: about.get(key) for key in identity}
        check_identity(f"{self.out.url}/{LAST}", stored, identity)
        if about["world"] != self.ranks.world:
            raise ValueError(
                f"{self.out.url}/{LAST} was made by {about['world']} ranks, this trial has"
                f" {self.ranks.world}: use as many workers, or another run folder"
            )
        self.normaliser = Normaliser(tensors["mean_F"], tensors["std_F"]).to(self.device)
        self.networks.load_state(tensors["networks"])
        self.losses_L5.copy_(tensors["losses_L5"])
        self.epoch, self.step_in_epoch = about["epoch"], about["step_in_epoch"]
        self.best, self.history, self.seconds = about["best"], about["history"], about["seconds"]
        self.energy.restore(about.get("energy_j"))
        if self.ranks.is_first:
            self._write_what_follows()
        return f"goes on from {LAST}: {self.epoch} epochs and {self.step_in_epoch} steps are done"

    def run_epoch(self, checkpoint_every_s: float) -> dict[str, Any]:
        """Train to the end of the epoch, score the x-valid sets, keep the best; returns the metrics."""
        started, first_step = time.perf_counter(), self.step_in_epoch
        self._train_epoch(checkpoint_every_s)
        steps = self.source.steps_per_epoch
        trained_s = time.perf_counter() - started
        step = (self.epoch + 1) * steps
        values = step_values(self.trial, step - 1, steps)
        metrics: dict[str, Any] = {
            "epoch": self.epoch,
            "step": step,
            **dict(zip(TERMS, self.losses_L5.double().mean(0).tolist(), strict=True)),
            "learning_rate": values.learning_rate,
            "consistency_weight": values.consistency_weight,
            "clips_per_s": (steps - first_step) * self.trial.shares.total / trained_s,
            "world": self.ranks.world,
        }
        if self.ranks.is_first:
            metrics |= self._score_xvalid(labelled_loss(metrics))
        metrics["train_s"], metrics["xvalid_s"] = (
            trained_s,
            time.perf_counter() - started - trained_s,
        )
        self.seconds += time.perf_counter() - started
        metrics["seconds"] = self.seconds
        self.energy.end_epoch(self.ranks)
        self.history.append(metrics)
        self.epoch, self.step_in_epoch = self.epoch + 1, 0
        self.losses_L5.zero_()
        if self.ranks.is_first:
            self._save()
        return metrics

    def _train_epoch(self, checkpoint_every_s: float) -> None:
        steps = self.source.steps_per_epoch
        for index, batch in enumerate(
            self.source.epoch(self.epoch, self.step_in_epoch), self.step_in_epoch
        ):
            self.each_step()
            step = self.epoch * steps + index
            values = step_values(self.trial, step, steps)
            seed = seed_of(self.seed, "dropout", step, self.ranks.rank)
            self.losses_L5[index] = self.networks.step(*self._inputs(batch, step), values, seed)
            if self.trial.teacher.ema_every == "step" or index == steps - 1:
                self.networks.update_teacher(values.ema_decay)
            self.step_in_epoch = index + 1
            if self.step_in_epoch % _CHECK_STEPS == 0 or self.step_in_epoch == steps:
                self._check_losses()
            due = time.monotonic() - self.saved > checkpoint_every_s
            if due and self.ranks.is_first and self.step_in_epoch < steps:
                self._check_losses()
                self._save()

    def _check_losses(self) -> None:
        """Raise DivergedError for the first step of this epoch that broke the loss or the weights."""
        bad = (~self.losses_L5.isfinite()).any(1).nonzero()
        weights = [p.isfinite().all() for p in self.networks.student.parameters()]
        if not len(bad) and bool(torch.stack(weights).all()):
            return
        index = int(bad[0]) if len(bad) else self.step_in_epoch - 1
        batch = next(iter(BatchSource(self.trial, self.sets, self.seed).epoch(self.epoch, index)))
        losses = dict(zip(TERMS, self.losses_L5[index].tolist(), strict=True))
        what = "loss is not finite" if len(bad) else "the update left weights that are not finite"
        kept = f"; {self.out.url}/{LAST} is kept" if self.history or self.saved_once else ""
        raise DivergedError(
            f"{what} at epoch {self.epoch}, step {index}: {losses};"
            f" clips: {', '.join(batch.filenames)}{kept}"
        )

    def _inputs(self, batch: Batch, step: int) -> tuple[torch.Tensor, torch.Tensor, Targets]:
        """Return student and teacher inputs and targets of this rank's clips, on the device."""
        return self.inputs(batch, step, self.normaliser)

    def _score_xvalid(self, loss: float) -> dict[str, Any]:
        """Return the macro-F1 of both networks on every x-valid set; the first maximum of each set marks its
        best epoch. Where all are 0 so far, nothing is to choose from but the loss on labels, `loss` in this epoch.
        """
        networks = {"student": self.networks.student, "teacher": self.networks.teacher}
        scored = {network: self._xvalid_f1(model) for network, model in networks.items()}
        weak = {network: self._weak_f1(model) for network, model in networks.items()}
        selected, rule = self.trial.selection.network, self.trial.selection.rule
        for name, f1 in scored[selected].items():
            score = f1 + weak[selected] if rule == "xvalid_f1_plus_weak" else f1
            best = self.best.get(name)
            better = best is None or score > best["score"]
            if best and score == best["score"] == 0:
                better = loss < labelled_loss(self.history[best["epoch"]])
            if better or rule == "last":
                self.best[name] = {"epoch": self.epoch, "xvalid_f1": f1, "score": score}
        metrics: dict[str, Any] = {"xvalid_f1": scored[selected]}
        metrics |= {f"xvalid_f1_{network}": f1 for network, f1 in scored.items()}
        if self.trial.data.weak_xvalid:
            metrics["weak_xvalid_f1"] = weak
        return metrics

    def _xvalid_f1(self, model: nn.Module) -> dict[str, float]:
        found = {}
        for name, reference in self.references.items():
            scores = score_set(model, self.sets[name], self.normaliser, self.trial)
            found[name] = strong_macro_f1(scores, reference, self.trial.postprocessing)
        return found

    def _weak_f1(self, model: nn.Module) -> float:
        """Return the clip-level macro-F1 on the weak x-valid set; 0 where the trial has none."""
        name = self.trial.data.weak_xvalid
        if name is None:
            return 0.0
        scores = score_set(model, self.sets[name], self.normaliser, self.trial)
        return weak_macro_f1(scores, self.sets[name], self.trial.postprocessing.threshold)

    def _save_best(self, xvalid: str, epoch: int) -> None:
        predictor = Predictor(
            student=self.networks.student,
            teacher=self.networks.teacher,
            normaliser=self.normaliser.to("cpu"),
            trial=self.trial,
            features=self.features,
            classes=self.classes,
            epoch=epoch,
            encoder=self.encoder,
        )
        save_predictor(self.out, best_checkpoint(xvalid), predictor)

    def _save(self) -> None:
        normaliser = self.normaliser.to("cpu")
        save_checkpoint(
            self.out,
            LAST,
            {
                "networks": self.networks.state(),
                "mean_F": normaliser.mean_F,
                "std_F": normaliser.std_F,
                "losses_L5": self.losses_L5,
            },
            {
                **identity_of(self.trial, self.sets, self.seed),
                "classes": list(self.classes),
                "features": self.features.model_dump(mode="json"),
                "world": self.ranks.world,
                "epoch": self.epoch,
                "step_in_epoch": self.step_in_epoch,
                "best": self.best,
                "history": self.history,
                "seconds": self.seconds,
                "energy_j": self.energy.as_json(),
            },
        )
        self._write_what_follows()
        self.saved, self.saved_once = time.monotonic(), True

    def _write_what_follows(self) -> None:
        """Write the files that follow from `last.pt`, after it and again on resuming: whatever a kill left
        undone is completed from the checkpoint's own weights and history.
        """
        if self.step_in_epoch == 0:
            for name, best in self.best.items():
                if best["epoch"] == self.epoch - 1:
                    self._save_best(name, best["epoch"])
        TrialFolder(self.out).write_epochs(self.history)
