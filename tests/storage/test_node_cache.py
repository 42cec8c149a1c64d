"""Converted features: made once, known to be whole, in a folder that is ours."""

import logging
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from raysed.storage.node_cache import cache_dir, cached

WHOLE = bytes(range(256)) * 40


@pytest.fixture
def made(tmp_path: Path):
    """A cached file, and a list that grows each time it is made."""
    calls: list[Path] = []
    path = tmp_path / "cache" / "a.arrow"

    def get(source: str = "s") -> bytes:
        return cached(
            path, source, lambda file: (calls.append(path), file.write(WHOLE))
        ).read_bytes()

    assert get() == WHOLE and len(calls) == 1
    return path, calls, get


def test_it_is_made_once(made) -> None:
    path, calls, get = made
    assert get() == WHOLE and len(calls) == 1
    assert path.parent.stat().st_mode & 0o777 == 0o700


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(len(WHOLE) // 2)


def flip(path: Path) -> None:
    """One byte differs; the size is the same, and the time of its last change is put back."""
    about = path.stat()
    with path.open("r+b") as file:
        file.seek(5000)
        file.write(b"X")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def forget(path: Path) -> None:
    """As versions before this one left it."""
    path.with_suffix(".json").unlink()


def garble(path: Path) -> None:
    path.with_suffix(".json").write_text("[")


@pytest.mark.parametrize("fault", [cut, flip, forget, garble])
def test_what_is_not_what_was_made_is_named_and_made_again(made, fault, caplog) -> None:
    path, calls, get = made
    fault(path)
    with caplog.at_level(logging.WARNING):
        assert get() == WHOLE
    assert len(calls) == 2 and str(path) in caplog.text and "made again" in caplog.text
    assert get() == WHOLE and len(calls) == 2


def test_a_copy_of_the_folder_is_hashed_once_and_believed(made) -> None:
    path, calls, get = made
    copy = path.with_name("copy")
    shutil.copyfile(path, copy)
    copy.replace(path)
    assert get() == WHOLE and len(calls) == 1


def test_another_source_is_made_again(made) -> None:
    _, calls, get = made
    assert get("other") == WHOLE and len(calls) == 2


def test_a_folder_that_somebody_else_could_have_made_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cache").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="not a folder of your own"):
        cached(tmp_path / "cache" / "a.arrow", "s", lambda file: file.write(WHOLE))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYSED_CACHE", "/disk/cache")
    assert cache_dir() == "/disk/cache"
    monkeypatch.delenv("RAYSED_CACHE")
    assert cache_dir() == f"{tempfile.gettempdir()}/raysed-cache-{os.getuid()}"
