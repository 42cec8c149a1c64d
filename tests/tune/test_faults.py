"""Kill -9 of a trial, of a rank and of the driver, Ctrl-C, a second driver, a broken and a full storage.

Each strikes in mid-work; then the same command ends with bitwise the results of a run that nothing disturbed.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from raysed.cli.entry import main
from raysed.config.space import read_space
from tests.cluster.local_cluster import title_of
from tests.data.processes import kill_in_mid_work, workers
from tests.session_ray import joining
from tests.tune.runs import (
    Saboteur,
    assert_same_results,
    epochs_of,
    run,
    start,
    status_of,
    wait_for,
)
from tests.tune.tiny import space_content, write_space

pytestmark = [pytest.mark.ray, pytest.mark.slow]

EPOCHS = 20
TRIAL = "ray::ImplicitFunc"
"""The processes of trials, in the middle of an epoch or reporting one."""


def faults_space(
    tree: Path, name: str, *, cells: tuple[str, ...] = ("short", "long"), workers: int = 1
) -> Path:
    """Two trials: one of a single epoch, finished when the other, of many epochs, is disturbed."""
    base = space_content(tree, tree / "job.yaml")["base"]
    base["schedule"] = {"epochs": EPOCHS, "steps_per_epoch": 4, "ramp_epochs": 1}
    made = {
        "short": {"set": {"schedule": {"epochs": 1}}},
        "long": {"set": {}},
    }
    return write_space(
        tree,
        name,
        base=base,
        cells=[{"id": i, "table": "1", "column": i, "xvalid": "dry", **made[i]} for i in cells],
        seeds=[0],
        contrasts=[],
        resources={"workers": workers},
    )


def trial_of(space: Path, cell: str) -> Path:
    resolved = read_space(space)
    return Path(resolved.space.run, "trials", f"{resolved.training_of(cell).id}-seed0")


def is_under_way(space: Path, epochs: int) -> bool:
    """The short trial is finished and the long one has its first epochs."""
    short = trial_of(space, "short") / "result.json"
    return short.exists() and len(epochs_of(trial_of(space, "long"))) >= epochs


@pytest.fixture(scope="module")
def undisturbed(tree: Path, ray_session: None) -> Path:
    code, said = run(faults_space(tree, "undisturbed"))
    assert code == 0, said
    return tree / "undisturbed"


def test_kill_9_of_a_trial_and_a_storage_error_that_passes(undisturbed: Path, tree: Path) -> None:
    space = faults_space(tree, "killed_trial", cells=("long",))
    trial = trial_of(space, "long")

    def break_writes() -> None:
        # Its checkpoints cannot be written any more; the next process that tries has no such limit.
        wait_for(lambda: bool(workers(TRIAL)))
        for process in workers(TRIAL):
            resource.prlimit(process, resource.RLIMIT_FSIZE, (8000, 8000))

    killer = Saboteur(trial, 2, lambda: kill_in_mid_work(f"{TRIAL}.train", at=trial))
    breaker = Saboteur(trial, EPOCHS // 2, break_writes)
    code, said = run(space)
    for saboteur in (killer, breaker):
        saboteur.assert_mid_work(EPOCHS)
        assert epochs_of(trial)[: len(saboteur.then)] == saboteur.then, (
            "an epoch was lost or done again"
        )
    assert len(killer.then) < EPOCHS // 2, "the second fault struck the process of the first"
    assert code == 0
    died = "its process died; another one goes on from epoch"
    assert sum(died in line for line in said) == 2, said
    assert "File too large" in json.loads((trial / "failed.json").read_text())["before"]
    assert_same_results(tree / "killed_trial", undisturbed)


def test_kill_9_of_a_rank(tree: Path, ray_session: None) -> None:
    assert run(faults_space(tree, "two_ranks", cells=("long",), workers=2))[0] == 0
    space = faults_space(tree, "killed_rank", cells=("long",), workers=2)
    trial = trial_of(space, "long")
    saboteur = Saboteur(trial, 2, lambda: kill_in_mid_work("ray::_Rank.run"))
    code, said = run(space)
    saboteur.assert_mid_work(EPOCHS)
    assert code == 0
    assert any("its process died; another one goes on from epoch" in line for line in said)
    assert epochs_of(trial)[: len(saboteur.then)] == saboteur.then
    result = json.loads((trial / "result.json").read_text())
    assert (result["world"], result["epochs"]) == (2, EPOCHS)
    assert [line["epoch"] for line in epochs_of(trial)] == list(range(EPOCHS))
    assert_same_results(tree / "killed_rank", tree / "two_ranks")


def test_kill_9_of_the_driver_a_second_driver_and_ctrl_c(
    undisturbed: Path,
    tree: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    space = faults_space(tree, "killed_driver")
    folder, trial = tree / "killed_driver", trial_of(space, "long")
    # Not with Rays of their own: what dies with such a driver is seen in tests/test_local_ray.py.
    first = start(space, **joining())
    wait_for(lambda: is_under_way(space, 1), first)
    # It holds still until the second one has looked.
    first.send_signal(signal.SIGSTOP)
    before = status_of(folder)
    monkeypatch.setattr(sys, "argv", ["raysed", str(space)])
    with pytest.raises(SystemExit) as refused:
        main("tune")
    error = capsys.readouterr().err
    assert refused.value.code == 2
    assert f"another driver is at work on this run: process {first.pid} on " in error
    assert status_of(folder)["driver"] == before["driver"], "the refused one wrote into the run"
    trials = workers(TRIAL)
    first.kill()
    first.wait()
    # Its trials go a moment later; an epoch of then would be taken for the third one's.
    wait_for(lambda: not any(map(title_of, trials)))
    lines = epochs_of(trial)
    assert 1 <= len(lines) < EPOCHS and not (trial / "result.json").exists()
    assert status_of(folder)["state"] == "running"
    finished = {path: path.stat().st_mtime_ns for path in trial_of(space, "short").rglob("*.*")}
    third = start(space, **joining())
    wait_for(lambda: len(epochs_of(trial)) > len(lines), third)
    third.send_signal(signal.SIGINT)
    _, error = third.communicate(timeout=900)
    assert third.returncode == 130, error
    assert "interrupted: the same command goes on from here" in error
    assert (status_of(folder)["state"], status_of(folder)["exit_code"]) == ("interrupted", 130)
    interrupted = epochs_of(trial)
    assert len(lines) < len(interrupted) < EPOCHS and not (trial / "result.json").exists()
    assert run(space)[0] == 0
    assert epochs_of(trial)[: len(interrupted)] == interrupted
    assert finished == {path: path.stat().st_mtime_ns for path in finished}, (
        "finished, and run again"
    )
    assert_same_results(folder, undisturbed)


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 4 MB of its own."""
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)], check=False
        ).returncode
    ):
        pytest.skip("only root can mount a small disk")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_a_full_disk(undisturbed: Path, tree: Path, small_disk: Path) -> None:
    space = faults_space(tree, "full_disk", cells=("long",))
    space.write_text(space.read_text().replace(str(tree / "full_disk"), str(small_disk / "run")))
    trial, ballast = trial_of(space, "long"), small_disk / "ballast"
    over = threading.Event()

    def fill() -> None:
        with ballast.open("ab", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)):
                pass

    def keep_full() -> None:
        # The write that the first filling interrupted gives back what it had taken.
        while not over.wait(0.001):
            fill()

    filler = threading.Thread(target=keep_full, daemon=True)
    saboteur = Saboteur(trial, 2, lambda: (fill(), filler.start()))
    code, said = run(space)
    over.set()
    saboteur.assert_mid_work(EPOCHS)
    filler.join()
    assert code == 3
    assert any(line.startswith("failed: long seed 0") for line in said)
    ballast.unlink()
    kept = epochs_of(trial)
    assert kept[: len(saboteur.then)] == saboteur.then and len(kept) < EPOCHS
    assert run(space)[0] == 0
    assert epochs_of(trial)[: len(kept)] == kept
    assert_same_results(small_disk / "run", undisturbed)
