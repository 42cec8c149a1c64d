"""Formats that libsndfile does not read, decoded by the program ffmpeg where it is on the path; this is the one place that asks.

Whether there is one decides which files of a folder are recordings, and whether such a file is read or called by its name.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from raysed.storage.clip_name import AUDIO_SUFFIXES, READABLE_SUFFIXES

_DEMUXERS = {
    "MP4 or M4A (AAC, ALAC)": "mov",
    "WebM or Matroska": "matroska",
    "AAC": "aac",
    "AMR": "amr",
    "WMA": "asf",
    "AC-3": "ac3",
}
"""ffmpeg's reader of each format of raysed.data.containers.unread_formats. It is named to ffmpeg, which would take a list
of other files for audio, too.
"""
TELL_THEIR_END = ("MP4 or M4A (AAC, ALAC)", "WebM or Matroska")
"""Those of which ffmpeg sees a cut wherever it is."""


def ffmpeg_program() -> str | None:
    """Return the path of ffmpeg, None where there is none."""
    return shutil.which("ffmpeg")


def readable_suffixes() -> tuple[str, ...]:
    """Return the suffixes of a folder's recordings, in lower case, those of libsndfile's formats first."""
    more = AUDIO_SUFFIXES.difference(READABLE_SUFFIXES) if ffmpeg_program() else ()
    return (*READABLE_SUFFIXES, *sorted(more))


@contextmanager
def decoded(source: str | Path | BinaryIO, kind: str, program: str) -> Iterator[str]:
    """Yield the path of a WAV of float32 samples: the first sound track of a file of a known format, which goes afterwards.

    Raises ValueError, in words that follow the file's name, where ffmpeg finds anything wrong: it would go on with a part.
    """
    with tempfile.TemporaryDirectory(prefix="raysed-ffmpeg-") as folder:
        wav, path = Path(folder, "decoded.wav"), source
        if not isinstance(path, str | Path):
            # Its end may hold what its beginning needs, so that a pipe does not do.
            path.seek(0)
            copy = Path(folder, "encoded")
            with copy.open("wb") as file:
                shutil.copyfileobj(path, file, 2**20)
            path = copy
        command = [
            *(program, "-v", "error", "-xerror", "-nostdin", "-protocol_whitelist", "file"),
            *("-f", _DEMUXERS[kind], "-i", f"file:{Path(path).absolute()}", "-map", "0:a:0"),
            *("-c:a", "pcm_f32le", "-f", "wav", "-rf64", "auto", f"file:{wav}"),
        ]
        done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        said = done.stderr.decode(errors="replace").strip()
        if done.returncode or said or not wav.exists():
            first = said.splitlines()[0].split("] ")[-1] if said else f"exit code {done.returncode}"
            raise ValueError(f"is {kind}, cut short or damaged: ffmpeg says: {first}")
        yield str(wav)
