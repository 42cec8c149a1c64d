"""Folders and files by path and by URL give the same answers."""

from pathlib import Path

import pytest

from raysed.storage.places import (
    files_by_folder,
    files_in,
    is_file,
    is_folder,
    is_url,
    joined,
    sizes_of,
)


@pytest.fixture(params=["", "file://"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    for name in (
        "b/z.wav",
        "b/a.wav",
        "b/.h.wav",
        "b/below/c.wav",
        "a/x.wav",
        ".bin/y.wav",
        "t.tsv",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * len(name))
    return f"{request.param}{tmp_path}"


def test_what_is_there(root: str) -> None:
    assert is_folder(root) and is_folder(joined(root, "b")) and not is_file(joined(root, "b"))
    assert is_file(joined(root, "b", "a.wav")) and not is_folder(joined(root, "b", "a.wav"))
    assert not is_folder(joined(root, "none")) and not is_file(joined(root, "none"))


def test_what_lies_in_a_folder(root: str) -> None:
    assert files_in(root) == ["t.tsv"]
    assert files_in(joined(root, "b")) == ["a.wav", "z.wav"]
    assert files_by_folder(root) == {"a": ["x.wav"], "b": ["a.wav", "z.wav"]}


def test_sizes_are_asked_for_together(root: str) -> None:
    assert sizes_of(root, ["b/z.wav", "a/x.wav", "t.tsv"]) == [7, 7, 5]
    assert sizes_of(root, ["b/below/c.wav", "b/z.wav"]) == [13, 7]
    assert sizes_of(root, ["b/z.wav"]) == [7] and sizes_of(root, []) == []
    with pytest.raises(FileNotFoundError, match=r"gone\.wav"):
        sizes_of(root, ["b/gone.wav"])


def test_places_are_joined_as_they_are() -> None:
    assert joined("s3://lab/x/", "a", "b.wav") == "s3://lab/x/a/b.wav"
    assert joined("/x/", "a", "b.wav") == "/x/a/b.wav"
    assert is_url("zip://a::s3://b/c.zip") and not is_url("/a:/b")
