"""A command whose Ray dies under it ends by itself, with its code and a true status; SIGTERM and a second builder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from raysed.cli.entry import main
from tests.cluster.local_cluster import title_of
from tests.data.processes import signalled, workers
from tests.forked import ForkedCommand
from tests.paths import ROOT
from tests.tune.runs import epochs_of, start, status_of, wait_for
from tests.tune.tiny import space_content, write_space

pytestmark = [pytest.mark.ray, pytest.mark.slow]

HASTY = "from raysed import cluster_watch; cluster_watch._CONTROL_S = 3.0"
"""A command gives a control server half a minute, in which a thread of Ray's that hears nothing any more takes a whole core."""
STOPPED = "Data sets and runs keep what is finished: the same command goes on."


def kill_its(driver: subprocess.Popen | ForkedCommand, server: str) -> None:
    """Kill -9 the server of the Ray that a command has started."""
    children = Path(f"/proc/{driver.pid}/task/{driver.pid}/children").read_text().split()
    threads = Path(f"/proc/{driver.pid}/task").glob("*/children")
    children += [child for file in threads for child in file.read_text().split()]
    (found,) = {int(c) for c in children if Path(title_of(int(c)).split("\0")[0]).name == server}
    os.kill(found, signal.SIGKILL)


def start_long(tree: Path, name: str) -> tuple[ForkedCommand, Path]:
    """A run in the middle of a long trial, and its folder."""
    base = space_content(tree, tree / "job.yaml")["base"]
    base["schedule"] = {"epochs": 2000, "steps_per_epoch": 4, "ramp_epochs": 1}
    cells = [{"id": "all", "table": "1", "column": "all", "xvalid": "dry"}]
    space = write_space(tree, name, base=base, cells=cells, seeds=[0], contrasts=[])
    driver = start(space, HASTY)
    run = tree / name
    wait_for(lambda: any(epochs_of(trial) for trial in (run / "trials").glob("*")), driver)
    return driver, run


def assert_stopped(driver: ForkedCommand, run: Path) -> None:
    """It ends by itself, and says why."""
    _, said = driver.communicate(timeout=300)
    assert driver.returncode == 3, said
    assert "has not answered for" in said and STOPPED in said
    status = status_of(run)
    assert (status["state"], status["exit_code"]) == ("stopped", 3)
    assert "has not answered for" in status["reason"]


def test_runs_whose_rays_die(tree: Path) -> None:
    without_control, first = start_long(tree, "lost_gcs_server")
    # The trial would train on until the loss is told, for half a minute.
    held = workers("ray::ImplicitFunc")
    try:
        signalled(held, signal.SIGSTOP)
        kill_its(without_control, "gcs_server")
        without_node, second = start_long(tree, "lost_raylet")
        kill_its(without_node, "raylet")
        assert_stopped(without_node, second)
        assert_stopped(without_control, first)
    finally:
        signalled(held, signal.SIGKILL)


def test_a_signal_to_the_whole_group_is_an_interrupt_though_ray_dies_of_it(tree: Path) -> None:
    driver, run = start_long(tree, "group")
    os.killpg(driver.pid, signal.SIGTERM)
    _, said = driver.communicate(timeout=300)
    assert driver.returncode == 130, said
    assert "interrupted: the same command goes on" in said and "stopped" not in said
    status = status_of(run)
    assert (status["state"], status["exit_code"]) == ("interrupted", 130)


def build(path: Path) -> subprocess.Popen:
    """`raysed data` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "raysed.data", str(path)], cwd=ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def test_a_build_whose_ray_dies_one_that_is_terminated_and_a_second_one(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tree / "long"
    job = yaml.safe_load((tree / "job.yaml").read_text())
    job |= {
        "out": str(out),
        "sets": {"long": {"kind": "synthetic", "split": "train", "count": 12_000}},
    }
    path = tree / "long.yaml"
    path.write_text(yaml.safe_dump(job))

    first = build(path)
    wait_for(lambda: bool(list(out.glob("*/shard-*"))), first)
    # It holds still until the second one has looked.
    first.send_signal(signal.SIGSTOP)
    monkeypatch.setattr(sys, "argv", ["raysed", str(path)])
    with pytest.raises(SystemExit) as refused:
        main("data")
    first.send_signal(signal.SIGCONT)
    said = capsys.readouterr().err
    assert refused.value.code == 2, said
    assert f"another command builds this data set now: process {first.pid} on " in said
    # As `timeout` and batch systems do: Ray gets it too.
    os.killpg(first.pid, signal.SIGTERM)
    _, said = first.communicate(timeout=300)
    assert first.returncode == 130, said
    assert "interrupted: finished shards are kept, the same command goes on" in said
    assert not list(out.glob(".*.lock"))

    kept = len(list(out.glob("*/shard-*")))
    third = build(path)
    wait_for(lambda: len(list(out.glob("*/shard-*"))) > kept, third)
    kill_its(third, "raylet")
    _, said = third.communicate(timeout=300)
    assert third.returncode == 3, said
    assert STOPPED in said
