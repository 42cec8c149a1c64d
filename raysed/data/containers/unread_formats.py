"""Formats that libsndfile does not read and that people have: known by their first bytes. Where there is no ffmpeg to decode
them, they get a clear answer.
"""

from pathlib import Path
from typing import BinaryIO

_HEAD_BYTES = 16
CONVERT = (
    "install ffmpeg, which then decodes it, or convert it to WAV or FLAC (ffmpeg -i IN OUT.wav)"
)


def unread_format(source: str | Path | BinaryIO) -> str | None:
    """Return the format's name where the file begins as one that is not read, else None; its name tells nothing."""
    if isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            return _of_head(file.read(_HEAD_BYTES))
    place = source.tell()
    source.seek(0)
    head = source.read(_HEAD_BYTES)
    source.seek(place)
    return _of_head(head)


def _of_head(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        return "MP4 or M4A (AAC, ALAC)"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "WebM or Matroska"
    if head.startswith((b"\xff\xf1", b"\xff\xf9")):
        return "AAC"
    if head.startswith(b"#!AMR"):
        return "AMR"
    if head.startswith(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"):
        return "WMA"
    return "AC-3" if head.startswith(b"\x0b\x77") else None
