"""One rank of a trial, or a reader of its features, in a process without Ray; `benchmarks.tune` compares with
it.

`train JOB.json RANK ADDRESS` prints the seconds between the ends of epochs, `hold CACHE URL` the memory that
the mapped features took, in kB, and stays until its input ends. Each prints one line of JSON.
"""

import json
import sys
import time
from pathlib import Path

import torch

from raysed.config.reader import validate
from raysed.config.trial import Trial
from raysed.data.features.store import open_dataset
from raysed.storage.folder import Folder
from raysed.training.ranks import Ranks, process_group
from raysed.training.train import train


def run_rank(job_file: str, rank: str, address: str) -> list[float]:
    """Train as the job says; return the seconds from one report to the next, minus the epoch's own."""
    job = json.loads(Path(job_file).read_text())
    torch.set_num_threads(job["threads"])
    ranks, ends, own = Ranks(int(rank), job["workers"]), [], []
    sets = {name: open_dataset(url, job["cache"]) for name, url in job["sets"].items()}

    def report(metrics: dict) -> None:
        ends.append(time.perf_counter())
        own.append(metrics["seconds"])

    with process_group(ranks, address):
        trial = validate(job["trial"], Trial, source="job")
        train(trial, sets, Folder(job["out"]), seed=job["seed"], ranks=ranks, report=report)
    spans = [(b - a) - (d - c) for a, b, c, d in zip(ends, ends[1:], own, own[1:], strict=False)]
    return spans


def memory_kb() -> dict[str, int]:
    """Return resident, proportional and private memory of this process."""
    fields = dict(
        line.split(":", 1) for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    )
    kb = {key: int(value.split()[0]) for key, value in fields.items()}
    return {
        "rss": kb["Rss"],
        "pss": kb["Pss"],
        "private": kb["Private_Clean"] + kb["Private_Dirty"],
        "anonymous": kb["Anonymous"],
    }


def hold(cache: str, url: str) -> None:
    """Map and read every mel; print the growth of this process once all such processes have read theirs."""
    before = memory_kb()
    features = open_dataset(url, cache)
    total = sum(float(mel_TF.sum(dtype="float64")) for mel_TF in features.mels)
    print(json.dumps({"total": total}), flush=True)
    sys.stdin.readline()
    after = memory_kb()
    print(json.dumps({key: after[key] - before[key] for key in after}), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    if sys.argv[1] == "train":
        print(json.dumps(run_rank(*sys.argv[2:])))
    else:
        hold(*sys.argv[2:])
