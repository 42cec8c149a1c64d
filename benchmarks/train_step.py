"""`python -m benchmarks.train_step`: our training step against the plain eager one, paired on one core.

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
from benchmarks.plain_step import PlainStep
from benchmarks.step_parts import breakdown, floors, stream_gb_s
from raysed.config.data_job import Features
from raysed.config.trial import Model, Shares, Trial, TrialData
from raysed.model.cpu.bfloat16 import products_type
from raysed.training.mean_teacher import MeanTeacher, StepValues, Targets

CLASSES = tuple(f"class{k}" for k in range(10))
VALUES = StepValues(learning_rate=1e-3, consistency_weight=1.0, ema_decay=0.99)


def trial_of(shares: Shares, **change: object) -> Trial:
    """Return the published trial with these shares."""
    data = TrialData(synthetic="s", unlabelled="u", weak="w", xvalid=("s",), evaluation=("s",))
    return Trial(data=data, shares=shares, **change)  # type: ignore[arg-type]


def inputs(
    shares: Shares, features: Features | None = None, time_pooling: int = 4
) -> tuple[torch.Tensor, torch.Tensor, Targets]:
    """Return normalised log-mels of noise, and labels of 10 classes."""
    features = features or Features()
    n_frames, n_mels = features.n_frames, features.n_mels
    generator = torch.Generator().manual_seed(0)
    student = torch.randn(shares.total, n_frames, n_mels, generator=generator)
    strong = torch.rand(shares.synthetic, n_frames // time_pooling, 10, generator=generator)
    strong = (strong > 0.9).float()
    weak = (torch.rand(shares.weak, 10, generator=generator) > 0.8).float()
    return student, student + 0.1, Targets(strong, weak, shares)


def loss_error(shares: Shares, precision: str) -> float:
    """Return the largest relative difference of the losses of one step without dropout."""
    trial = trial_of(shares, model=Model(dropout=0.0), precision=precision)
    ours, theirs = MeanTeacher(trial, 10, 0), PlainStep(trial, 10)
    theirs.student.load_state_dict(ours.student.state_dict())
    theirs.teacher.load_state_dict(ours.teacher.state_dict())
    student, teacher, targets = inputs(shares)
    found = ours.step(student, teacher, targets, VALUES)
    theirs.step(student, teacher, targets.strong_SUK, targets.weak_WK)
    expected = np.array([theirs.meters[-1], *theirs.meters[:-1]])
    return float(np.abs(found.numpy() / expected - 1).max())


def step_row(shares: Shares, precision: str, pairs: int, floor_s: float) -> Row:
    """Compare our step with the plain one; `floor_s` is the sum of its parts' floors."""
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
        floor_s=floor_s,
    )


def parts_of_step(shares: Shares, gflops: float, gb_s: float) -> list[dict[str, Any]]:
    """Print and return the float32 step's parts beside their floors."""
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


def floor_of(shares: Shares, precision: str, matmul: dict[str, float], gb_s: float) -> float:
    """Return the least seconds of a step in a precision."""
    products = products_type(getattr(torch, precision), torch.float32)
    # Floors count float32 values: of half their size twice as many pass in a second.
    values = gb_s * torch.float32.itemsize / products.itemsize
    gflops = matmul[str(products).removeprefix("torch.")]
    return sum(floors(Model(), shares.total, gflops, values).values())


def main(
    pairs: Annotated[int, typer.Option(min=1, help="Pairs per row.")] = 5,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Measure, print, and optionally keep."""
    torch.set_num_threads(1)
    one_core()
    published, half = Shares(), Shares(synthetic=3, unlabelled=6, weak=3)
    matmul, gb_s = matmul_gflops(), round(stream_gb_s(), 1)
    rows = [
        step_row(shares, precision, pairs, floor_of(shares, precision, matmul, gb_s))
        for shares in (published, half)
        for precision in ("float32", "bfloat16")
    ]
    parts = {
        f"batch {shares.total}": parts_of_step(shares, matmul["float32"], gb_s)
        for shares in (published, half)
    }
    print(f"one core's matrix product: {matmul} GFLOP/s; its copies: {gb_s} GB/s")
    publish(
        document(
            "train_step",
            rows,
            matmul_gflops=matmul,
            stream_gb_s=gb_s,
            parts=parts,
        ),
        store,
    )


def matmul_gflops() -> dict[str, float]:
    """Measure what a core reaches on a 1024-square product in either precision, the ceiling of bfloat16's
    gain.
    """
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
