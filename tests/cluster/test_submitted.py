"""The README's own line, on a cluster that has the packages and not raysed: what is sent is all that runs."""

import os
import re
import shlex
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.local_cluster import LocalCluster, family, title_of
from tests.paths import ROOT
from tests.tune.runs import epochs_of, status_of, wait_for
from tests.tune.tiny import space_content, write_space

pytestmark = [pytest.mark.ray, pytest.mark.slow]

EPOCHS = 20
DRIVER = "python -m raysed.tune"


def printed_line() -> str:
    """The command of cluster/README.md."""
    text = (ROOT / "cluster" / "README.md").read_text()
    return re.search(r"^ +(ray job submit .*\\\n.*)$", text, re.MULTILINE)[1].replace("\\\n", "")


def submit(cluster: LocalCluster, space: Path, run: Path) -> subprocess.Popen:
    """Run the printed line with another address, space and run."""
    words = shlex.split(printed_line())
    assert " ".join(words[words.index("--") + 1 :]).startswith(
        f"{DRIVER} tune_spaces/ablation.yaml --run "
    )
    words[words.index("--address") + 1] = cluster.url
    words[words.index("raysed.tune") + 1] = str(space)
    words[words.index("--run") + 1] = str(run)
    cluster.wait_for_agent()
    return subprocess.Popen(
        words, cwd=ROOT, env=cluster.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def drivers(cluster: LocalCluster) -> list[int]:
    """Processes of the submitted command."""
    words = ["-m", "raysed.tune"]
    return [p for p in family(cluster.mark(0)) if title_of(p).split("\0")[1:3] == words]


def submitted_space(tree: Path) -> Path:
    """One trial on few sets. Code that is sent compiles its kernels anew, for tens of CPU seconds: this network has none."""
    job = yaml.safe_load((tree / "job.yaml").read_text())
    job["sets"] = {name: job["sets"][name] for name in ("dry", "weak", "validation")}
    job["out"] = str(tree / "submitted_data")
    (tree / "submitted_job.yaml").write_text(yaml.safe_dump(job))
    base: dict[str, Any] = space_content(tree, tree / "job.yaml")["base"]
    base["data"] = {"weak": "weak", "evaluation": ["validation"]}
    base["shares"] = {"synthetic": 0, "unlabelled": 0, "weak": 4}
    base["schedule"] = {"epochs": EPOCHS, "steps_per_epoch": 4, "ramp_epochs": 1}
    base["model"]["pool"] = "max"
    return write_space(
        tree, "submitted", base=base, data_job=str(tree / "submitted_job.yaml"), seeds=[0], contrasts=[],
        cells=[{"id": "all", "table": "1", "column": "all", "xvalid": "dry"}], metrics=["event_f1"],
    )  # fmt: skip


def test_the_environment_has_no_raysed(cluster: LocalCluster) -> None:
    code = "import importlib.util as u; assert u.find_spec('ray') and not u.find_spec('raysed')"
    subprocess.run(
        [cluster.bin / "python", "-c", code], cwd="/", env=cluster.environment, check=True
    )


def test_the_printed_line_runs_to_its_tables_killed_and_submitted_again(
    cluster: LocalCluster, tree: Path
) -> None:
    space = submitted_space(tree)
    run = tree / "elsewhere"
    job = submit(cluster, space, run)
    trials: list[Path] = []

    def is_under_way() -> bool:
        trials[:] = (run / "trials").glob("*")
        return bool(trials) and len(epochs_of(trials[0])) > 1

    wait_for(lambda: is_under_way() or job.poll() is not None)
    for process in drivers(cluster):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    said, _ = job.communicate(timeout=600)
    assert job.returncode == 1 and status_of(run)["state"] == "running", said
    then = epochs_of(trials[0])
    assert 1 < len(then) < EPOCHS and not (run / "tables").exists()

    again = submit(cluster, space, run)
    said, _ = again.communicate(timeout=1200)
    assert again.returncode == 0, said
    assert (status_of(run)["state"], status_of(run)["exit_code"]) == ("done", 0)
    assert epochs_of(trials[0])[: len(then)] == then and len(epochs_of(trials[0])) == EPOCHS
    assert yaml.safe_load(space.read_text())["run"] != str(run)
    assert list((run / "tables").glob("*.csv")) and (run / "report.html").exists()
