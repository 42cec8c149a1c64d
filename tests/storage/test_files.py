"""Listing and reading of files anywhere, and what is tried again."""

from pathlib import Path

import pytest

from raysed.storage import files
from raysed.storage.files import absolute, again, list_files, read_bytes, split_glob
from raysed.storage.folder import ReadDeniedError


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("a/b", ("a/b", None)),
        ("a/b/", ("a/b", None)),
        ("/a/**/*.wav", ("/a", "**/*.wav")),
        ("*.wav", (".", "*.wav")),
        ("s3://bucket/a/*/x[12].wav", ("s3://bucket/a", "*/x[12].wav")),
        ("s3://bucket/*.wav", ("s3://bucket", "*.wav")),
    ],
)
def test_a_glob_is_a_folder_and_a_pattern(place: str, expected: tuple) -> None:
    assert split_glob(place) == expected


def test_what_is_there_is_no_pattern_whatever_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "rec [2023]?" / "old*"
    folder.mkdir(parents=True)
    (folder / "a [1].wav").write_bytes(b"1")
    (folder / "b.wav").write_bytes(b"22")
    assert split_glob(f"{folder}/") == (str(folder), None)
    assert split_glob(f"{folder}/**/*.wav") == (str(folder), "**/*.wav")
    assert split_glob(f"{tmp_path}/rec [2023]?/new*/b") == (str(folder.parent), "new*/b")
    assert set(list_files(str(folder))) == {("a [1].wav", 1), ("b.wav", 2)}
    assert list(list_files(f"{folder}/a [1].wav")) == [("a [1].wav", 1)]
    assert list(list_files(f"{folder}/?.wav")) == [("b.wav", 2)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", {"a.wav", "d/b.wav", "d/e/c.wav", "d/e/n.txt"}),
        ("*.wav", {"a.wav"}),
        ("**/*.wav", {"a.wav", "d/b.wav", "d/e/c.wav"}),
        ("d/**/*", {"b.wav", "e/c.wav", "e/n.txt"}),
        ("*/*.wav", {"d/b.wav"}),
        ("d/?/c.*", {"e/c.wav"}),
    ],
)
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_what_a_glob_keeps(tmp_path: Path, pattern: str, expected: set, scheme: str) -> None:
    for name in ("a.wav", "d/b.wav", "d/e/c.wav", "d/e/n.txt", ".h.wav", "d/.x/y.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    place = f"{scheme}{tmp_path}" + (f"/{pattern}" if pattern else "")
    found = dict(list_files(place))
    assert set(found) == expected and set(found.values()) == {5}


def test_a_single_file_and_a_missing_folder(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"1")
    assert list(list_files(str(tmp_path / "a.wav"))) == [("a.wav", 1)]
    for place in (f"{tmp_path}/none", f"file://{tmp_path}/none"):
        with pytest.raises(ValueError, match="no such file or folder"):
            list(list_files(place))
    with pytest.raises(ValueError, match=r"b\.wav: no such file"):
        read_bytes(f"{tmp_path}/b.wav")
    assert read_bytes(f"{tmp_path}/a.wav") == b"1" and absolute("s3://a") == "s3://a"


def test_only_a_failing_storage_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(files.time, "sleep", pauses.append)
    answers = iter([OSError("slow down"), OSError("slow down"), 7])

    def ask():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert again(ask, "x") == 7 and pauses == [0.2, 0.4]

    def fail(error: Exception):
        def ask():
            raise error

        return ask

    for error in (ReadDeniedError("no"), FileNotFoundError("no"), ValueError("no")):
        with pytest.raises(type(error)):
            again(fail(error), "x")
    assert len(pauses) == 2
    with pytest.raises(OSError, match="s3://b/x: gone"):
        again(fail(OSError("gone")), "s3://b/x")
    assert len(pauses) == 2 + files.TRIES - 1
