"""`python -m tests.cluster.rehearsal FOLDER`: the mini-DESED ablation by `ray job submit`, and a node dies in the middle.

Three nodes of one Ray, as processes on this machine: a head of 1 CPU, a node of 2, and one of 1 CPU with GPUs that nobody has.
They build the data sets from real recordings and train the ablation's 17 trainings, small ones, with 2 ranks each; once a
trial has a rank on a node beside the head, every process of that node gets kill -9. One undisturbed node then does the same
from the start: data sets, weights, scores and tables must be the same bytes. About 20 minutes on 2 cores.
"""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen

import yaml

from tests.cluster.local_cluster import LocalCluster
from tests.paths import MINI_DESED
from tests.tune.runs import assert_same_results, epochs_of, status_of

EPOCHS = 20
NODES = [["--num-cpus=1"], ["--num-cpus=2"], ["--num-cpus=1", "--num-gpus=2"]]
RANKS = ("ray::ImplicitFunc", "ray::_Rank.run")


def write_job(folder: Path) -> Path:
    """The data of docs/ablation.md with fewer soundscapes; DALI leaves the GPUs alone that are not there."""
    counts = {f"train_{kind}": 48 for kind in ("pitch_dry", "nopitch_dry", "pitch_rir")}
    counts |= {
        f"xvalid_{kind}": 16 for kind in ("pitch_dry", "nopitch_dry", "pitch_rir", "nopitch_rir")
    }
    job = yaml.safe_load(Path("data_jobs/mini_desed_reduced.yaml").read_text())
    for name, count in counts.items():
        job["sets"][name]["count"] = count
    mini = str(MINI_DESED)
    job |= {
        "out": str(folder / "data"),
        "roots": {
            "recorded": mini,
            "soundbank": f"{mini}/soundbank",
            "rir": f"{mini}/rir",
            "cooccurrences": f"{mini}/metadata/event_occurences",
        },
        "shard_clips": 12,
        "cluster": {"gpus_per_mel_actor": 0.0},
    }
    return write_yaml(folder / "job.yaml", job)


def write_space(folder: Path) -> Path:
    """The ablation of docs/ablation.md, one seed and few steps, two ranks a trial."""
    space = {
        "extends": "tune_spaces/mini_desed_ablation.yaml",
        "data_job": str(write_job(folder)),
        "run": str(folder / "run"),
        "seeds": [0],
        "resources": {"workers": 2, "cpus_per_worker": 1, "gpus_per_worker": 0},
        "base": {"schedule": {"epochs": EPOCHS, "steps_per_epoch": 4}},
    }
    return write_yaml(folder / "space.yaml", space)


def write_yaml(path: Path, content: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


@contextmanager
def submitted(cluster: LocalCluster, folder: Path) -> Iterator[Popen]:
    """The ablation as a job; what it says goes to FOLDER/job.txt, to be followed there."""
    space = write_space(folder)
    say(f"ray job submit --address {cluster.url} ... python -m raysed.tune {space}")
    with (folder / "job.txt").open("w") as output:
        job = cluster.submit("python", "-m", "raysed.tune", str(space), output=output)
        try:
            yield job
        finally:
            job.kill()


def strike(cluster: LocalCluster, job: Popen, run: Path) -> None:
    """Kill a node that has a rank of a trial with epochs behind it, in the middle of the ablation."""
    while not (struck := struck_at(cluster, run)):
        assert job.poll() is None, "the job ended before its middle"
        time.sleep(0.05)
    victim, ranks, epochs = struck
    cluster.kill(victim)
    assert under_way(run), "the trials were over just then"
    say(f"kill -9 of node {victim} with {ranks} ranks; epochs of the trials under way: {epochs}")


def struck_at(cluster: LocalCluster, run: Path) -> tuple[int, int, dict[str, int]] | None:
    """A node beside the head with its number of ranks, once all ranks there are belong to trials with epochs."""
    epochs = under_way(run)
    # A kill takes seconds, an epoch one: not so late that the trial is over before.
    early = epochs and all(n <= EPOCHS // 4 for n in epochs.values())
    if not early or len(list((run / "trials").glob("*/result.json"))) < 2:
        return None
    ranks = {n: sum(len(cluster.working(n, title)) for title in RANKS) for n in range(3)}
    victim = max((2, 1), key=lambda n: ranks[n])
    known = sum(ranks.values()) == 2 * len(epochs)
    return (victim, ranks[victim], epochs) if known and ranks[victim] else None


def under_way(run: Path) -> dict[str, int]:
    """Epochs of the trials that have some and are not over."""
    found = {trial: len(epochs_of(trial)) for trial in (run / "trials").glob("*")}
    return {
        t.name: n for t, n in found.items() if 0 < n < EPOCHS and not (t / "result.json").exists()
    }


def finish(job: Popen, folder: Path) -> None:
    assert job.wait(timeout=3600) == 0, said_by(folder)[-3000:]
    status = status_of(folder / "run")
    assert (status["state"], status["exit_code"]) == ("done", 0)
    say(f"the job ended with 0: {status['state']}, exit_code {status['exit_code']}")


def said_by(folder: Path) -> str:
    """The job's output."""
    return (folder / "job.txt").read_text()


def compare(ours: Path, undisturbed: Path) -> None:
    """Data sets and tables byte for byte, trials bit for bit."""
    for part, pattern in (("data", "*/*.parquet"), ("run/tables", "*")):
        names = sorted(
            str(p.relative_to(undisturbed / part)) for p in (undisturbed / part).glob(pattern)
        )
        assert names == sorted(str(p.relative_to(ours / part)) for p in (ours / part).glob(pattern))
        different = [
            name for name in names
            if (ours / part / name).read_bytes() != (undisturbed / part / name).read_bytes()
        ]  # fmt: skip
        assert names and not different, different
        say(f"{part}: {len(names)} files, the same bytes")
    assert_same_results(ours / "run", undisturbed / "run")
    say("trials: weights, scores, statistics and losses are the same bits")


def say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)


def main(folder: Path) -> None:
    lost, whole = folder / "lost_node", folder / "one_node"
    for each, nodes in ((lost, NODES), (whole, [["--num-cpus=2"]])):
        say(f"{len(nodes)} nodes: {nodes}")
        with LocalCluster(nodes, RAYSED_CACHE=str(each / "cache")) as cluster:
            say("they answer")
            with submitted(cluster, each) as job:
                if each is lost:
                    strike(cluster, job, each / "run")
                finish(job, each)
    went_on = re.findall(r"process died; another one goes on from epoch (\d+)", said_by(lost))
    assert any(0 < int(epoch) < EPOCHS for epoch in went_on), went_on
    compare(lost, whole)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
