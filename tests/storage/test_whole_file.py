import errno
import fcntl
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from raysed.storage.whole_file import remove_unfinished, whole_file

KILLED = """
import os, pathlib, signal, sys
from raysed.storage.whole_file import whole_file
with whole_file(pathlib.Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_what_a_killed_writer_left_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(b"old")
    dead = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "deep" / "a")], check=False)
    assert dead.returncode == -signal.SIGKILL
    (left,) = (tmp_path / "deep").glob(".*")
    assert left.read_bytes() == b"half"
    (tmp_path / ".notes").write_text("a user's own")
    with whole_file(tmp_path / "b") as file:
        file.write(b"new")
        remove_unfinished(tmp_path)
        assert not left.exists() and len(names(tmp_path)) == 3
    assert names(tmp_path) == [".notes", "a", "b"]
    assert (tmp_path / "deep" / "a").read_bytes() == b"old"
    assert (tmp_path / "b").read_bytes() == b"new"


def test_errors_have_the_name_of_the_file_that_was_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a full disk Python names none, and of others the temporary file, which nobody has asked for."""
    monkeypatch.chdir(tmp_path)
    for path, error in (
        (Path("a"), OSError(errno.ENOSPC, "No space left on device")),
        (tmp_path / "a", OSError(errno.EROFS, "Read-only", f"{tmp_path}/.a.x12.part")),
    ):
        with pytest.raises(OSError, match=error.strerror) as told, whole_file(path):
            raise error
        assert (told.value.errno, told.value.filename) == (error.errno, str(path))
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as folder, whole_file(tmp_path / "folder") as file:
        file.write(b"x")
    assert folder.value.filename == str(tmp_path / "folder")
    other = FileNotFoundError(errno.ENOENT, "No such file", "b")
    with pytest.raises(FileNotFoundError) as told, whole_file(Path("a")):
        raise other
    assert told.value is other and names(tmp_path) == []


def test_a_file_taken_before_it_was_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, taken = fcntl.flock, []

    def late(file: object, how: int) -> None:
        if not taken:
            taken.extend(tmp_path.glob(".a.*"))
            taken[0].unlink()
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with whole_file(tmp_path / "a") as file:
        file.write(b"new")
    assert taken and names(tmp_path) == ["a"] and (tmp_path / "a").read_bytes() == b"new"
