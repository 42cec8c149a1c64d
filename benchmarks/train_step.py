"""`python -m benchmarks.train_step`: our training step and loader against plain peers, paired on one core.

The full-size model at the published batch of 24 and at 12, float32 and bfloat16. Both sides take the same
inputs; without dropout their losses agree to 1e-5 (printed as the error). Then what the step consists of.
"""

from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.common import Row, cpu_seconds, document, one_core, paired, publish, row
from benchmarks.plain_loader import PlainLoader
from benchmarks.plain_step import PlainStep
from benchmarks.step_parts import breakdown, floors, stream_gb_s
from raysed.config.data_job import Features
from raysed.config.trial import Model, Schedule, Shares, Teacher, Trial, TrialData
from raysed.data.clip import Event
from raysed.data.folder import Folder
from raysed.data.store import FeatureSet
from raysed.training.inputs import Normaliser
from raysed.training.mean_teacher import MeanTeacher, StepValues, Targets
from raysed.training.ranks import ALONE
from raysed.training.trainer import Trainer

CLASSES = tuple(f"class{k}" for k in range(10))
VALUES = StepValues(learning_rate=1e-3, consistency_weight=1.0, ema_decay=0.99)


def trial_of(shares: Shares, **change: object) -> Trial:
    """The published trial with these shares."""
    data = TrialData(synthetic="s", unlabelled="u", weak="w", xvalid=("s",), evaluation=("s",))
    return Trial(data=data, shares=shares, **change)  # type: ignore[arg-type]


def inputs(shares: Shares) -> tuple[torch.Tensor, torch.Tensor, Targets]:
    """Normalised log-mels of noise, and labels."""
    generator = torch.Generator().manual_seed(0)
    student = torch.randn(shares.total, 628, 128, generator=generator)
    strong = (torch.rand(shares.synthetic, 157, 10, generator=generator) > 0.9).float()
    weak = (torch.rand(shares.weak, 10, generator=generator) > 0.8).float()
    return student, student + 0.1, Targets(strong, weak, shares)


def loss_error(shares: Shares, precision: str) -> float:
    """Largest relative difference of the losses of one step without dropout."""
    trial = trial_of(shares, model=Model(dropout=0.0), precision=precision)
    ours, theirs = MeanTeacher(trial, 10, 0), PlainStep(trial, 10)
    theirs.student.load_state_dict(ours.student.state_dict())
    theirs.teacher.load_state_dict(ours.teacher.state_dict())
    student, teacher, targets = inputs(shares)
    found = ours.step(student, teacher, targets, VALUES)
    theirs.step(student, teacher, targets.strong_SUK, targets.weak_WK)
    expected = np.array([theirs.meters[-1], *theirs.meters[:-1]])
    return float(np.abs(found.numpy() / expected - 1).max())


def step_row(shares: Shares, precision: str, pairs: int) -> Row:
    """Our step against the plain one."""
    trial = trial_of(shares, precision=precision)
    ours, theirs = MeanTeacher(trial, 10, 0), PlainStep(trial, 10)
    student, teacher, targets = inputs(shares)

    def our_step(_: int) -> None:
        ours.step(student, teacher, targets, VALUES)
        ours.update_teacher(VALUES.ema_decay)

    def their_step(_: int) -> None:
        theirs.step(student, teacher, targets.strong_SUK, targets.weak_WK)

    limit = "convolutions near the matrix product's speed (see the breakdown)"
    return row(
        f"step, batch {shares.total}, {precision}",
        "plain eager float32 step",
        paired(our_step, their_step, pairs=pairs),
        items=1,
        unit="steps/s",
        error=loss_error(shares, precision),
        limit=limit,
    )


def parts_of_step(shares: Shares, gflops: float, gb_s: float) -> list[dict[str, Any]]:
    """The float32 step's parts beside their floors, printed and returned."""
    trial = trial_of(shares)
    ours, (student, teacher, targets) = MeanTeacher(trial, 10, 0), inputs(shares)

    def step() -> None:
        ours.step(student, teacher, targets, VALUES)
        ours.update_teacher(VALUES.ema_decay)

    step()
    parts = breakdown(step, floors(trial.model, shares.total, gflops, gb_s))
    table = Table(f"part of a step, batch {shares.total}", "CPU s", "share", "floor s")
    for part in parts:
        floor = "" if part["floor_s"] is None else f"{part['floor_s']:.3f}"
        table.add_row(part["part"], f"{part['seconds']:.3f}", f"{part['share']:.1%}", floor)
    Console(width=150).print(table)
    return parts


def features_of(name: str, clips: int, strong: bool, weak: bool) -> FeatureSet:
    """Full-size features of noise in memory."""
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


def loader_row(pairs: int) -> tuple[Row, float]:
    """Our batches (log, noise at 30 dB, normalisation, labels) against the published per-item path.

    Also returns our seconds per batch.
    """
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
    made = row(
        "loader, batch 24, noise 30 dB",
        "published per-item path",
        times,
        items=24 * steps,
        unit="clips/s",
        error=error,
        limit="logarithm and Gaussian draws, both vectorised by torch",
    )
    return made, float(np.median(times[0])) / steps


def main(
    pairs: Annotated[int, typer.Option(help="Pairs per row.")] = 5,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Measure, print, and optionally keep."""
    torch.set_num_threads(1)
    one_core()
    published, half = Shares(), Shares(synthetic=3, unlabelled=6, weak=3)
    rows = [
        step_row(shares, precision, pairs)
        for shares in (published, half)
        for precision in ("float32", "bfloat16")
    ]
    loader, loader_s = loader_row(pairs)
    share = loader_s / (1 / rows[0].value)
    matmul, gb_s = matmul_gflops(), round(stream_gb_s(), 1)
    parts = {
        f"batch {shares.total}": parts_of_step(shares, matmul["float32"], gb_s)
        for shares in (published, half)
    }
    print(f"loader: {share:.1%} of the float32 step's time at batch 24")
    print(f"one core's matrix product: {matmul} GFLOP/s; its copies: {gb_s} GB/s")
    publish(
        document(
            "train_step",
            [*rows, loader],
            loader_share_of_step=round(share, 4),
            matmul_gflops=matmul,
            stream_gb_s=gb_s,
            parts=parts,
        ),
        store,
    )


def matmul_gflops() -> dict[str, float]:
    """What a core reaches on a 1024-square product in either precision: the ceiling of bfloat16's gain."""
    found = {}
    for dtype in (torch.float32, torch.bfloat16):
        a = torch.randn(1024, 1024).to(dtype)

        def product(_: int, a: torch.Tensor = a) -> None:
            for _ in range(20):
                a @ a

        product(0)
        fastest_s = min(cpu_seconds(product, n) for n in range(5))
        found[str(dtype).removeprefix("torch.")] = round(20 * 2 * 1024**3 / fastest_s / 1e9, 1)
    return found


if __name__ == "__main__":
    typer.run(main)
