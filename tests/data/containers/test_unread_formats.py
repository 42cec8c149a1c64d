"""Files that are not read are called by their format, whatever their names, by every road that opens audio."""

import io

import numpy as np
import pytest
import soundfile

from raysed.data.audio import read_audio
from raysed.data.containers.audio_file import audio_info
from raysed.data.containers.unread_formats import unread_format
from raysed.data.stream import Heard, blocks

HEADS = {
    "MP4 or M4A (AAC, ALAC)": b"\0\0\0\x20ftypM4A \0\0\0\0",
    "WebM or Matroska": b"\x1a\x45\xdf\xa3\x01\0\0\0",
    "AAC": b"\xff\xf1\x50\x80",
    "AMR": b"#!AMR\n",
    "WMA": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9",
    "AC-3": b"\x0b\x77\x12\x34",
}


@pytest.mark.parametrize("name", HEADS)
def test_a_format_is_known_by_its_first_bytes(tmp_path, name):
    path = tmp_path / "a.wav"
    path.write_bytes(HEADS[name] + bytes(64))
    assert unread_format(path) == unread_format(io.BytesIO(path.read_bytes())) == name


def test_a_readable_file_is_none_of_them(tmp_path):
    for suffix in ("wav", "flac", "ogg", "mp3"):
        soundfile.write(tmp_path / f"a.{suffix}", np.zeros(16_000), 16_000)
        assert unread_format(tmp_path / f"a.{suffix}") is None


@pytest.mark.parametrize("name", ["take.m4a", "take.wav"])
def test_every_road_gives_the_same_answer(tmp_path, name, monkeypatch):
    monkeypatch.setattr("raysed.data.containers.ffmpeg.shutil.which", lambda program: None)
    path = tmp_path / name
    path.write_bytes(HEADS["MP4 or M4A (AAC, ALAC)"] + bytes(4096))
    for road in (
        lambda: read_audio(path, 16_000),
        lambda: audio_info(str(path)),
        lambda: list(blocks(str(path), 16_000, Heard())),
        lambda: list(blocks(io.BytesIO(path.read_bytes()), 16_000, Heard())),
    ):
        with pytest.raises(
            ValueError, match=r"is MP4 or M4A .*, a format that is not read: install ffmpeg"
        ):
            road()
