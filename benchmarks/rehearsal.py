"""`python -m benchmarks.rehearsal`: one training of the paper at DESED's real size, from audio files to the report.

4,500 soundscapes asked for, 1,420 weak, 14,412 unlabelled, 1,168 validation and 692 evaluation clips of made-up sound
go through raysed's own commands on this machine; CPU seconds, bytes and peak memory of every stage and kind of process.
About half an hour of one core and 7 GB of disk; `--scale 0.01` for a look. Finished stages are kept in `--work`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from benchmarks.common import Row, document, idle_share, publish
from benchmarks.rehearsal_tables import seconds_of_an_epoch, stage_table
from benchmarks.rehearsal_tree import write_tree
from benchmarks.rehearsal_watch import watch
from raysed.config.space import read_space
from raysed.run.run_plan import PlannedSet, RunPlan
from raysed.run.trial_plan import plan_trials
from raysed.storage.folder import Folder

STAGES = {
    "soundscapes": ("train_pitch_dry", "xvalid_pitch_dry"),
    "labelled": ("weak", "weak_xvalid", "val", "eval"),
    "unlabelled": ("unlabelled",),
}
"""The sets that each `raysed data` builds; together they are SETS."""
ABLATION = Path(__file__).parents[1] / "tune_spaces" / "ablation.yaml"


class Rehearsal:
    """A rehearsal in a folder: results of finished stages are kept there, and these stages are not run again."""

    def __init__(self, root: Path, job: Path, steps: int | None) -> None:
        self.root, self.job, self.steps = root, job, steps
        self.environment = {
            **os.environ,
            "RAYSED_CACHE": str(root / "cache"),
            # Ray would make its workers wait for whatever else this machine does.
            "RAY_worker_niceness": "0",
        }

    def stage(self, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the results of a stage, from now or from an earlier run."""
        path = self.root / "stages" / f"{name}.json"
        if not path.is_file():
            path.parent.mkdir(exist_ok=True)
            idle, load = idle_share(1.0), os.getloadavg()[0]
            found = work() | {"idle_share_before": round(idle, 2), "load_average": round(load, 1)}
            path.write_text(json.dumps(found))
            print(f"{name}: {json.dumps(found)}", flush=True)
        return json.loads(path.read_text())

    def build(self, sets: tuple[str, ...]) -> dict[str, Any]:
        """Run `raysed data` on some sets of the job."""
        command = [sys.executable, "-m", "raysed.data", str(self.job), "--sets", ",".join(sets)]
        watched = watch([*command, "--json"], self.environment, "driver")
        built = json.loads(watched.output)["datasets"]
        folders = {one["name"]: Path(one["url"]) for one in built}
        # What an interrupted build had made before is not in these seconds.
        share = sum(one["shards_built"] for one in built) / sum(one["shards"] for one in built)
        return {
            "sets": {
                one["name"]: {k: one[k] for k in ("url", "clips", "dropped", "quarantined")}
                for one in built
            },
            "share_built": share,
            "bytes": sum(bytes_in(folder, ".parquet") for folder in folders.values()),
            "cpu_s": watched.cpu_s,
            "wall_s": watched.wall_s,
            "processes": watched.kinds(),
        }

    def trial_job(self, urls: dict[str, str]) -> Path:
        """Write the trial of the paper's base cell as a job of `benchmarks.rehearsal_trial`, and the run's
        plan.
        """
        space_file, run = self.root / "space.yaml", Folder(str(self.root / "run"))
        base = yaml.safe_load(ABLATION.read_text())["base"]
        base["schedule"] = {"epochs": 1} | ({"steps_per_epoch": self.steps} if self.steps else {})
        cell = {
            "id": "B",
            "table": "1",
            "column": "all three subsets",
            "xvalid": "xvalid_pitch_dry",
        }
        space = {
            "name": "rehearsal", "data_job": str(self.job), "run": run.url, "seeds": [0],
            "base": base, "cells": [cell],
        }  # fmt: skip
        space_file.write_text(yaml.safe_dump(space, sort_keys=False))
        resolved = read_space(space_file)
        (planned,) = plan_trials(resolved, run)
        sets = [PlannedSet(name=n, id=Path(url).name, url=url, clips=0) for n, url in urls.items()]
        RunPlan.of(resolved, sets, 1).write(run)
        trial = planned.training.trial
        job = {
            "sets": {name: urls[name] for name in trial.set_names()},
            "cache": self.environment["RAYSED_CACHE"],
            "trial": trial.model_dump(mode="json"),
            "out": planned.out.url,
        }
        path = self.root / "trial.json"
        path.write_text(json.dumps(job))
        return path

    def process(self, what: str, job: Path) -> dict[str, Any]:
        """Run one process of `benchmarks.rehearsal_trial` to its end."""
        command = [sys.executable, "-m", "benchmarks.rehearsal_trial", what, str(job)]
        watched = watch(command, self.environment, what)
        found = json.loads(watched.output.splitlines()[-1])
        return {"cpu_s": watched.cpu_s, "wall_s": watched.wall_s, **found}

    def convert(self, job: Path) -> dict[str, Any]:
        """Convert the data sets into the node's cache."""
        found = self.process("convert", job)
        return found | {"bytes": bytes_in(self.root / "cache", ".arrow")}

    def together(self, job: Path, count: int) -> dict[str, Any]:
        """Measure the memory of this many trials in mid-work at once, MB."""
        command = [sys.executable, "-m", "benchmarks.rehearsal_trial", "hold", str(job)]
        with held(command, self.environment, count) as trials:
            peaks = [json.loads(line_of(trial))["peak_rss_mb"] for trial in trials]
            for trial in trials:
                tell(trial)
            memory = [json.loads(line_of(trial)) for trial in trials]
        sums = {
            f"{key}_all": round(sum(m[key] for m in memory), 1) for key in ("pss", "mapped_pss")
        }
        means = {key: round(sum(m[key] for m in memory) / count, 1) for key in memory[0]}
        return {"trials": count, "peak_rss_mb": max(peaks), **means, **sums}

    def epoch(self, job: Path) -> dict[str, Any]:
        """Run the whole trial from its beginning."""
        shutil.rmtree(self.root / "run" / "trials", ignore_errors=True)
        return self.process("epoch", job)

    def report(self) -> dict[str, Any]:
        """Run `raysed report` on the run."""
        command = [sys.executable, "-m", "raysed.cli", "report", str(self.root / "run"), "--json"]
        watched = watch(command, self.environment, "report")
        return {
            "cpu_s": watched.cpu_s,
            "wall_s": watched.wall_s,
            "processes": watched.kinds(),
            "bytes": bytes_in(self.root / "run", ""),
        }


@contextmanager
def held(
    command: list[str], environment: dict[str, str], count: int
) -> Iterator[list[subprocess.Popen[str]]]:
    """Start this many processes of a command; at the end they are told to go on, and waited for."""
    pipe = subprocess.PIPE
    trials = [
        subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)
        for _ in range(count)
    ]
    try:
        yield trials
    finally:
        for trial in trials:
            trial.communicate("\n")


def line_of(trial: "subprocess.Popen[str]") -> str:
    """Return the next line that the process prints. Raises RuntimeError where it has died."""
    assert trial.stdout is not None
    line = trial.stdout.readline()
    if not line:
        raise RuntimeError(f"a trial ended with exit code {trial.wait()}")
    return line


def tell(trial: "subprocess.Popen[str]") -> None:
    """Let the process go on."""
    assert trial.stdin is not None
    trial.stdin.write("\n")
    trial.stdin.flush()


def bytes_in(folder: Path, ending: str) -> int:
    """Return the bytes of the files in a folder whose names end so."""
    return sum(p.stat().st_size for p in folder.rglob(f"*{ending}") if p.is_file())


def shared_row(alone: dict[str, Any], most: dict[str, Any]) -> Row:
    """Compare the memory that the features of one more trial take with that of all features."""
    ratio = round(alone["mapped_pss_all"] / most["mapped_pss_all"], 3)
    return Row(
        name=f"features of {most['trials']} trials on a node",
        reference="of one trial",
        ratio=ratio,
        ratio_min=ratio,
        ratio_max=ratio,
        n=1,
        unit="MB, once for all",
        value=most["mapped_pss_all"],
        reference_value=alone["mapped_pss_all"],
        error=0.0,
        limit="nothing: one memory map for all, 1 means flat",
    )


def rehearse(
    rehearsal: Rehearsal, builds: tuple[str, ...], at_once: tuple[int, ...]
) -> tuple[dict[str, Any], list[Row]]:
    """Run all stages, each at most once; with only some of the builds there is nothing to train on."""
    stage = rehearsal.stage
    found: dict[str, Any] = {
        name: stage(name, lambda sets=STAGES[name]: rehearsal.build(sets)) for name in builds
    }
    built = {set_name: about for name in builds for set_name, about in found[name]["sets"].items()}
    # Folders of this machine are nothing to publish.
    urls = {name: about.pop("url") for name, about in built.items()}
    if set(builds) != set(STAGES):
        return found, []
    job = rehearsal.trial_job(urls)
    found["cache"] = stage("cache", lambda: rehearsal.convert(job))
    found["trials"] = [
        stage(f"trials-{n}", lambda n=n: rehearsal.together(job, n)) for n in at_once
    ]
    found["epoch"] = stage("epoch", lambda: rehearsal.epoch(job))
    found["report"] = stage("report", rehearsal.report)
    found["seconds_of_an_epoch"] = seconds_of_an_epoch(found["epoch"], built)
    return found, [shared_row(found["trials"][0], found["trials"][-1])]


def main(
    scale: Annotated[float, typer.Option(min=0.001, max=1.0, help="Share of the clips.")] = 1.0,
    metadata: Annotated[
        Path | None, typer.Option(exists=True, help="DESED's annotations (default: made up).")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder of a rehearsal to go on with, kept at the end.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Of the epoch (default: all).")] = None,
    at_once: Annotated[str, typer.Option(help="Numbers of trials whose memory is read.")] = "1,2,4",
    build: Annotated[
        str, typer.Option(help="Stages to build; training follows where they are all there.")
    ] = ",".join(STAGES),
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Measure, print, and optionally keep."""
    if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", at_once):
        raise typer.BadParameter(f"--at-once {at_once}: expected numbers of trials, like 1,2,4")
    builds, counts = build.split(","), [int(n) for n in at_once.split(",")]
    if unknown := set(builds) - set(STAGES):
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(STAGES)}")
    root = (work or Path(tempfile.mkdtemp(prefix="raysed-rehearsal-"))).absolute()
    root.mkdir(parents=True, exist_ok=True)
    started = time.process_time()
    rehearsal = Rehearsal(root, write_tree(root, scale, metadata, distinct=256), steps)
    print(f"{root}: sounds written, {time.process_time() - started:.0f} s of CPU", flush=True)
    found, rows = rehearse(rehearsal, tuple(builds), tuple(counts))
    stage_table(found)
    if work is None:
        shutil.rmtree(root)
    publish(
        document(
            "rehearsal" if scale == 1 else f"rehearsal_scale_{scale:g}", rows,
            clock="CPU seconds of all processes; wall seconds where it says so", scale=scale, annotations="DESED's own" if metadata else "made up", **found,
        ),
        store,
    )  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
