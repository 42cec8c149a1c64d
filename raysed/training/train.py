"""One trial, from features to stored per-clip statistics; no Ray inside.

What it leaves is told by raysed.run.folders.TrialFolder. The result is written last: where it is, the trial
is finished. A trial killed at any moment and called again goes on from its last checkpoint.
"""

import time
from collections.abc import Callable
from typing import Any

import torch

from raysed import __version__
from raysed.config.trial import Trial
from raysed.data.features.store import FeatureSet
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.model.macs import macs_of_10_s
from raysed.run.folders import (
    NOT_TRAINED,
    TrialFolder,
    best_checkpoint,
    scores_file,
    statistics_file,
)
from raysed.run.identity import check_identity, identity_of
from raysed.storage.folder import Folder
from raysed.training.checkpoint import load_predictor
from raysed.training.log import TrialLog, epoch_line, start_lines
from raysed.training.network_scores import score_set
from raysed.training.ranks import ALONE, Ranks
from raysed.training.scoring import (
    baseline_statistics,
    encode_scores,
    encode_statistics,
    reference_of,
    statistics_of,
)
from raysed.training.tensorboard import TensorBoard
from raysed.training.trainer import Trainer

EpochCallback = Callable[[dict[str, Any]], None]
CHECKPOINT_EVERY_S = 300.0
"""Seconds between checkpoints within an epoch; each epoch ends with one."""


def train(
    trial: Trial,
    sets: dict[str, FeatureSet],
    out: Folder,
    *,
    seed: int,
    device: str = "cpu",
    ranks: Ranks = ALONE,
    report: EpochCallback = lambda metrics: None,
    each_step: Callable[[], None] = lambda: None,
) -> dict[str, Any] | None:
    """Train, select and evaluate one trial; returns the content of its result (None on ranks > 0).

    `sets` holds every data set that the trial names; every rank calls this within its process group.
    `report` receives one dict per epoch on rank 0; `each_step` is called before every step, and what it raises ends
    the training there. Raises ValueError where `out` holds another trial, and for
    TF32 on a CPU; DivergedError where a loss is not finite.
    """
    trial = trial.on(device)
    own, identity = TrialFolder(out), identity_of(trial, sets, seed)
    if ranks.is_first:
        check_identity(own.config_path, own.config(), identity)
    if ranks.broadcast(b"finished" if ranks.is_first and own.finished else None):
        return own.result_as_json() if ranks.is_first else None
    if ranks.is_first:
        own.write_config({**identity, "raysed": __version__, "torch": torch.__version__})
    with TrialLog(out if ranks.is_first else None) as log:
        log.say(*start_lines(trial, sets, device, ranks.world))
        trainer = Trainer(trial, sets, out, seed=seed, device=device, ranks=ranks)
        trainer.each_step = each_step
        log.say(trainer.resume(), trainer.energy.line())
        board = TensorBoard(out if ranks.is_first else None, trainer.epoch)
        with trainer.energy.meter, board:
            while trainer.epoch < trial.schedule.epochs:
                metrics = trainer.run_epoch(CHECKPOINT_EVERY_S)
                if ranks.is_first:
                    log.say(epoch_line(metrics, trial.schedule.epochs, trainer.best))
                    board.write(metrics)
                    report(metrics)
            return _finish(trainer, log) if ranks.is_first else None


def _finish(trainer: Trainer, log: TrialLog) -> dict[str, Any]:
    """Evaluate what each x-valid set selected; write and return the result."""
    started = time.perf_counter()
    for xvalid, best in trainer.best.items():
        f1 = evaluate(trainer.trial, trainer.sets, trainer.out, xvalid, trainer.device)
        values = ", ".join(f"{name} {value:.4f}" for name, value in f1.items())
        log.say(f"event F1 of epoch {best['epoch'] + 1}, chosen by {xvalid}: {values}")
        if best["score"] == 0:
            log.say(f"{NOT_TRAINED} on {xvalid}{_by_loss(trainer.trial)}")
    result = {
        "selected": trainer.best,
        "epochs": trainer.epoch,
        "world": trainer.ranks.world,
        "train_seconds": trainer.seconds,
        "evaluation_seconds": time.perf_counter() - started,
        "loss_first": trainer.history[0]["loss"],
        "loss_last": trainer.history[-1]["loss"],
        "training_energy": trainer.energy.of_training().model_dump(),
        "evaluation_energy": trainer.energy.of_evaluation().model_dump(),
        "macs_10s": _macs(trainer, log),
    }
    if trainer.energy.meter.failed:
        log.say(trainer.energy.line())
    TrialFolder(trainer.out).write_result(result)
    log.say(f"finished after {trainer.seconds:.0f} s of training")
    return result


def _by_loss(trial: Trial) -> str:
    return "" if trial.selection.rule == "last" else "; the smallest loss on labels chose the epoch"


def _macs(trainer: Trainer, log: TrialLog) -> int | None:
    """Return the MACs of the model for 10 s of audio; None where they cannot be counted, which the log says."""
    try:
        model, features, encoder = trainer.trial.model, trainer.features, trainer.encoder
        return macs_of_10_s(model, features, len(trainer.classes), encoder)
    # A network of one's own may do what cannot be counted, or need longer clips; its training is done by now.
    except Exception as error:
        log.say(f"MACs are not counted: {type(error).__name__}: {error}")
        return None


def evaluate(
    trial: Trial, sets: dict[str, FeatureSet], out: Folder, xvalid: str, device: str
) -> dict[str, float]:
    """Score the evaluation sets with the model that an x-valid set selected; store scores and statistics.

    The network that was not selected is scored beside it, under its own name. Returns the event F1 of
    the selected one on each set.
    """
    found = {}
    file = next(iter(sets.values())).encoder_file
    predictor = load_predictor(out, best_checkpoint(xvalid), file)
    normaliser = predictor.normaliser.to(device)
    selected = trial.selection.network
    for name in trial.data.evaluation:
        reference = reference_of(sets[name])
        for network in ("student", "teacher"):
            model = getattr(predictor, network).to(device)
            scores = score_set(model, sets[name], normaliser, trial)
            other = "" if network == selected else network
            out.write(scores_file(name, xvalid, other), encode_scores(scores))
            counts = statistics_of(scores, reference, trial.postprocessing)
            out.write(statistics_file(name, xvalid, other), encode_statistics(counts))
            if network != selected:
                continue
            found[name] = float(event_f1(counts)[0][0])
            baselines = baseline_statistics(scores, reference, trial.postprocessing)
            for baseline, counts in baselines.items():
                out.write(statistics_file(name, xvalid, baseline), encode_statistics(counts))
    return found
