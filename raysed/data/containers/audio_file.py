"""Any audio file that libsndfile reads, opened with what its container says of its length.

libsndfile shortens a file that was cut to what is there, of most containers without an error. Here such a
file is refused where its container shows it; where none could, the doubt is said.
"""

import errno
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import numpy as np
import soundfile

from raysed.data.containers.ffmpeg import TELL_THEIR_END, decoded, ffmpeg_program
from raysed.data.containers.joined import CONTAINERS, is_joined
from raysed.data.containers.mp3_frames import scan_mp3, with_length
from raysed.data.containers.ogg_pages import ogg_fault
from raysed.data.containers.unread_formats import CONVERT, unread_format

Readable = str | Path | BinaryIO
"""A path, or a file object that can seek."""

# In libsndfile's log: the bytes by the header of WAV, AIFF, AU, CAF, W64, RF64 or SVX, and those that are there.
_SHORTENED = re.compile(
    r"^ *(?:data|SSND|Data Size|riff|Riff size|BODY) *: (\d+) \(should be (\d+)\)", re.MULTILINE
)
_AVR_FRAMES = re.compile(r"^ *Frames *: (\d+)", re.MULTILINE)
_NIST_FRAMES = re.compile(rb"sample_count -i (\d+)")
_SLACK_BYTES = 128
"""Some programs count their header as samples."""
_STREAMED_BYTES = 2**31 - 2**16
"""A header of at least so many was written before the length was known."""
_BLOCK_FRAMES = 2**15
_ENDLESS = 2**62
"""Frames of a file that does not know how many it has."""
_WITHOUT_LENGTH = ("IRCAM", "PAF", "RAW")
_OF_THE_MACHINE = {
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ETIMEDOUT, errno.EINTR),
    *(errno.EAGAIN, errno.ENOTCONN, errno.ECONNRESET, errno.ECONNREFUSED, errno.EHOSTDOWN),
}
"""Errors that say nothing of a file, and may be gone at another try."""
_UNTOLD = "its header does not say how long it is: a cut would not be seen"

T = TypeVar("T")


@dataclass(frozen=True)
class AudioFile:
    """An open audio file."""

    sound: soundfile.SoundFile
    told: int
    """Frames by its header; a cut file holds fewer."""
    doubt: str = ""
    """The reason why a cut would not be seen; empty where it would."""


@contextmanager
def open_audio(source: Readable) -> Iterator[AudioFile]:
    """Open a file and check its container.

    Raises ValueError, in words that follow the file's name, where it is cut short, damaged, or several recordings in
    one; soundfile.LibsndfileError or OSError where it cannot be read as audio; RuntimeError where the machine cannot
    open it now, which is no fault of the file.
    """
    if isinstance(source, str | Path):
        _check_regular(source)
    with ExitStack() as stack:
        sound, kind = _opened(source, stack)
        if kind:
            yield AudioFile(sound, sound.frames, "" if kind in TELL_THEIR_END else _UNTOLD)
            return
        if sound.format == "MP3":
            yield _open_mp3(sound, source, stack)
            return
        if sound.format == "OGG" and (fault := _of_bytes(ogg_fault, source)):
            raise ValueError(fault)
        if sound.format in CONTAINERS and _of_bytes(is_joined, source):
            raise ValueError(
                "holds several recordings one after the other, of which the first alone would be heard whole: split it"
            )
        told = _frames_told(sound)
        if sound.format == "NIST":
            told = _of_bytes(_frames_of_nist, source) or told
        yield AudioFile(sound, told, _doubt(sound))


def _opened(source: Readable, stack: ExitStack) -> tuple[soundfile.SoundFile, str]:
    """Open a file; one of a format that people have and libsndfile does not read is decoded by ffmpeg, if there is one,
    or else called by its name. Returns the name of a format that ffmpeg decoded, too.
    """
    try:
        return stack.enter_context(soundfile.SoundFile(source)), ""
    except soundfile.LibsndfileError as error:
        kind = _of_bytes(lambda file: unread_format(file), source)
        if kind is None:
            raise
        program = ffmpeg_program()
        if program is None:
            raise ValueError(f"is {kind}, a format that is not read: {CONVERT}") from error
    wav = stack.enter_context(decoded(source, kind, program))
    return stack.enter_context(soundfile.SoundFile(wav)), kind


def _check_regular(path: str | Path) -> None:
    """Raise what keeps a file from being opened, which libsndfile does not say; a pipe would wait for its writer."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise ValueError("is no regular file (a folder, a pipe, a socket or a device)")
        with Path(path).open("rb"):
            pass
    except OSError as error:
        if error.errno in _OF_THE_MACHINE:
            raise RuntimeError(f"{path}: cannot be opened now ({error.strerror})") from error
        raise


@dataclass(frozen=True)
class AudioInfo:
    """The format and length of a whole audio file, as far as they can be told without decoding it."""

    samplerate: int
    """Hz. This name and the next are soundfile's: Scaper looks for them."""
    duration: float
    """Seconds."""
    channels: int
    doubt: str


def audio_info(path: str) -> AudioInfo:
    """Read headers, and of FLAC, which has no other sign of its end, the last sample.

    Raises ValueError naming the file where it cannot be read, holds nothing, or is not whole.
    """
    try:
        with open_audio(path) as file:
            sound = file.sound
            if sound.frames <= 0:
                raise ValueError("holds no samples")
            if file.told > sound.frames:
                raise ValueError(f"ends after {sound.frames} samples, its header says {file.told}")
            if sound.format == "FLAC":
                _read_last(sound)
            duration_s = sound.frames / sound.samplerate
            return AudioInfo(sound.samplerate, duration_s, sound.channels, file.doubt)
    except (soundfile.LibsndfileError, OSError) as error:
        raise ValueError(f"{path}: cannot be read as audio ({error})") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def is_silent(path: str) -> bool:
    """Tell whether every sample of a file is zero; decodes up to the first that is not. A file that cannot be read is
    not silent.
    """
    try:
        with open_audio(path) as file:
            return not any(block_TC.any() for block_TC in in_blocks(file.sound, _BLOCK_FRAMES))
    except (soundfile.LibsndfileError, OSError, ValueError):
        return False


def in_blocks(sound: soundfile.SoundFile, frames: int) -> Iterator[np.ndarray]:
    """Yield float32 (frames, channels) from where the file is to its end: what one read would give.

    The file cannot seek afterwards.
    """
    without_seeks(sound)
    while len(block_TC := sound.read(frames, dtype="float32", always_2d=True)):
        yield block_TC


def without_seeks(sound: soundfile.SoundFile) -> None:
    """Keep soundfile from seeking after every read, if only to where the file is: an MP3 of variable bit rate goes on with
    some 0.3 s of silence after a seek (findings/mp3_in_blocks.sh).
    """
    sound.seekable = lambda: False


def _read_last(sound: soundfile.SoundFile) -> None:
    try:
        sound.seek(sound.frames - 1)
        there = len(sound.read(1))
    except soundfile.LibsndfileError:
        there = 0
    if not there:
        raise ValueError(
            f"is cut short: the last of the {sound.frames} samples that its header says is not there"
        )


def _frames_told(sound: soundfile.SoundFile) -> int:
    """Frames by the header, of containers whose header libsndfile's log tells."""
    log = sound.extra_info
    if sound.format == "VOC" and "truncated file" in log:
        raise ValueError(
            f"is cut short: it ends after {sound.frames} samples, before its header says"
        )
    if sound.format == "FLAC" and sound.frames >= _ENDLESS:
        raise ValueError(
            "is FLAC without its length in the header, which libsndfile cannot read: encode it again to a file"
        )
    if sound.format == "AVR" and (frames := _AVR_FRAMES.search(log)):
        return max(int(frames[1]), sound.frames)
    told, there = _bytes_told(log)
    if there < told - _SLACK_BYTES and told < _STREAMED_BYTES:
        return sound.frames * told // max(there, 1)
    return sound.frames


def _bytes_told(log: str) -> tuple[int, int]:
    """By the header, and there; zeros where they are equal."""
    found = _SHORTENED.search(log)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _doubt(sound: soundfile.SoundFile) -> str:
    if sound.format in _WITHOUT_LENGTH or _bytes_told(sound.extra_info)[0] >= _STREAMED_BYTES:
        return _UNTOLD
    return ""


def _frames_of_nist(file: BinaryIO) -> int:
    found = _NIST_FRAMES.search(file.read(1024))
    return int(found[1]) if found else 0


def _of_bytes(look: Callable[[BinaryIO], T], source: Readable) -> T:
    """Return what `look` finds in the file's bytes; libsndfile reads on from where it was."""
    if isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            return look(file)
    place = source.tell()
    source.seek(0)
    try:
        return look(source)
    finally:
        source.seek(place)


def _open_mp3(sound: soundfile.SoundFile, source: Readable, stack: ExitStack) -> AudioFile:
    """An MP3 by the length in its header, where that is all of it; else by its frames, counted."""
    found = _of_bytes(scan_mp3, source)
    if found is None:
        raise ValueError("is MPEG audio of a bit rate that is not told: convert it to WAV or FLAC")
    if found.is_told and found.short:
        raise ValueError(
            f"is cut short: {found.frames} of the {found.told} frames that its header says are there"
        )
    if found.is_told:
        return AudioFile(sound, sound.frames)
    if isinstance(source, str | Path):
        source = stack.enter_context(Path(source).open("rb"))  # noqa: SIM115 - it closes it
    whole = cast(BinaryIO, with_length(source, found))
    counted = stack.enter_context(soundfile.SoundFile(whole))
    # Counted frames exist, but only a decoder knows how many of them it drops at the beginning.
    doubt = _UNTOLD if found.told is None else "several MP3 files joined into one: all are heard"
    return AudioFile(counted, 0, doubt)
