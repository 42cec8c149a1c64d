"""Locks of the system: one holder, no links, nothing truncated."""

import errno
import fcntl
from pathlib import Path

import pytest

from raysed.storage.file_lock import file_lock
from raysed.storage.whole_file import remove_unfinished


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.lock"
    with file_lock(path, wait=False) as has_lock:
        assert has_lock
        with pytest.raises(BlockingIOError), file_lock(path, wait=False):
            pass
    with file_lock(path, wait=True) as has_lock:
        assert has_lock


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_a_link_is_refused_and_its_target_stays(tmp_path: Path, link: str) -> None:
    precious = tmp_path / "precious"
    precious.write_text("content")
    getattr(tmp_path / "x.lock", link)(precious)
    with (
        pytest.raises(ValueError, match=r"x\.lock: is a link"),
        file_lock(tmp_path / "x.lock", wait=True),
    ):
        pass
    assert precious.read_text() == "content"


def test_a_file_that_is_there_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "x.lock").write_text("content")
    with file_lock(tmp_path / "x.lock", wait=True):
        assert (tmp_path / "x.lock").read_text() == "content"


def test_one_removed_before_it_was_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, removed = fcntl.flock, []

    def late(file: int, how: int) -> None:
        if not removed:
            removed.append((tmp_path / "x.lock").unlink())
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with file_lock(tmp_path / "x.lock", wait=True):
        assert removed
        with pytest.raises(BlockingIOError), file_lock(tmp_path / "x.lock", wait=False):
            pass


def test_a_file_system_without_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(file: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    with file_lock(tmp_path / "x.lock", wait=False) as has_lock:
        assert not has_lock


def test_what_looks_unfinished_and_is_a_link_stays(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("content")
    (tmp_path / ".x.part").symlink_to(tmp_path / "precious")
    remove_unfinished(tmp_path)
    assert (tmp_path / ".x.part").is_symlink() and (tmp_path / "precious").read_text() == "content"
