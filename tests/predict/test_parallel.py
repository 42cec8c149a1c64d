"""Prediction over Ray: what one process writes, and a worker that dies comes back."""

import contextlib
import os
from collections import deque
from pathlib import Path

import pytest

from raysed.predict import parallel
from tests.predict.small import call

pytestmark = pytest.mark.ray


def test_ray_writes_what_one_process_writes(place, tmp_path, ray_session, capfd):
    """And nothing of its own: it warns of actors that could not be made again."""
    alone, together = tmp_path / "alone.tsv", tmp_path / "together.tsv"
    assert call(place, place / "audio", out=str(alone))[0] == 0
    assert call(place, place / "audio", out=str(together), workers=2)[0] == 0
    assert alone.read_text() == together.read_text()
    assert "core_worker" not in capfd.readouterr().err
    with pytest.raises(ValueError, match="the cluster has 2 CPUs"):
        call(place, place / "audio", workers=99)


class DyingWorker(parallel._Worker):
    """Its process ends in the middle of its first work; the file says that this was done."""

    def predict(self, stored, sources):
        with contextlib.suppress(FileExistsError):
            Path(os.environ["RAYSED_TEST_DEAD"]).touch(exist_ok=False)
            os._exit(1)
        return super().predict(stored, sources)


def test_a_worker_that_dies_comes_back(place, tmp_path, monkeypatch, ray_session):
    dead, alone, together = (tmp_path / name for name in ("dead", "alone.tsv", "together.tsv"))
    assert call(place, place / "audio", out=str(alone))[0] == 0
    monkeypatch.setattr(parallel, "_Worker", DyingWorker)
    environment = parallel.WORKER_ENVIRONMENT["env_vars"] | {"RAYSED_TEST_DEAD": str(dead)}
    monkeypatch.setattr(parallel, "WORKER_ENVIRONMENT", {"env_vars": environment})
    assert call(place, place / "audio", out=str(together), workers=2)[0] == 0
    assert dead.exists() and alone.read_text() == together.read_text()


class Instant:
    """An actor whose parts are their own results, in the order in which they are asked for."""

    def __init__(self, log: list) -> None:
        self.predict = self
        self.log = log

    def remote(self, stored: list, part: list) -> object:
        self.log.append(part)
        return Reference(part)


class Reference:
    def __init__(self, part: list) -> None:
        self.part = part


@pytest.mark.parametrize("latest_first", [False, True])
def test_results_come_in_the_order_of_the_parts_whoever_is_done_first(
    monkeypatch: pytest.MonkeyPatch, latest_first: bool
) -> None:
    asked: list = []
    waits = []

    def wait(running: list, num_returns: int) -> tuple[list, list]:
        waits.append(len(running))
        return [running[-1 if latest_first else 0]], []

    monkeypatch.setattr(parallel.ray, "wait", wait)
    monkeypatch.setattr(parallel.ray, "get", lambda reference: reference.part)
    parts = deque([f"{n}a", f"{n}b"] for n in range(7))
    found = list(parallel._in_order([Instant(asked), Instant(asked)], [], parts))
    assert found == [f"{n}{letter}" for n in range(7) for letter in "ab"]
    assert len(asked) == 7 and max(waits) <= 2
