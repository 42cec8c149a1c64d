"""`python -m benchmarks.loader`: batches of a training step against the published per-item path, paired on one core.

Ours: logarithm, teacher noise at 30 dB, normalisation and labels of a whole batch at once, from mapped features.
Both sides' inputs and labels agree (printed as the error; the noise is drawn anew). About a minute.
"""

from typing import Annotated

import numpy as np
import torch
import typer

from benchmarks.common import Row, document, least_s, one_core, paired, publish, row
from benchmarks.train_step import CLASSES, trial_of
from raysed.config.data_job import Features
from raysed.config.trial import Schedule, Shares, Teacher
from raysed.data.clip import Event
from raysed.data.features.store import FeatureSet
from raysed.storage.folder import Folder
from raysed.training.inputs import Normaliser
from raysed.training.ranks import ALONE
from raysed.training.trainer import Trainer


def features_of(name: str, clips: int, strong: bool, weak: bool) -> FeatureSet:
    """Return full-size features of noise in memory."""
    random, features = np.random.default_rng(len(name)), Features()
    mels = random.uniform(0, 5, (clips, features.n_frames, features.n_mels)).astype(np.float16)
    events = tuple(
        (Event(1.0, 3.0, CLASSES[n % 10]), Event(4.0, 9.0, CLASSES[n % 7])) for n in range(clips)
    )
    labels = tuple(tuple(dict.fromkeys(e.event_label for e in clip)) for clip in events)
    return FeatureSet(
        name=name,
        id=name,
        classes=CLASSES,
        features=features,
        filenames=tuple(f"{name}{n:03d}" for n in range(clips)),
        durations_s=np.full(clips, 10.0),
        frames=np.full(clips, features.n_frames, np.int32),
        events=events if strong else (None,) * clips,
        weak_labels=labels if weak else (None,) * clips,
        mels=tuple(mels),
    )


def loader_row(pairs: int) -> Row:
    """Compare our batches (log, noise at 30 dB, normalisation, labels) with the published per-item path."""
    # librosa is not on every machine that asks for features alone.
    from benchmarks.plain_loader import PlainLoader

    sets = {
        "s": features_of("s", 36, strong=True, weak=True),
        "u": features_of("u", 72, strong=False, weak=False),
        "w": features_of("w", 36, strong=False, weak=True),
    }
    trial = trial_of(Shares(), teacher=Teacher(snr_db=30.0), schedule=Schedule(epochs=1))
    trainer = Trainer(trial, sets, Folder("/nonexistent"), seed=0, device="cpu", ranks=ALONE)
    trainer.normaliser = Normaliser(torch.full((128,), 3.0), torch.full((128,), 7.0))
    steps = trainer.source.steps_per_epoch
    theirs = PlainLoader(trial, sets, trainer.normaliser)

    def our_epoch(epoch: int) -> None:
        for index, batch in enumerate(trainer.source.epoch(epoch)):
            trainer._inputs(batch, epoch * steps + index)

    def their_epoch(epoch: int) -> None:
        for batch in trainer.source.epoch(epoch):
            theirs.batch(batch.filenames)

    batch = next(trainer.source.epoch(0))
    student, _, targets = trainer._inputs(batch, 0)
    error = theirs.error(batch.filenames, student, targets)
    times = paired(our_epoch, their_epoch, pairs=pairs)
    batch_s = least_s(lambda _: log_and_draws(student.shape))
    return row(
        "loader, batch 24, noise 30 dB",
        "published per-item path",
        times,
        items=24 * steps,
        unit="clips/s",
        error=error,
        limit="logarithms of both inputs and the Gaussian draws, vectorised by torch",
        floor_s=batch_s * steps,
    )


def log_and_draws(shape: torch.Size) -> None:
    """Do the least that a batch needs: two logarithms and one draw of noise, in place."""
    values = torch.randn(shape)
    values.abs_().log10_()
    values.abs_().log10_()


def main(
    pairs: Annotated[int, typer.Option(min=1, help="Pairs.")] = 7,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Measure, print, and optionally keep."""
    torch.set_num_threads(1)
    one_core()
    made = loader_row(pairs)
    # Of the published batch of 24.
    publish(document("loader", [made], batch_ms=round(24e3 / made.value, 1)), store)


if __name__ == "__main__":
    typer.run(main)
