"""A recording as a stream: blocks of mono float32 at one rate, and notes on faults in it.

Nothing longer than a block is held, whatever the format, the rate and the length. About 1.5 ms for 10 s
that need no resampling.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, BinaryIO

import fsspec
import numpy as np
import soundfile
import soxr

from raysed.data.containers.audio_file import in_blocks, open_audio

BLOCK_FRAMES = 2**17
CLIPPED_SHARE = 1e-3
"""Share of samples at full scale above which a recording is said to be clipped."""
LOWER_RATE = "at a lower rate than the model's"
_FULL_SCALE = 1 - 2**-14


@dataclass
class Heard:
    """Facts about a recording, complete once its stream has ended."""

    duration_s: float = 0.0
    samples: int = 0
    """Frames at the recording's own rate."""
    peak: float = 0.0
    clipped: int = 0
    values: int = 0
    """Samples of all channels."""
    rate_hz: int = 0
    """The recording's own."""
    wanted_hz: int = 0
    """The rate that it is resampled to."""
    doubt: str = ""
    """The reason why it may be longer than what was heard; empty where that would be known."""

    @property
    def lower_rate(self) -> str:
        """Return the note on a rate below the model's; empty where it is not."""
        if self.rate_hz >= self.wanted_hz:
            return ""
        return f"{LOWER_RATE} ({self.rate_hz} Hz): nothing above {self.rate_hz / 2:g} Hz"

    def notes(self) -> tuple[str, ...]:
        """Return notes that a user should read, though the recording was predicted."""
        found = [self.doubt] if self.doubt else []
        if self.peak == 0:
            found.append("silent: every sample is zero")
        if self.clipped > CLIPPED_SHARE * self.values:
            found.append(f"clipped: {self.clipped / self.values:.1%} of its samples at full scale")
        if self.lower_rate:
            found.append(self.lower_rate)
        if self.duration_s < 0.25:
            found.append(f"very short: {self.samples} samples, {self.duration_s:.3g} s")
        return tuple(found)


def blocks(url: str | BinaryIO, rate_hz: int, heard: Heard) -> Iterator[np.ndarray]:
    """Yield the mean of the channels, resampled (soxr HQ) to `rate_hz`, in blocks; `heard` is filled in.

    Raises ValueError for what cannot be read, is empty, ends early, or holds values that are not
    finite. A file object is read as it is.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open_audio(_open(url, stack)))
            heard.doubt = file.doubt
            heard.rate_hz, heard.wanted_hz = file.sound.samplerate, rate_hz
            yield from _mono(file.sound, rate_hz, heard)
            # Its header says how many there should be.
            if heard.samples < file.told:
                raise ValueError(f"ends after {heard.samples} samples, its header says {file.told}")
        except (soundfile.LibsndfileError, OSError, TypeError) as error:
            reason = _reason(error)
            where = f" after {heard.duration_s:.1f} s" if heard.samples else ""
            raise ValueError(f"cannot be read as audio{where} ({reason.rstrip('.')})") from error


def _reason(error: Exception) -> str:
    """Return what went wrong, without the name of libsndfile's file object, which says nothing."""
    if isinstance(error, soundfile.LibsndfileError):
        return error.error_string.removeprefix("Error : ")
    return getattr(error, "strerror", None) or str(error)


def _open(url: str | BinaryIO, stack: ExitStack) -> Any:
    """Open a source as a path, or as a file object that can seek."""
    if not isinstance(url, str) or "://" not in url:
        return url
    try:
        return _seekable(url, stack)
    except Exception as error:  # each file system has classes of its own for what goes wrong
        raise OSError(str(error) or type(error).__name__) from error


def _seekable(url: str, stack: ExitStack) -> Any:
    """Return the open URL, or a temporary copy where the URL can only be read from its beginning."""
    file: Any = stack.enter_context(fsspec.open(url, "rb"))
    try:
        # Only reading, not seeking, shows that a server has no ranges.
        file.seek(-1, 2)
        file.read(1)
        file.seek(0)
    except (ValueError, OSError, NotImplementedError):
        copy = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        stream: Any = stack.enter_context(_from_the_beginning(url))
        shutil.copyfileobj(stream, copy, 2**20)
        copy.seek(0)
        return copy
    return file


def _from_the_beginning(url: str) -> Any:
    # With a block size fsspec would ask an HTTP server for ranges again.
    options = {"block_size": 0} if url.startswith(("http://", "https://")) else {}
    return fsspec.open(url, "rb", **options)


def _mono(file: soundfile.SoundFile, rate_hz: int, heard: Heard) -> Iterator[np.ndarray]:
    resampler = None
    if file.samplerate != rate_hz:
        try:
            resampler = soxr.ResampleStream(file.samplerate, rate_hz, 1, "float32", "HQ")
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"cannot be resampled from {file.samplerate} Hz ({error})") from error
    given = 0
    for audio_TC in in_blocks(file, BLOCK_FRAMES):
        _listen(audio_TC, file.samplerate, heard)
        mono_T = audio_TC.mean(axis=1, dtype=np.float32)
        block_T = mono_T if resampler is None else resampler.resample_chunk(mono_T)
        given += len(block_T)
        yield block_T
    if heard.samples == 0:
        raise ValueError("holds no samples")
    if resampler is not None:
        block_T = resampler.resample_chunk(np.empty(0, np.float32), last=True)
        given += len(block_T)
        yield block_T
    if given == 0:
        raise ValueError(
            f"too short: {heard.samples} samples at {file.samplerate} Hz are none at {rate_hz} Hz"
        )


def _listen(audio_TC: np.ndarray, rate_hz: int, heard: Heard) -> None:
    """Count the samples of a block."""
    loud_TC = np.abs(audio_TC)
    peak = float(loud_TC.max())
    if not np.isfinite(peak):
        frame = heard.samples + int(np.argmax(~np.isfinite(audio_TC).all(axis=1)))
        raise ValueError(
            f"holds values that are not finite (NaN or infinity), first at {frame / rate_hz:.3f} s"
        )
    heard.peak = max(heard.peak, peak)
    if peak >= _FULL_SCALE:
        heard.clipped += int((loud_TC >= _FULL_SCALE).sum())
    heard.values += audio_TC.size
    heard.samples += len(audio_TC)
    heard.duration_s = heard.samples / rate_hz
