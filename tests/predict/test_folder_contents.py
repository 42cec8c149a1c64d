"""What of a folder is predicted, and that nothing is left out without a word."""

import os
import socket
from pathlib import Path

import pytest

from raysed.predict.folder_contents import Contents, local_contents


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def names(contents: Contents) -> list[str]:
    return [name for name, _ in contents.recordings]


def test_recordings_in_order_and_what_is_no_sound_not_at_all(tmp_path: Path) -> None:
    found = local_contents(
        touch(tmp_path, "b.wav", "a/c.FLAC", "a.txt", "a/d.mp3", "notes", "e.tsv")
    )
    assert names(found) == ["a/c.FLAC", "a/d.mp3", "b.wav"]
    assert found.recordings[2] == ("b.wav", str(tmp_path / "b.wav"))
    assert found.notes() == []


def test_hidden_files_and_bins_are_left_out_and_counted(tmp_path: Path) -> None:
    """As macOS, Linux desktops, Windows and file servers leave them."""
    touch(
        tmp_path,
        "take.wav",
        "._take.wav",
        ".Trash/deleted.wav",
        ".Trash-1000/files/x/y.ogg",
        ".DS_Store",
    )
    touch(
        tmp_path,
        "$RECYCLE.BIN/S-1/z.wav",
        "__MACOSX/sub/._a.wav",
        "@eaDir/take.wav/SYNO.wav",
        ".m.m4a",
    )
    found = local_contents(tmp_path)
    assert names(found) == ["take.wav"]
    assert found.notes() == ["left out: 7 audio files that are hidden or in a bin"]
    assert (
        local_contents(tmp_path / ".Trash").notes() == []
    )  # a folder that is given is looked into


def test_formats_that_are_not_read_are_counted_by_suffix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raysed.data.containers.ffmpeg.shutil.which", lambda program: None)
    found = local_contents(touch(tmp_path, "a.wav", "b.m4a", "c.M4A", "d/e.webm", "f.pdf"))
    assert names(found) == ["a.wav"]
    assert found.notes() == [
        "left out, in formats that are not read: 2 .m4a, 1 .webm; install ffmpeg, or convert them to WAV or FLAC"
    ]


def test_pipes_and_sockets_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    os.mkfifo(tmp_path / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(tmp_path)  # the name of a socket is short
        listening.bind("s.wav")
        found = local_contents(tmp_path)
    assert names(found) == ["a.wav"]
    assert found.notes() == ["left out: 2 audio files that are pipes, sockets or devices"]


def test_links_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path, "there/a.wav", "folder/b.wav")
    (tmp_path / "folder" / "round").symlink_to(tmp_path / "folder")
    (tmp_path / "folder" / "there").symlink_to(tmp_path / "there")
    (tmp_path / "folder" / "gone.wav").symlink_to(tmp_path / "gone.wav")
    assert names(local_contents(tmp_path / "folder")) == ["b.wav", "gone.wav", "there/a.wav"]


def test_a_folder_that_cannot_be_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a.wav", "closed/b.wav")
    listed = os.scandir

    def scandir(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = local_contents(tmp_path)
    assert names(found) == ["a.wav"]
    assert found.closed == [(str(tmp_path / "closed"), "Permission denied")]
