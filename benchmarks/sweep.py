"""`python -m benchmarks.sweep`: the settings of a data job and a tune space that are fastest on this machine or cluster.

One setting after the other, each by short runs of the real thing in turns (benchmarks/halving.py); a value replaces
the default only where it is clearly faster. Data sets are built with Ray as a data job builds them, from the built-in
sounds or the job given; trials are as many processes as a node holds, each with the networks of the published system or
of the space given. Writes data_job.yaml and space.yaml, to paste from or to extend. Default: at most 8 minutes.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import ray
import typer
import yaml

from benchmarks.common import Row, document, publish, row
from benchmarks.halving import Axis, Rates, Value, search, winner
from benchmarks.sweep_data import built_in_job, clips_per_s, data_axes, nested, one_set
from benchmarks.sweep_trials import at_once, best_node, steps_per_s, trial_axes
from benchmarks.train_step import trial_of
from raysed.config.data_job import DataJob, Features
from raysed.config.reader import read_config
from raysed.config.space import read_space
from raysed.config.trial import Shares, Trial
from raysed.data.build.dataset_plan import plan
from raysed.ray_cluster import start_ray

SECONDS = 6.0
"""Seconds of a measurement, after the start-up."""
NOTES = {
    "mel": "part of a data set's identity: a change builds it anew",
    "shard_clips": "part of a data set's identity: a change builds it anew",
    "base.precision": "anything but float32 changes results",
}


@dataclass
class Search:
    """The axes measured so far, with what is left of the time."""

    ends: float
    """The end, on the clock of time.monotonic()."""
    unit: str
    measure: Callable[[dict[str, Value]], float]
    settings: dict[str, Value]
    """The best settings so far, by dotted keys."""
    rates: dict[str, Rates] = field(default_factory=dict)
    longest_s: float = 0.0
    """The longest time of one measurement."""

    def run(self, axes: list[Axis]) -> None:
        """Search the axes one by one, each with the best settings of those before it."""
        self.settings = {axis.key: axis.default for axis in axes} | self.settings
        for number, axis in enumerate(axes):
            if not axis.others:
                continue
            # What an axis leaves goes to those after it.
            share_ends = time.monotonic() + (self.ends - time.monotonic()) / (len(axes) - number)
            self.rates[axis.key] = search(
                axis,
                lambda value, key=axis.key: self.measured(key, value),
                lambda ends=share_ends: time.monotonic() + self.longest_s < ends,
            )
            self.settings[axis.key] = winner(self.rates[axis.key], axis.default)

    def measured(self, key: str, value: Value) -> float:
        """Measure the rate with this value, and print it on standard error."""
        started = time.monotonic()
        rate = self.measure({**self.settings, key: value})
        self.longest_s = max(self.longest_s, time.monotonic() - started)
        left_s = max(self.ends - time.monotonic(), 0)
        said = f"{rate:.4g} {self.unit}" if rate else "did not run"
        print(f"{key} = {shown(value)}: {said}, {left_s:.0f} s left", file=sys.stderr, flush=True)
        return rate


def shown(value: Value) -> str:
    """Return a value as YAML writes it."""
    return "null" if value is None else str(value)


def rows_of(found: Search, axes: list[Axis]) -> list[Row]:
    """Return a row for each value that ran, against its default in the same rounds."""
    rows = []
    for axis in axes:
        rates = found.rates.get(axis.key, {})
        for value in axis.others:
            pairs = list(zip(rates.get(value, []), rates.get(axis.default, []), strict=False))
            if not pairs or min(min(pair) for pair in pairs) <= 0:
                continue
            times = [1 / ours for ours, _ in pairs], [1 / default for _, default in pairs]
            chosen = " (chosen)" if found.settings[axis.key] == value else ""
            rows.append(
                row(
                    f"{axis.key} = {shown(value)}{chosen}",
                    f"{axis.key} = {shown(axis.default)}",
                    times,
                    items=1,
                    unit=found.unit,
                    error=0.0,
                    limit=NOTES.get(axis.key, "the machine's cores and what else they do"),
                )
            )
    return rows


def settings_yaml(found: Search, title: str) -> str:
    """Return the settings as a file that the configuration reader takes, with what was measured beside each."""
    lines = [f"# {title}"]
    for key, rates in found.rates.items():
        said = ", ".join(
            f"{shown(value)}: {median(r):.4g}" if r else f"{shown(value)}: not measured"
            for value, r in rates.items()
        )
        note = f" ({NOTES[key]})" if key in NOTES else ""
        lines.append(f"#   {key}, {found.unit}: {said}{note}")
    content = yaml.safe_dump(nested(found.settings), sort_keys=False)
    return "\n".join(lines) + "\n" + content


def sweep_data(
    job: DataJob, folder: Path, ends: float, seconds: float
) -> tuple[Search, list[Axis]]:
    """Return the fastest settings of a data job on the cluster that this process has joined."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    axes, runs = data_axes(nodes, job.shard_clips), 0

    def measure(settings: Mapping[str, Value]) -> float:
        nonlocal runs
        runs += 1
        tasks = settings.get("cluster.tasks_in_flight") or sum(n.get("CPU", 0) for n in nodes)
        out = folder / f"run{runs}"
        return clips_per_s(job, settings, out, in_flight=int(tasks), seconds=seconds)

    found = Search(ends, "raw clips/s", measure, {})
    print("starting Ray's processes, reading the sounds", file=sys.stderr, flush=True)
    measure({axis.key: axis.default for axis in axes})
    found.run(axes)
    return found, axes


def sweep_trials(
    trial: Trial, features: Features, ends: float, seconds: float
) -> tuple[Search, list[Axis]]:
    """Return the fastest settings of a trial on the best node of the cluster that this process has joined."""
    node = best_node([node for node in ray.nodes() if node["Alive"]])
    axes = trial_axes(node["Resources"])
    fixed: dict[str, Value] = {"resources.workers": 1, "resources.gpus_per_worker": 0.0}
    if any(axis.key == "resources.gpus_per_worker" for axis in axes):
        del fixed["resources.gpus_per_worker"]

    def measure(settings: Mapping[str, Value]) -> float:
        return steps_per_s(trial, features, settings, node, seconds)

    found = Search(ends, "steps/s of all trials of a node", measure, fixed)
    found.run(axes)
    count = at_once(found.settings, node["Resources"])
    print(f"{count} trial{'s' * (count != 1)} at once on a node", file=sys.stderr)
    return found, axes


def read_inputs(
    job: Path | None, space: Path | None, folder: Path
) -> tuple[DataJob, Trial, Features]:
    """Read what to measure with: the user's files, or the built-in sounds and the published trial."""
    trial, features = trial_of(Shares()), Features()
    if space is not None:
        resolved = read_space(space, unset=[])
        trial, features = resolved.trainings[0].trial, resolved.job.features
    chosen = one_set(read_config(job, DataJob)) if job is not None else built_in_job(folder)
    return chosen, trial, features


def main(
    job: Annotated[Path | None, typer.Option(help="A data job to measure with.")] = None,
    space: Annotated[
        Path | None, typer.Option(help="A tune space whose first training to measure with.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that receives the YAML files.")] = Path(
        "runs/sweep"
    ),
    minutes: Annotated[float, typer.Option(min=0.1, help="Time to spend, about.")] = 8.0,
    seconds: Annotated[
        float, typer.Option(min=0.1, help="Of one measurement, at least.")
    ] = SECONDS,
    scratch: Annotated[
        Path | None, typer.Option(help="Folder that all nodes see (default: a temporary one).")
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="Ray cluster to join (default: RAY_ADDRESS, else this machine)."),
    ] = None,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Measure, print, and write the settings."""
    if scratch is not None:
        Path(scratch).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="raysed-sweep-", dir=scratch) as name:
        try:
            chosen, trial, features = read_inputs(job, space, Path(name))
            plan(chosen)
            start_ray(address)
        except (ValueError, RuntimeError) as error:
            print(error, file=sys.stderr)
            raise typer.Exit(2) from error
        nodes = sum(node["Alive"] for node in ray.nodes())
        if nodes > 1 and scratch is None:
            raise typer.BadParameter(
                f"the cluster has {nodes} nodes: give a --scratch folder that all see"
            )
        started = time.monotonic()
        data, data_tried = sweep_data(chosen, Path(name), started + 30 * minutes, seconds)
        trials, trials_tried = sweep_trials(trial, features, started + 60 * minutes, seconds)
    finish(data, data_tried, trials, trials_tried, out=out, store=store)


def finish(
    data: Search,
    data_tried: list[Axis],
    trials: Search,
    trials_tried: list[Axis],
    *,
    out: Path,
    store: bool,
) -> None:
    """Write the two files, and print them, the table and the document."""
    out.mkdir(parents=True, exist_ok=True)
    texts = {
        "data_job.yaml": settings_yaml(
            data, "For a data job: what was fastest here (benchmarks.sweep)."
        ),
        "space.yaml": settings_yaml(
            trials, "For a tune space: what was fastest here (benchmarks.sweep)."
        ),
    }
    rows = rows_of(data, data_tried) + rows_of(trials, trials_tried)
    for name, text in texts.items():
        (out / name).write_text(text)
        print(f"{out / name}:\n{text}")
    resources: dict[str, Any] = dict(ray.cluster_resources())
    publish(
        document(
            "sweep",
            rows,
            clock="wall seconds",
            cluster={kind: resources.get(kind, 0) for kind in ("CPU", "GPU")},
            settings={"data_job": nested(data.settings), "space": nested(trials.settings)},
        ),
        store,
    )


if __name__ == "__main__":
    typer.run(main)
