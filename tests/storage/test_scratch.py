"""Folders of a process: private, gone at its end, and removed by the next one where it was killed."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from raysed.storage import scratch as scratch_module
from raysed.storage.scratch import remove_dead, remove_forsaken, scratch

KILLED = """
import os, pathlib, signal, sys
from raysed.storage.scratch import scratch
with scratch("raysed-test-", pathlib.Path(sys.argv[1])) as folder:
    (folder / "deep").mkdir()
    (folder / "deep" / "file").write_text("left")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_one(parent: Path) -> Path:
    dead = subprocess.run([sys.executable, "-c", KILLED, str(parent)], check=False)
    assert dead.returncode == -signal.SIGKILL
    (left,) = parent.glob("raysed-test-*")
    assert (left / "deep" / "file").exists()
    return left


def test_private_and_gone_at_the_end(tmp_path: Path) -> None:
    with scratch("raysed-test-", tmp_path) as folder:
        assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_is_alive_or_other_stays(tmp_path: Path) -> None:
    left = kill_one(tmp_path)
    (tmp_path / "raysed-other").mkdir()
    (tmp_path / "raysed-test-file").write_text("no folder")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("precious")
    (tmp_path / "raysed-test-link").symlink_to(elsewhere)
    with scratch("raysed-test-", tmp_path) as first:
        assert not left.exists()
        with scratch("raysed-test-", tmp_path) as second:
            assert first.is_dir() and second.is_dir() and first != second
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["elsewhere", "raysed-other", "raysed-test-file", "raysed-test-link"]
    assert (elsewhere / "file").exists()


def test_somebody_elses_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = kill_one(tmp_path)
    monkeypatch.setattr(scratch_module.os, "getuid", lambda: left.stat().st_uid + 1)
    remove_dead("raysed-test-", tmp_path)
    assert left.exists()


def test_one_taken_before_it_was_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, taken = fcntl.flock, []

    def late(file: int, how: int) -> None:
        if not taken:
            taken.extend(tmp_path.glob("raysed-test-*"))
            taken[0].rmdir()
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with scratch("raysed-test-", tmp_path) as folder:
        assert taken and folder.is_dir() and list(tmp_path.iterdir()) == [folder]


def aged(folder: Path, days: float, within_days: float) -> Path:
    """A folder without a lock, made so many days ago, whose file changed so many days ago."""
    folder.mkdir()
    (folder / "file").write_text("left")
    for path, age in ((folder / "file", within_days), (folder, days)):
        then = time.time() - age * 86_400
        os.utime(path, (then, then))
    return folder


def test_an_unlocked_folder_goes_where_nobody_can_have_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch_module, "_starts_of_pythons", lambda: iter([time.time() - 3600.0]))
    forsaken = aged(tmp_path / "raysed-old-a", 3, 2)
    kept = [
        aged(tmp_path / "raysed-old-b", 3, 0.5),  # written to since
        aged(tmp_path / "raysed-new-c", 3, 3),
    ]
    elsewhere = aged(tmp_path / "elsewhere", 3, 3)
    (tmp_path / "raysed-old-link").symlink_to(elsewhere)
    remove_forsaken("raysed-old-", tmp_path)
    assert not forsaken.exists() and (elsewhere / "file").exists()
    assert all((folder / "file").exists() for folder in kept)


def test_a_folder_younger_than_a_python_that_runs_may_be_its(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = [time.time() - 4 * 86_400]
    monkeypatch.setattr(scratch_module, "_starts_of_pythons", lambda: iter(starts))
    folder = aged(tmp_path / "raysed-old-a", 3, 2)
    remove_forsaken("raysed-old-", tmp_path)
    assert folder.exists()
    starts[0] = time.time()
    monkeypatch.setattr(scratch_module.os, "getuid", lambda: folder.stat().st_uid + 1)
    remove_forsaken("raysed-old-", tmp_path)
    assert folder.exists()


def test_the_start_of_this_process_is_among_those_of_pythons() -> None:
    young = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    before = time.time()
    try:
        starts = list(scratch_module._starts_of_pythons())
    finally:
        young.communicate(b"\n")
    assert len(starts) >= 2 and 0 < min(starts) < max(starts) < before + 1.0
    assert max(starts) > before - 60.0
