"""`python -m benchmarks.tune`: the cost of running trials on Ray Tune, compared with the same in bare
processes.

Start-up per trial, also with two ranks; Ray's share of an epoch; an epoch's work besides the networks; memory
of trials that share a node's features. Trials are tiny where their start is measured, full-size where an
epoch is.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from ray import tune

from benchmarks.common import Row, document, idle_share, publish, row
from benchmarks.noise_set import write_set
from raysed.config.data_job import DataJob
from raysed.config.space import Cell, ResolvedSpace, Space, Training
from raysed.config.trial import Model, Schedule, Shares, Trial, TrialData
from raysed.config.trial_resources import Resources
from raysed.data.features.store import open_dataset
from raysed.ray_cluster import start_ray
from raysed.run.folders import TrialFolder
from raysed.run.trial_plan import TrialPlan
from raysed.storage.folder import Folder
from raysed.storage.node_cache import cache_dir
from raysed.training import trainer as trainer_module
from raysed.training.ranks import ALONE
from raysed.training.trainer import Trainer
from raysed.tune.run_space import fit

SMALL = Model(filters=(4, 4), pooling=((4, 16), (4, 8)), gru_units=4)
LIMIT = "imports of torch and Ray in every trial's process"


def trial_of(**change: object) -> Trial:
    """Return a trial on one set of noise."""
    data = TrialData(synthetic="s", unlabelled="s", weak="s", xvalid=("x",), evaluation=("x",))
    return Trial(data=data, **change)  # type: ignore[arg-type]


class Bench:
    """The same trials through Ray Tune and in bare processes, with new folders every time."""

    def __init__(self, root: Path, workers: int) -> None:
        self.root, self.workers, self.runs = root, workers, 0
        self.urls = {"s": str(root / "s"), "x": str(root / "x")}
        schedule = Schedule(epochs=3, steps_per_epoch=2)
        self.trial = trial_of(
            model=SMALL, schedule=schedule, shares=Shares(synthetic=2, unlabelled=2, weak=2)
        )
        self.spans: list[float] = []

    def tuned(self, count: int) -> float:
        """Return the seconds per trial of `count` trials, one after the other."""
        self.runs += 1
        training = Training("t", self.trial, {"c": ("x",)})
        space = Space(
            name="bench",
            data_job="-",
            run="-",
            seeds=(0,),
            base={},
            cells=(Cell(id="c", table="1", column="c", xvalid="x"),),
            resources=Resources(workers=self.workers),
        )
        resolved = ResolvedSpace(space, DataJob.model_construct(), (training,))
        run = Folder(str(self.root / f"tuned{self.runs}"))
        trials = [
            TrialPlan(training, seed, TrialFolder(run.child(f"{seed}"))) for seed in range(count)
        ]
        started = time.perf_counter()
        fit(resolved, trials, self.urls, [Spans(self.spans)], None, concurrent=1)
        assert all(trial.out.finished for trial in trials), "a trial failed"
        return (time.perf_counter() - started) / count

    def bare(self) -> tuple[float, list[float]]:
        """Return the seconds of the same trial in processes of its own, and its seconds between epochs."""
        self.runs += 1
        out = self.root / f"bare{self.runs}"
        job = {
            "out": str(out), "trial": self.trial.model_dump(mode="json"), "seed": 0,
            "sets": self.urls, "cache": cache_dir(), "workers": self.workers, "threads": 1,
        }  # fmt: skip
        path = self.root / f"job{self.runs}.json"
        path.write_text(json.dumps(job))
        command = [sys.executable, "-m", "benchmarks.bare_trial", "train", str(path)]
        started = time.perf_counter()
        ranks = [
            subprocess.Popen([*command, str(rank), f"file://{out}.ranks"], stdout=subprocess.PIPE)
            for rank in range(self.workers)
        ]
        said = [rank.communicate()[0] for rank in ranks]
        assert not any(rank.returncode for rank in ranks), "a bare rank failed"
        return time.perf_counter() - started, json.loads(said[0])

    def difference(self) -> float:
        """Return the largest difference of the losses that both ways reached with the same seed."""
        found = []
        for way in ("tuned", "bare"):
            path = next(self.root.glob(f"{way}*/**/result.json"))
            found.append(json.loads(path.read_text())["loss_last"])
        return abs(found[0] - found[1])


class Spans(tune.Callback):
    """Notes the seconds from report to report minus the epoch's own, which reporting and Tune take."""

    def __init__(self, spans: list[float]) -> None:
        self.spans, self.last = spans, {}

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def on_trial_result(
        self, iteration: int, trials: list, trial: Any, result: dict, **info: Any
    ) -> None:
        """Tune's hook."""
        own = result["seconds"]
        if result["epoch"]:
            self.spans.append(result["time_this_iter_s"] - (own - self.last[trial.trial_id]))
        self.last[trial.trial_id] = own


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, minimum, maximum and number."""
    found = {"median": median(values), "min": min(values), "max": max(values)}
    return {key: float(f"{value:.4g}") for key, value in found.items()} | {"n": len(values)}


def start_up(root: Path, workers: int, pairs: int) -> tuple[Row, dict[str, Any]]:
    """Compare a trial on Tune with the same one in bare processes."""
    bench, tuned, bare, spans = Bench(root / f"w{workers}", workers), [], [], []
    for name, clips in (("s", 24), ("x", 8)):
        open_dataset(write_set(Folder(bench.urls[name]), clips), cache_dir())
    bench.tuned(1)
    bench.spans.clear()
    for _ in range(pairs):
        tuned.append(bench.tuned(2))
        seconds, between = bench.bare()
        bare.append(seconds)
        spans += between
    name = f"trial of {workers} rank{'s' * (workers > 1)}"
    made = row(
        name, "bare processes", (tuned, bare), items=1, unit="trials/s",
        error=bench.difference(), limit=LIMIT,
    )  # fmt: skip
    return made, {
        "start_up_s": spread([a - b for a, b in zip(tuned, bare, strict=True)]),
        "tuned_s": spread(tuned),
        "bare_s": spread(bare),
        "between_epochs_tuned_s": spread(bench.spans),
        "between_epochs_bare_s": spread(spans),
    }


class Meter:
    """Measures CPU seconds inside some functions."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def wrap(self, name: str, function: Callable) -> Callable:
        """Return the function, measured under this name."""

        def measured(*arguments: Any, **options: Any) -> Any:
            started = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                taken = time.process_time() - started
                self.seconds[name] = self.seconds.get(name, 0.0) + taken

        return measured


def epoch_overhead(root: Path, steps: int) -> dict[str, Any]:
    """Return the shares of a full-size epoch's CPU seconds: 236 steps to 500 x-valid clips, one checkpoint."""
    clips = round(steps * 500 / 236)
    urls = {
        "s": write_set(Folder(str(root / "s")), 12 * steps),
        "x": write_set(Folder(str(root / "x")), clips),
    }
    sets = {name: open_dataset(url, cache_dir()) for name, url in urls.items()}
    trial = trial_of(schedule=Schedule(epochs=2, steps_per_epoch=steps))
    out = Folder(str(root / "out"))
    trainer = Trainer(trial, sets, out, seed=0, device="cpu", ranks=ALONE)
    trainer.resume()
    meter, networks = Meter(), trainer.networks
    networks.step = meter.wrap("step", networks.step)
    networks.optimiser.step = meter.wrap("optimiser", networks.optimiser.step)
    trainer_module.score_set = meter.wrap("xvalid_forward", trainer_module.score_set)
    trainer_module.strong_macro_f1 = meter.wrap("xvalid_f1", trainer_module.strong_macro_f1)
    trainer.run_epoch(300.0)
    meter.seconds.clear()
    started = time.process_time()
    trainer.run_epoch(300.0)
    whole, part = time.process_time() - started, meter.seconds
    training = part["step"] - part["optimiser"]
    besides = whole - part["xvalid_forward"]
    return {
        "steps": steps,
        "xvalid_clips": clips,
        "epoch_cpu_s": round(whole, 2),
        "overhead_share": round(1 - training / besides, 4),
        "optimiser_share": round(part["optimiser"] / besides, 4),
        "xvalid_forward_share": round(part["xvalid_forward"] / whole, 4),
        "xvalid_f1_share": round(part["xvalid_f1"] / whole, 4),
    }


def memory(root: Path, clips: int) -> dict[str, Any]:
    """Return the growth of 1, 2 and 4 processes that each read all features of a node's cache, MB."""
    url = write_set(Folder(str(root / "big")), clips)
    features = open_dataset(url, cache_dir())
    command = [sys.executable, "-m", "benchmarks.bare_trial", "hold", cache_dir(), url]
    found: dict[str, Any] = {"features_mb": round(sum(m.nbytes for m in features.mels) / 1e6, 1)}
    for count in (1, 2, 4):
        holders = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(count)
        ]
        for holder in holders:
            assert holder.stdout and json.loads(holder.stdout.readline())["total"]
        for holder in holders:
            assert holder.stdin
            holder.stdin.write("\n")
            holder.stdin.flush()
        grown = [json.loads(holder.stdout.readline()) for holder in holders if holder.stdout]
        for holder in holders:
            holder.communicate("\n")
        found[f"{count}_processes"] = {
            "node_mb": round(sum(g["pss"] for g in grown) / 1e3, 1),
            "anonymous_mb_each": spread([g["anonymous"] / 1e3 for g in grown]),
        }
    return found


def main(
    pairs: Annotated[int, typer.Option(min=1, help="Pairs per row.")] = 3,
    steps: Annotated[int, typer.Option(help="Steps of the full-size epoch.")] = 12,
    clips: Annotated[int, typer.Option(help="Clips of the shared features.")] = 1000,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Measure, print, and optionally keep."""
    idle, load = idle_share(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="raysed-bench-") as name:
        root = Path(name)
        os.environ["RAYSED_CACHE"] = str(root / "cache")
        about: dict[str, Any] = {}
        rows = []

        def note(name: str, found: Any) -> None:
            about[name] = found
            print(f"{name}: {json.dumps(found)}", flush=True)

        note("memory", memory(root, clips))
        note("epoch", epoch_overhead(root / "e", steps))
        started = time.perf_counter()
        start_ray()
        note("ray_start_s", round(time.perf_counter() - started, 2))
        for workers in (1, 2):
            made, costs = start_up(root, workers, pairs)
            rows.append(made)
            note(f"ranks_{workers}", costs)
    publish(
        document(
            "tune", rows, clock="wall seconds; the epoch's shares are CPU seconds",
            idle_share_before=round(idle, 2), load_average=round(load, 1), **about,
        ),
        store,
    )  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
