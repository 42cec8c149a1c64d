import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from raysed.data.build.build_progress import BuildProgress
from raysed.data.build.dataset_plan import plan
from raysed.data.build.job import build
from raysed.data.build.source import RecordedSource
from raysed.data.clip import Clip
from raysed.run.lock import is_alive
from tests.data.recorded_tree import SHARD_CLIPS, weak_job, write_tree

pytestmark = pytest.mark.ray
LONG_S = 120.0


class DriverFaultError(Exception):
    """Stands for any error of the driver amid a build."""


@dataclass(frozen=True)
class SlowSource(RecordedSource):
    """Clips beyond the first shard take long; notes whose process makes them, and whether it was interrupted."""

    notes: Path

    def make(self, index: int) -> tuple[Clip, ...]:
        if index < SHARD_CLIPS:
            return super().make(index)
        (self.notes / f"begun-{os.getpid()}").touch()
        try:
            time.sleep(LONG_S)
        except BaseException:
            (self.notes / "interrupted").touch()
            raise
        return ()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG_S / 2
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_build_that_stops_leaves_no_worker_interrupted_in_the_middle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ray_session: None
) -> None:
    """Ray uses a worker again whose task it interrupted: amid an import, every later task there failed by half a module."""
    notes = tmp_path / "notes"
    notes.mkdir()
    job = weak_job(write_tree(tmp_path / "dataset"), tmp_path / "out")
    (planned,) = plan(job)
    slow = replace(planned, source=SlowSource(**vars(planned.source), notes=notes))

    def stop_once_another_is_made(self: BuildProgress, clips: int, quarantined: int) -> None:
        until(lambda: any(notes.iterdir()))
        raise DriverFaultError

    monkeypatch.setattr(BuildProgress, "shard_done", stop_once_another_is_made)
    with pytest.raises(DriverFaultError):
        build(job, planned=[slow], workers=1)
    (begun,) = notes.iterdir()
    until(lambda: not is_alive(int(begun.name.partition("-")[2])))
    assert not (notes / "interrupted").exists()
