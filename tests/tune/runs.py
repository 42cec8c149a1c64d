"""Running a space in tests, disturbing it in mid-work, and comparing what it leaves, bit by bit."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import torch

from raysed.config.space import read_space
from raysed.storage.folder import Folder
from raysed.training.checkpoint import load_checkpoint
from raysed.tune.run_space import run_space
from tests.forked import ForkedCommand

LOSSES = ("loss", "xvalid_f1", "xvalid_f1_student", "xvalid_f1_teacher", "epoch", "step")


def run(space: Path) -> tuple[int, list[str]]:
    """Exit code and lines of a run in this process, on the Ray of the session."""
    resolved, said = read_space(space), []
    folder = Folder(resolved.space.run)
    code = run_space(resolved, space, folder, address=None, say=said.append)
    return code, said


def start(space: Path, before: str = "pass", **environment: str) -> ForkedCommand:
    """The command in a process of its own; `before` is run in it first. Without more environment it starts its own Ray."""
    command = f"{before}; from raysed.cli.entry import main; main('tune')"
    return ForkedCommand(command, str(space), {**os.environ, **environment})


def status_of(folder: Path) -> dict:
    path = folder / "status.json"
    return json.loads(path.read_text()) if path.exists() else {}


def epochs_of(trial: Path) -> list[dict]:
    """The lines of progress.jsonl."""
    path = trial / "progress.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_for(
    condition: Callable[[], bool], process: subprocess.Popen | ForkedCommand | None = None
) -> None:
    deadline = time.monotonic() + 1200
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        if process is not None and process.poll() is not None:
            said = process.errors() if isinstance(process, ForkedCommand) else process.communicate()
            raise AssertionError(f"ended with {process.returncode}: {said}")
        time.sleep(0.005)


class Saboteur(threading.Thread):
    """Does something to a trial once it has some epochs; keeps what it had just then."""

    def __init__(self, trial: Path, epochs: int, deed: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.trial, self.epochs, self.deed = trial, epochs, deed
        self.then: list[dict] = []
        self.finished_then = True
        self.start()

    def run(self) -> None:
        wait_for(lambda: len(epochs_of(self.trial)) >= self.epochs)
        self.deed()
        self.then = epochs_of(self.trial)
        self.finished_then = (self.trial / "result.json").exists()

    def assert_mid_work(self, epochs: int) -> None:
        """It struck after some of the trial's epochs and before the last."""
        self.join(60)
        assert self.epochs <= len(self.then) < epochs and not self.finished_then


def assert_same_results(ours: Path, undisturbed: Path) -> None:
    """Weights, scores, statistics, losses and choices of every trial of ours are the same bits."""
    names = sorted(path.name for path in (ours / "trials").iterdir())
    assert names
    for name in names:
        a, b = ours / "trials" / name, undisturbed / "trials" / name
        for folder in ("scores", "statistics"):
            files = sorted(path.name for path in (b / folder).iterdir())
            assert files and files == sorted(path.name for path in (a / folder).iterdir())
            assert all(
                (a / folder / f).read_bytes() == (b / folder / f).read_bytes() for f in files
            )
        for path in (b / "checkpoints").iterdir():
            assert_same_tensors(a, b, f"checkpoints/{path.name}")
        results = [json.loads((folder / "result.json").read_text()) for folder in (a, b)]
        for key in ("selected", "epochs", "world", "loss_first", "loss_last"):
            assert results[0][key] == results[1][key]
        lines = [[[m[key] for key in LOSSES] for m in epochs_of(folder)] for folder in (a, b)]
        assert lines[0] == lines[1]


def assert_same_tensors(a: Path, b: Path, name: str) -> None:
    def flat(prefix: str, value: object) -> dict[str, torch.Tensor]:
        if isinstance(value, torch.Tensor):
            return {prefix: value}
        if isinstance(value, dict):
            found: dict[str, torch.Tensor] = {}
            for key, inner in value.items():
                found |= flat(f"{prefix}/{key}", inner)
            return found
        return {}

    ours, theirs = (flat("", load_checkpoint(Folder(str(f)), name)[0]) for f in (a, b))
    assert theirs and ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
