"""`python -m benchmarks.ddp`: one rank against two (gloo, CPU, a thread each) on the same global batch.

The full-size model at the published batch of 24 and at 96, in turns, wall time. It also measures which part
of a two-rank step goes to synchronised batch statistics and to the all-reduce of gradients: by leaving either
out, in turns with the rest, and by timing the collectives. Two ranks on two cores that also do other work
wait at every synchronised layer for the slower core, so the gain printed here is a lower bound.
"""

import os
import sys
import time
from collections.abc import Sequence
from statistics import mean, median
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.common import Row, document, idle_share, publish, row
from benchmarks.team import N_CLASSES, Collectives, Step, Taken, Team
from benchmarks.train_step import trial_of
from raysed.config.trial import Model, Shares
from raysed.model.network import make_network

ALONE, TOGETHER = "1 rank", "2 ranks"
STEPS = {
    ALONE: Step(),
    TOGETHER: Step(),
    "own statistics": Step(statistics=False),
    "own gradients": Step(gradients=False),
}
"""The steps that take turns. The last two are steps of two ranks that leave out a part of the work, so their
results differ."""

Turn = dict[str, list[Taken]]
"""The report of every rank, by the names of STEPS."""


def compare(shares: Shares, pairs: int, model: Model) -> tuple[Row, dict[str, Any]]:
    """Return the row of one batch size, and the parts of the two ranks' time."""
    trial = trial_of(shares, model=model)
    with Team(trial, ("cpu",)) as alone, Team(trial, ("cpu", "cpu")) as together:
        error = loss_error(alone, together)
        turns: list[Turn] = []
        for pair in range(pairs):
            order = list(STEPS) if pair % 2 else list(reversed(STEPS))
            turn = {name: (alone if name == ALONE else together)(STEPS[name]) for name in order}
            turns.append(turn)
            seconds = ", ".join(f"{n} {walls([turn], n)[0]:.1f} s" for n in STEPS)
            print(f"batch {shares.total}, turn {pair + 1}/{pairs}: {seconds}", file=sys.stderr)
        size = sum(p.numel() for p in make_network(model, N_CLASSES).parameters())
        command = Collectives(size, turns[-1][TOGETHER][0].all_reduces)
        bare = [max(together(command)) for _ in range(5)]
    made = row(
        f"2 ranks, batch {shares.total}",
        ALONE,
        (walls(turns, TOGETHER), walls(turns, ALONE)),
        items=1,
        unit="steps/s",
        error=error,
        limit="the slower core: ranks wait for each other at every synchronised layer",
    )
    about = {"batch": shares.total, **costs(turns)}
    about["bare_gradients_s"] = spread([gradients for gradients, _ in bare])
    about["bare_statistics_s"] = spread([statistics for _, statistics in bare])
    return made, about


def loss_error(alone: Team, pair: Team) -> float:
    """Return the largest relative difference of the losses of one step without dropout."""
    expected, found = (team(Step(dropout=False))[0].losses for team in (alone, pair))
    return max(abs(a / b - 1) for a, b in zip(found, expected, strict=True))


def walls(turns: Sequence[Turn], name: str) -> list[float]:
    """Return the wall seconds of each step, those of the slowest rank."""
    return [max(taken.wall_s for taken in turn[name]) for turn in turns]


def costs(turns: Sequence[Turn]) -> dict[str, Any]:
    """Return seconds, shares of the two-rank step, CPU work and memory, each as the spread over the turns."""
    whole = walls(turns, TOGETHER)

    def share(name: str) -> dict[str, float]:
        return spread(
            [1 - part / all_ for part, all_ in zip(walls(turns, name), whole, strict=True)]
        )

    def cpu(turn: Turn, name: str) -> float:
        return sum(taken.cpu_s for taken in turn[name])

    waited = [mean(t.waited_s / t.wall_s for t in turn[TOGETHER]) for turn in turns]
    return {
        "all_reduces": {name: turns[-1][name][0].all_reduces for name in STEPS},
        "wall_s": {name: spread(walls(turns, name)) for name in STEPS},
        "statistics_share": share("own statistics"),
        "gradients_share": share("own gradients"),
        "in_statistics_collectives_share": spread(waited),
        "cpu_of_2_ranks_to_1": spread([cpu(t, TOGETHER) / cpu(t, ALONE) for t in turns]),
        "cpu_of_statistics_share": spread(
            [1 - cpu(t, "own statistics") / cpu(t, TOGETHER) for t in turns]
        ),
        "peak_rss_gb_each": {
            name: max(taken.peak_rss_gb for turn in turns for taken in turn[name])
            for name in (ALONE, TOGETHER)
        },
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, minimum, maximum and number of values."""
    found = {"median": median(values), "min": min(values), "max": max(values)}
    return {key: float(f"{value:.4g}") for key, value in found.items()} | {"n": len(values)}


def print_costs(shares: Sequence[dict[str, Any]]) -> None:
    """Print one column for each batch size: median, and minimum to maximum."""
    table = Table("two ranks", *(f"batch {about['batch']}" for about in shares))
    names = {
        "statistics_share": "wall less without synchronised statistics",
        "gradients_share": "wall less without the gradients' all-reduce",
        "in_statistics_collectives_share": "wall in the statistics' all-reduces, waiting included",
        "bare_statistics_s": "the same all-reduces by themselves, s",
        "bare_gradients_s": "gradients' all-reduce by itself, s",
        "cpu_of_statistics_share": "CPU less without synchronised statistics",
        "cpu_of_2_ranks_to_1": "CPU seconds of both ranks to one rank's",
    }
    for key, name in names.items():
        cells = (about[key] for about in shares)
        table.add_row(
            name, *(f"{c['median']:.3g} ({c['min']:.3g} to {c['max']:.3g})" for c in cells)
        )
    for name in (ALONE, TOGETHER):
        memory = (about["peak_rss_gb_each"][name] for about in shares)
        table.add_row(f"peak memory of each process, {name}, GB", *(str(m) for m in memory))
    Console(width=150).print(table)
    print("A lower bound: two ranks on two cores that others use wait for the slower one.")


def main(
    pairs: Annotated[int, typer.Option(min=1, help="Turns at batch 24.")] = 5,
    pairs_large: Annotated[
        int, typer.Option(min=0, help="Turns at batch 96; 0 leaves it out.")
    ] = 3,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Measure, print, and optionally keep."""
    sizes = [(Shares(), pairs), (Shares(synthetic=24, unlabelled=48, weak=24), pairs_large)]
    idle, started = idle_share(), time.perf_counter()
    found = [compare(shares, turns, Model()) for shares, turns in sizes if turns]
    about = [costs for _, costs in found]
    print_costs(about)
    publish(
        document(
            "ddp",
            [made for made, _ in found],
            clock="wall seconds, two cores, one thread a rank",
            lower_bound="two ranks on two cores that others use too",
            idle_share_before=round(idle, 2),
            load_average=round(os.getloadavg()[1], 1),
            seconds=round(time.perf_counter() - started),
            two_ranks=about,
        ),
        store,
    )


if __name__ == "__main__":
    typer.run(main)
