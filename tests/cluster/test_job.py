"""Jobs on a cluster of three nodes: the token of those that are submitted, and a node that dies under a trial."""

import json
import re
from pathlib import Path

import pytest

from raysed.report.report import write_report
from raysed.storage.folder import Folder
from tests.cluster.local_cluster import LocalCluster
from tests.tune.runs import assert_same_results, epochs_of, run, status_of, wait_for
from tests.tune.tiny import space_content, write_space

pytestmark = [pytest.mark.ray, pytest.mark.slow]

EPOCHS = 20
RANKS = ("ray::ImplicitFunc", "ray::_Rank.run")


def two_rank_space(tree: Path, name: str) -> Path:
    content = space_content(tree, tree / "job.yaml")
    base, cells = content["base"], content["cells"][:1]
    base["schedule"] = {"epochs": EPOCHS, "steps_per_epoch": 4, "ramp_epochs": 1}
    return write_space(
        tree, name, base=base, cells=cells, contrasts=[], resources={"workers": 2}, seeds=[0]
    )


def tables(run_folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run_folder / "tables").glob("*.csv")}


def under_way(run_folder: Path) -> dict[str, int]:
    """Unfinished trials with epochs behind them."""
    found = {trial: len(epochs_of(trial)) for trial in (run_folder / "trials").glob("*")}
    return {t.name: n for t, n in found.items() if n and not (t / "result.json").exists()}


def struck_node(cluster: LocalCluster, folder: Path) -> int | None:
    """A node beside the head that has a rank of the trial under way."""
    if not under_way(folder):
        return None
    return next((n for n in (1, 2) if any(cluster.working(n, title) for title in RANKS)), None)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"RAY_AUTH_TOKEN": "0" * 64}, "Invalid authentication token"),
        ({"RAY_AUTH_MODE": "disabled"}, "Missing authentication token"),
    ],
)
def test_nobody_submits_without_the_token(cluster: LocalCluster, environment, said):
    job = cluster.submit("python", "-c", "print('it ran')", **environment)
    output, _ = job.communicate(timeout=600)
    assert job.returncode == 1
    assert said in output and "RAY_AUTH_TOKEN" in output and "it ran" not in output


def test_a_node_dies_under_a_trial_of_two_ranks(cluster: LocalCluster, tree: Path, request):
    cluster.restore()
    space = two_rank_space(tree, "lost_node")
    folder = tree / "lost_node"
    # It joins: where code is sent, each node compiles the kernels anew, for 10 CPU seconds.
    job = cluster.join("-m", "raysed.tune", space)
    # As it was seen: a look later, the trial may be over.
    victims: list[int] = []

    def found() -> bool:
        victims[:] = [n for n in [struck_node(cluster, folder)] if n is not None]
        return bool(victims)

    wait_for(lambda: found() or job.poll() is not None)
    assert victims, job.communicate()[0]
    cluster.kill(victims[0])
    struck = under_way(folder)
    said, _ = job.communicate(timeout=1200)
    (tree / "job.txt").write_text(said)
    assert job.returncode == 0, said
    assert struck and all(0 < epochs < EPOCHS for epochs in struck.values())
    went_on = re.findall(r"its process died; another one goes on from epoch (\d+)", said)
    assert went_on and all(int(epoch) < EPOCHS for epoch in went_on), said
    status = status_of(folder)
    assert (status["state"], status["exit_code"]) == ("done", 0)
    for trial in (folder / "trials").iterdir():
        assert json.loads((trial / "result.json").read_text())["world"] == 2
        assert [line["epoch"] for line in epochs_of(trial)] == list(range(EPOCHS))

    # A second Ray only now: two of them starting at once is much for a small machine.
    request.getfixturevalue("ray_session")
    code, lines = run(two_rank_space(tree, "one_node"))
    assert code == 0, lines
    assert_same_results(folder, tree / "one_node")
    write_report(Folder(str(tree / "one_node")))
    assert tables(folder) == tables(tree / "one_node") != {}
