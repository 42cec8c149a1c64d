"""What ranks do as processes of their own, started by test_ddp.py."""

import itertools
import os
import time
from pathlib import Path

import torch

from raysed.config.augmentation import Augmentation
from raysed.config.optimiser import Optimiser
from raysed.config.trial import Consistency, Schedule, Teacher
from raysed.storage.folder import Folder
from raysed.training import train as training
from raysed.training.batches import BatchSource
from raysed.training.mean_teacher import MeanTeacher, Targets, step_values
from raysed.training.ranks import process_group
from raysed.training.train import train
from tests.training.hearing import encoder_config, heard_sets, tuning
from tests.training.tiny import sets, trial, with_waveforms

STEPS = 10


def ten_steps(ranks, out):
    """Ten steps in float64 without dropout; rank 0 stores the losses and the state."""
    config = trial(model=trial().model.model_copy(update={"dropout": 0.0}))
    torch.set_default_dtype(torch.float64)
    source = BatchSource(config, sets(), 0, ranks)
    networks = MeanTeacher(config, 2, 0, ranks=ranks)
    losses = []
    step = 0
    while step < STEPS:
        for batch in source.epoch(step // source.steps_per_epoch):
            mel_BTF = batch.mel_BTF.double().clamp_min(1e-5).log10()
            targets = Targets(
                torch.from_numpy(batch.strong_SUK).double(),
                torch.from_numpy(batch.weak_WK).double(),
                config.shares,
            )
            values = step_values(config, step, source.steps_per_epoch)
            terms = networks.step(mel_BTF, mel_BTF + 0.01, targets, values)
            networks.update_teacher(values.ema_decay)
            losses.append(terms.tolist())
            step += 1
    if ranks.is_first:
        torch.save({"losses": torch.tensor(losses), **networks.state()}, out)


def waveform_noise(ranks, out):
    """An epoch with noise on the waveform and without dropout, which each rank draws for itself."""
    config = trial(
        model=trial().model.model_copy(update={"dropout": 0.0}),
        teacher=Teacher(snr_db=5.0, noise_domain="waveform"),
        schedule=Schedule(epochs=1),
    )
    data = {name: with_waveforms(feature_set) for name, feature_set in sets().items()}
    train(config, data, Folder(str(out)), seed=7, ranks=ranks)


def tuned(ranks, out):
    """An epoch of a network whose encoder learns, without dropout; ranks hold the whole batch, since it is augmented."""
    config = tuning(
        3,
        schedule=Schedule(epochs=1),
        augmentation=Augmentation(filter_augment="linear"),
    )
    config = config.model_copy(update={"model": config.model.model_copy(update={"dropout": 0.0})})
    train(config, heard_sets(encoder_config("own", None)), Folder(str(out)), seed=7, ranks=ranks)


RECIPE = {
    "model": trial().model.model_copy(update={"dropout": 0.0}),
    "augmentation": Augmentation(
        time_shift_s=0.1,
        mixup="soft",
        mixup_probability=0.9,
        time_mask=(0.1, 0.3),
        filter_augment="linear",
    ),
    "optimiser": Optimiser(
        algorithm="adamw",
        learning_rate=1e-2,
        ramp=False,
        decay="cosine",
        weight_decay=0.1,
        clip_norm=0.1,
    ),
    "consistency": Consistency(class_weights={"Dog": 0.5}, ramp=False),
    "schedule": Schedule(epochs=2),
}
"""The recipe of 2021 to 2024, all of it at once, without dropout, which each rank draws for itself."""


def slow_train(ranks, out, pause_s, hold_at):
    """A trial that reports its steps to a file, slowly enough to be killed in mid-work.

    It stands still before step `hold_at` (counted from 1), so that no kill comes too late.
    """
    folder = Folder(str(out))
    step = MeanTeacher.step

    begun = itertools.count(1)

    def slow_step(self, *args):
        if next(begun) == hold_at:
            time.sleep(1000)
        terms = step(self, *args)
        time.sleep(pause_s)
        if ranks.is_first:
            with Path(out, "steps.txt").open("a") as file:
                file.write(f"{os.getpid()}\n")
        return terms

    MeanTeacher.step = slow_step  # type: ignore[assignment]
    training.CHECKPOINT_EVERY_S = 0.0
    train(trial(), sets(), folder, seed=7, ranks=ranks)


def recipe(ranks, out):
    train(trial(**RECIPE), sets(), Folder(str(out)), seed=7, ranks=ranks)


def bfloat16(ranks, out):
    train(trial(precision="bfloat16"), sets(), Folder(str(out)), seed=7, ranks=ranks)


def slow(ranks, out, pause_s, *hold_at):
    """`slow_train` with the step of each rank before which it stands still."""
    slow_train(ranks, out, pause_s, hold_at[ranks.rank])


def work(what, ranks, address, *arguments):
    """One of these functions as a rank of the process group at `address`."""
    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    with process_group(ranks, address):
        what(ranks, *arguments)
