"""`python -m tests.cluster.cold_start FOLDER`: from nothing to the first training step of a submitted job, by phase.

Three nodes of one Ray as processes on this machine, the tests' tiny data and model, trials of 2 ranks. Wall seconds depend on
what else the machine does; CPU seconds, summed over all processes of the nodes and the client, do so less.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL

from tests.cluster.local_cluster import LocalCluster, family
from tests.tune.runs import epochs_of, status_of, wait_for
from tests.tune.tiny import space_content, write_space, write_tiny_tree

NODES = [["--num-cpus=1"], ["--num-cpus=1"], ["--num-cpus=1"]]


class Clock:
    """Wall and CPU seconds since the last phase."""

    def __init__(self, cluster: LocalCluster) -> None:
        self.cluster = cluster
        self.processes: list[int] = []
        """The client's, besides those of the nodes."""
        self.last = (time.perf_counter(), self.cpu_s())

    def cpu_s(self) -> float:
        """Of all processes there are, and of those that they or we have seen end."""
        marks = [self.cluster.mark(number) for number in range(len(self.cluster.flags))]
        alive = {p for mark in marks for p in family(mark)} | set(self.processes)
        return sum(map(process_s, alive)) + sum(os.times()[2:4])

    def phase(self, name: str) -> None:
        """Print what has passed."""
        now = (time.perf_counter(), self.cpu_s())
        wall_s, cpu_s = (after - before for after, before in zip(now, self.last, strict=True))
        self.last = now
        print(f"| {name} | {wall_s:.1f} | {cpu_s:.1f} |", flush=True)


def process_s(process: int) -> float:
    """CPU seconds of a process and of its children that ended; 0 where it is gone."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")


def main(folder: Path) -> None:
    """Start, submit, wait for the second epoch; everything is ended then."""
    write_tiny_tree(folder)
    base = space_content(folder, folder / "job.yaml")["base"]
    base["schedule"] = {"epochs": 400, "steps_per_epoch": 8, "ramp_epochs": 1}
    space = write_space(folder, "cold", base=base, resources={"workers": 2}, seeds=[0])
    run = folder / "cold"
    cluster = LocalCluster(NODES, RAYSED_CACHE=str(folder / "cache"))
    clock = Clock(cluster)
    with cluster:
        clock.phase("`ray start` of three nodes, the head with dashboard, until they answer")
        job = cluster.submit("python", "-m", "raysed.tune", str(space), output=DEVNULL)
        clock.processes.append(job.pid)

        def until(name: str, condition: Callable[[], bool]) -> None:
            wait_for(lambda: job.poll() is not None or condition())
            assert job.poll() is None, "the job ended"
            clock.phase(name)

        until(
            "packing and upload, Python and imports, until the first status",
            lambda: bool(status_of(run)),
        )
        until("joining Ray; building 6 small data sets", (run / "plan.json").exists)
        until(
            "Tune, placement group, processes of two ranks",
            lambda: any(run.glob("trials/*/config.json")),
        )
        for name, count in (
            ("cache mapped, process group; first epoch, 8 steps and scoring", 1),
            ("the second epoch", 2),
        ):
            until(name, lambda n=count: any(len(epochs_of(t)) >= n for t in run.glob("trials/*")))
        job.kill()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
