"""Copies of remote files: fetched once, known to be whole, fetched anew where the file is another."""

import os
from pathlib import Path

import pytest

from raysed.storage import local_copies
from raysed.storage.local_copies import copies_folder, local_copy


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is read by its URL, and an empty folder of copies."""
    monkeypatch.setenv("RAYSED_CACHE", str(tmp_path / "cache"))
    local_copies._fetched.cache_clear()
    path = tmp_path / "far" / "dog bark.wav"
    path.parent.mkdir()
    path.write_bytes(b"woof")
    return path


def url_of(path: Path) -> str:
    return f"file://{path}"


def content(url: str) -> bytes:
    with local_copy(url) as path:
        return Path(path).read_bytes()


def copies() -> list[Path]:
    return [path for path in copies_folder().rglob("*.wav") if path.is_file()]


def test_a_path_is_its_own_copy(far: Path) -> None:
    with local_copy(far) as path:
        assert path == str(far)
    assert not copies_folder().exists()


def test_a_file_is_fetched_once_on_a_node(far: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, asked = url_of(far), []
    read = local_copies.read_bytes
    monkeypatch.setattr(
        local_copies, "read_bytes", lambda place: asked.append(place) or read(place)
    )
    assert content(url) == content(url) == b"woof"
    local_copies._fetched.cache_clear()  # another process
    assert content(url) == b"woof" and asked == [url]
    (copy,) = copies()
    assert copy.suffix == ".wav"


def test_a_copy_that_somebody_changed_is_fetched_anew(far: Path) -> None:
    content(url_of(far))
    copies()[0].write_bytes(b"meow")
    local_copies._fetched.cache_clear()
    assert content(url_of(far)) == b"woof"


def test_a_file_that_is_replaced_is_fetched_by_the_next_process(far: Path) -> None:
    assert content(url_of(far)) == b"woof"
    far.write_bytes(b"meow")
    os.utime(far, (1, 1))
    assert content(url_of(far)) == b"woof"  # of one process all files are as it saw them first
    local_copies._fetched.cache_clear()
    assert content(url_of(far)) == b"meow"


def test_errors_name_the_place_and_not_the_copy(far: Path) -> None:
    with (
        pytest.raises(ValueError, match=r"far/dog bark\.wav: is no audio$"),
        local_copy(url_of(far)) as path,
    ):
        raise ValueError(f"{path}: is no audio")
    with pytest.raises(ValueError, match=r"far/none\.wav: no such file"):
        content(url_of(far.with_name("none.wav")))


def test_a_store_that_fails_for_good_stops_the_work(
    far: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(place: str) -> bytes:
        raise OSError("503")

    monkeypatch.setattr(local_copies, "read_bytes", fails)
    with pytest.raises(RuntimeError, match=r"bark\.wav: cannot be fetched now \(503\)"):
        content(url_of(far))
    monkeypatch.setattr(local_copies, "read_bytes", lambda place: b"wo")
    with pytest.raises(RuntimeError, match="2 bytes came, 4 were told"):
        content(url_of(far))
    assert not copies()
