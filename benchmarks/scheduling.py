"""`python -m benchmarks.scheduling`: the cost of many trials to the driver of a run, with trials that do
nothing.

The driver is the real one: Tune with the callbacks that keep the live table and status.json, and a process a
trial. A trial sleeps and reports its epochs, so that as many as asked for live at once, about 100 MB each,
and writes its result. GPUs are fake: Ray counts them and nobody uses them. As starting a process takes a
second of a core, `--reused` trials share processes, unlike a run: they show the driver without that. CPU
seconds are of the driver's process alone.
"""

import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import ray
import typer
from ray import tune

from benchmarks.common import document, idle_share, publish
from benchmarks.noise_set import write_set
from raysed.config.space import Training
from raysed.config.trial import Schedule, Shares, Trial, TrialData
from raysed.data.features.store import open_dataset
from raysed.local_ray import start_local
from raysed.run.folders import TrialFolder
from raysed.run.status import RunStatus
from raysed.run.trial_plan import TrialPlan
from raysed.storage.folder import Folder
from raysed.training.train import train
from raysed.tune.trial_progress import TrialProgress

DATA = TrialData(synthetic="s", unlabelled="s", weak="s", xvalid=("x",), evaluation=("x",))
TRIAL = Trial(data=DATA)
_EPOCHS = 5


@dataclass(frozen=True)
class Load:
    """The load that the driver is given."""

    trials: int
    at_once: int
    epochs: int
    lasts_s: float
    """Seconds of a trial, from its first line to its last."""
    reuse: bool


def fake_trial(config: dict[str, Any]) -> None:
    """Sleep, report all epochs, write a result; no work."""
    job = config["job"]
    for epoch in range(job["epochs"]):
        time.sleep(job["epoch_s"])
        metrics = {"epoch": epoch, "loss": 0.5, "xvalid_f1": {"x": 0.3}, "clips_per_s": 1.0}
        tune.report({**metrics, "sent": time.time()})
    Path(job["out"]).mkdir(parents=True)
    Path(job["out"], "result.json").write_text(json.dumps({"epochs": job["epochs"]}))


class Samples(tune.Callback):
    """Samples of the driver whenever a trial is over: CPU and wall seconds, resident memory, and the delay of
    each result.
    """

    def __init__(self) -> None:
        self.rows: list[tuple[float, float, float]] = []
        self.running: list[int] = []
        self.delays_s: list[float] = []

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def on_trial_result(
        self, iteration: int, trials: list, trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Tune's hook."""
        self.delays_s.append(time.time() - result["sent"])
        self.running.append(sum(t.status == "RUNNING" for t in trials))

    def on_trial_complete(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        """Tune's hook."""
        self.rows.append((time.process_time(), time.perf_counter(), resident_mb()))


def resident_mb() -> float:
    """Return the resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def schedule(root: Path, load: Load) -> dict[str, Any]:
    """Drive this many trials; return what they cost the driver."""
    run, samples, lines = Folder(str(root)), Samples(), []
    trial = TRIAL.model_copy(update={"schedule": Schedule(epochs=load.epochs)})
    training = Training("t", trial, {"c": ("x",)})
    seeds = range(load.trials)
    plans = [TrialPlan(training, seed, TrialFolder.of(run, "t", seed)) for seed in seeds]
    job = {"epochs": load.epochs, "epoch_s": load.lasts_s / load.epochs}
    configs = [{"name": p.name, "out": p.out.url, **job} for p in plans]
    bundle = tune.PlacementGroupFactory([{"CPU": 1.0, "GPU": 1.0}])
    before, started = (time.process_time(), resident_mb()), time.perf_counter()
    with RunStatus(run) as status, tempfile.TemporaryDirectory(prefix="raysed-tune-") as scratch:
        status.update("running")
        tune.Tuner(
            tune.with_resources(fake_trial, bundle),
            param_space={"job": tune.grid_search(configs)},
            tune_config=tune.TuneConfig(
                max_concurrent_trials=load.at_once, reuse_actors=load.reuse
            ),
            run_config=tune.RunConfig(
                name="scheduling",
                storage_path=scratch,
                callbacks=[TrialProgress(status, plans, lines.append), samples],
                verbose=0,
            ),
        ).fit()
        status.update("done", exit_code=0)
    assert all(plan.out.finished for plan in plans), "a trial was lost"
    assert len(samples.delays_s) >= load.trials * load.epochs == len(lines)
    return {
        "trials": load.trials,
        "at_once": max(samples.running),
        "at_once_median": median(samples.running),
        "reused_processes": load.reuse,
        "trial_lasts_s": load.lasts_s,
        "wall_s": round(time.perf_counter() - started, 1),
        "driver_cpu_s": round(time.process_time() - before[0], 2),
        "rss_mb_before": round(before[1], 1),
        **costs(samples, load.epochs),
    }


def costs(samples: Samples, epochs: int) -> dict[str, Any]:
    """Return medians per trial in the first and the last tenth, and memory as a line through all samples."""
    cpu, wall, rss = (np.array(column) for column in zip(*samples.rows, strict=True))
    tenth = max(len(cpu) // 10, 5)
    slope, _ = np.polyfit(np.arange(len(rss)), rss, 1)
    delays_ms = np.percentile(samples.delays_s, [50, 99]) * 1e3
    return {
        "cpu_ms_per_trial_first": round(1e3 * (cpu[tenth] - cpu[0]) / tenth, 1),
        "cpu_ms_per_trial_last": round(1e3 * (cpu[-1] - cpu[-1 - tenth]) / tenth, 1),
        "cpu_ms_per_trial_median": round(1e3 * median(np.diff(cpu).tolist()), 1),
        "result_rows_per_s": round(float(len(wall) * epochs / (wall[-1] - wall[0])), 1),
        "result_rows_per_cpu_s": round(float(len(cpu) * epochs / (cpu[-1] - cpu[0])), 1),
        "result_delay_ms_median": round(float(delays_ms[0]), 1),
        "result_delay_ms_99": round(float(delays_ms[1]), 1),
        "rss_mb_last": round(float(rss[-1]), 1),
        "rss_mb_most": round(float(rss.max()), 1),
        "rss_kb_per_trial": round(1e3 * float(slope), 1),
    }


def storage(root: Path, clips: int) -> dict[str, Any]:
    """Measure what a trial of the published size writes, and what converting a node's features costs."""
    urls = {
        "s": write_set(Folder(str(root / "s")), clips),
        "x": write_set(Folder(str(root / "x")), 8),
    }
    started = time.process_time()
    features = open_dataset(urls["s"], root / "cache")
    converted_s = time.process_time() - started
    sets = {"s": features, "x": open_dataset(urls["x"], root / "cache")}
    trial = TRIAL.model_copy(
        update={
            "schedule": Schedule(epochs=2, steps_per_epoch=1),
            "shares": Shares(synthetic=1, unlabelled=1, weak=1),
        }
    )
    written: list[tuple[str, int]] = []
    write = Folder.write

    def counted(folder: Folder, name: str, content: bytes) -> None:
        written.append((name, len(content)))
        write(folder, name, content)

    Folder.write = counted  # type: ignore[assignment]
    train(trial, sets, Folder(str(root / "out")), seed=0)
    Folder.write = write
    files = dict(written)
    return {
        "clips": clips,
        "stored_kb_per_clip": round(stored_bytes(Path(urls["s"])) / clips / 1e3, 1),
        "mapped_kb_per_clip": round(features.mels[0].nbytes / 1e3, 1),
        "convert_cpu_ms_per_clip": round(1e3 * converted_s / clips, 2),
        "last_mb": round(files["checkpoints/last.pt"] / 1e6, 2),
        "best_mb": round(files["checkpoints/best-x.pt"] / 1e6, 2),
        "scores_kb_per_clip": round(files["scores/x.x.arrow"] / 8e3, 2),
        "writes": {name: sum(n == name for n, _ in written) for name in files},
    }


def start_fake_gpus(count: int) -> None:
    """Start a local Ray that believes it has this many CPUs and GPUs."""
    # Its default, 15, starves the trials' processes beside other work of the machine.
    os.environ.setdefault("RAY_worker_niceness", "0")
    start_local(num_cpus=count, num_gpus=count, log_to_driver=False, object_store_memory=80_000_000)


def stored_bytes(folder: Path) -> int:
    """Return the bytes of a data set's shards."""
    return sum(path.stat().st_size for path in folder.glob("*.parquet"))


def main(
    trials: Annotated[int, typer.Option(help="Trials, a process each; 0: none.")] = 1000,
    at_once: Annotated[int, typer.Option(help="Fake GPUs; a process of about 100 MB each.")] = 64,
    lasts_s: Annotated[float, typer.Option(help="Such a trial, in seconds.")] = 100.0,
    reused: Annotated[int, typer.Option(help="Trials in processes used again; 0: none.")] = 1000,
    reused_lasts_s: Annotated[float, typer.Option(help="Such a trial, in seconds.")] = 20.0,
    clips: Annotated[int, typer.Option(help="Clips whose conversion is timed.")] = 1000,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Measure, print, and optionally keep."""
    idle, load = idle_share(), os.getloadavg()[0]
    found = {}
    with tempfile.TemporaryDirectory(prefix="raysed-bench-") as name:
        start_fake_gpus(at_once)
        loads = {
            "reused": Load(reused, at_once, _EPOCHS, reused_lasts_s, reuse=True),
            "fresh": Load(trials, at_once, _EPOCHS, lasts_s, reuse=False),
        }
        for way, given in loads.items():
            if not given.trials:
                continue
            found[way] = schedule(Path(name, way), given)
            print(f"{way}: {json.dumps(found[way])}", flush=True)
        ray.shutdown()
        # Last: what training leaves in memory is not the driver's.
        found["storage"] = storage(Path(name, "storage"), clips)
        print(f"storage: {json.dumps(found['storage'])}", flush=True)
    publish(
        document(
            "scheduling", [], clock="CPU seconds of the driver; wall seconds where it says so",
            idle_share_before=round(idle, 2), load_average=round(load, 1), **found,
        ),
        store,
    )  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
