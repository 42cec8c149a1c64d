"""The way from Scaper's instantiated specification to audio in memory, equal to Scaper's own to 1e-9.

Only the audible stretch of each event is kept, where Scaper makes a full-length track of each.
"""

import functools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import soundfile

from raysed.data.containers.audio_file import open_audio, without_seeks
from raysed.data.soundscapes.loudness import integrated_lufs
from raysed.data.soundscapes.placement import split_label
from raysed.data.soundscapes.reverb import Stem
from raysed.storage.local_copies import local_copy

_FADE_S = 0.01
_BLOCK_FRAMES = 2**17

Convert = Callable[[np.ndarray, int, int, float | None], np.ndarray]
"""(audio_TC, rate_hz, sample_rate_hz, pitch_semitones) → mono waveform_T, which may be the audio
itself; `audio_TC` holds what SoX's 32-bit integers can.
"""

_INT32 = float(1 << 31)


class Sound(Protocol):
    """The fields of Scaper's EventSpec that audio depends on."""

    @property
    def label(self) -> str:
        """Folder of the source, suffix included."""
        ...

    @property
    def source_file(self) -> str:
        """Absolute path, or URL."""
        ...

    @property
    def source_time(self) -> float:
        """The time in the source at which the sound starts, seconds."""
        ...

    @property
    def event_time(self) -> float:
        """Onset in the soundscape, seconds."""
        ...

    @property
    def event_duration(self) -> float:
        """Seconds of the source that are heard."""
        ...

    @property
    def snr(self) -> float:
        """Level over the background, dB of LUFS."""
        ...

    @property
    def pitch_shift(self) -> float | None:
        """Semitones; None leaves the sound alone."""
        ...


def render_stems(
    background: Sound,
    foreground: Sequence[Sound],
    *,
    sample_rate_hz: int,
    duration_s: float,
    ref_db: float,
    convert: Convert,
) -> tuple[np.ndarray, list[Stem]]:
    """Return the background, as long as the soundscape, and one stem per event; both float64, at their final
    levels.
    """
    length = int(duration_s * sample_rate_hz)
    background_T = _background(background, duration_s, sample_rate_hz, convert)
    background_T = _at_level(ref_db, _fit(background_T, length), sample_rate_hz)
    stems = []
    for sound in foreground:
        waveform_T = _foreground(sound, sample_rate_hz, convert)
        waveform_T = _at_level(ref_db + sound.snr, waveform_T, sample_rate_hz)
        start = int(sample_rate_hz * sound.event_time)
        faded_T = _fade(waveform_T, int(_FADE_S * sample_rate_hz))[: length - start]
        stems.append(Stem(split_label(sound.label)[0], start, faded_T))
    return background_T, stems


def _background(
    sound: Sound, duration_s: float, sample_rate_hz: int, convert: Convert
) -> np.ndarray:
    """Render the background; a source shorter than the soundscape is repeated."""
    audio_TC, rate_hz = _read(sound)
    length = int(duration_s * rate_hz)
    if len(audio_TC) < length:
        audio_TC = np.tile(audio_TC, (-(-length // len(audio_TC)), 1))[:length]
    return convert(audio_TC, rate_hz, sample_rate_hz, None)


def _foreground(sound: Sound, sample_rate_hz: int, convert: Convert) -> np.ndarray:
    """Render a foreground. Raises ValueError for a silent source, and for less than half a sample, of which SoX makes
    nothing and says so by an error without a name.
    """
    audio_TC, rate_hz = _read(sound)
    if _sources.is_silent(sound.source_file):
        raise ValueError(f"{sound.source_file}: is silent: its label would stand for no sound")
    if 2 * len(audio_TC) * sample_rate_hz < rate_hz:
        raise ValueError(
            f"{sound.source_file}: {len(audio_TC)} samples at {rate_hz} Hz are heard, "
            f"which are none at {sample_rate_hz} Hz"
        )
    return convert(audio_TC, rate_hz, sample_rate_hz, sound.pitch_shift)


def _read(sound: Sound) -> tuple[np.ndarray, int]:
    """Read the stretch of the source that the specification asks for."""
    audio_TC, rate_hz = _sources.read(
        sound.source_file, sound.source_time, sound.source_time + sound.event_duration
    )
    # A sum is finite only if all its terms are; this takes half the time of a check of each.
    if not len(audio_TC) or not np.isfinite(audio_TC.sum()):
        raise ValueError(
            f"{sound.source_file}: holds nothing, or values that are not finite, "
            f"in the {sound.event_duration:.3f} s from {sound.source_time:.3f} s"
        )
    return audio_TC, rate_hz


class _Sources:
    """A cache of decoded soundbank files in this process: the latest used ones, within a budget of bytes.

    Files are decoded whole, so that a stretch has the same samples in any order of use. Of a file that the
    budget cannot hold (hours of audio), only the stretch is ever decoded.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._bytes = 0
        self._silent: set[str] = set()
        self._kept: OrderedDict[str, tuple[np.ndarray, int]] = OrderedDict()

    def read(self, path: str, start_s: float, stop_s: float) -> tuple[np.ndarray, int]:
        """Return samples (float64, read-only, channels last, rounded like SoX's) and rate. Raises ValueError
        naming the file.
        """
        if path not in self._kept:
            try:
                with local_copy(path) as local, open_audio(local) as audio:
                    file = audio.sound
                    start, stop = int(start_s * file.samplerate), int(stop_s * file.samplerate)
                    if file.frames * file.channels * np.float64().nbytes > self._budget_bytes:
                        _go_to(file, start)
                        return _decoded(file, stop - start), file.samplerate
                    self._keep(path, _decoded(file), file.samplerate)
            except (soundfile.LibsndfileError, OSError) as error:
                raise ValueError(f"{path}: cannot be read as audio ({error})") from error
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error
        self._kept.move_to_end(path)
        audio_TC, rate_hz = self._kept[path]
        return audio_TC[int(start_s * rate_hz) : int(stop_s * rate_hz)], rate_hz

    def is_silent(self, path: str) -> bool:
        """Tell whether a file that was decoded whole is nothing but zeros."""
        return path in self._silent

    def _keep(self, path: str, audio_TC: np.ndarray, rate_hz: int) -> None:
        audio_TC.flags.writeable = False
        if not audio_TC.any():
            self._silent.add(path)
        self._kept[path] = audio_TC, rate_hz
        self._bytes += audio_TC.nbytes
        while self._bytes > self._budget_bytes:
            self._bytes -= self._kept.popitem(last=False)[1][0].nbytes


_sources = _Sources(budget_bytes=128 << 20)


def _go_to(file: soundfile.SoundFile, start: int) -> None:
    """Go to a sample. An MP3, whatever its name, is decoded up to there: after a seek it would begin with silence."""
    if file.format != "MP3":
        file.seek(start)
        return
    without_seeks(file)
    for place in range(0, start, _BLOCK_FRAMES):
        file.read(min(_BLOCK_FRAMES, start - place))


def _decoded(file: soundfile.SoundFile, frames: int = -1) -> np.ndarray:
    """Decode the rest of the file, rounded to the 32-bit integers in -1..1 on which SoX computes; infinity
    becomes NaN.
    """
    audio_TC = file.read(frames, always_2d=True)
    if file.subtype.startswith("PCM_"):
        return audio_TC
    audio_TC[~np.isfinite(audio_TC)] = np.nan
    audio_TC *= _INT32
    np.trunc(audio_TC, out=audio_TC)
    np.clip(audio_TC, -_INT32, _INT32 - 1, out=audio_TC)
    audio_TC /= _INT32
    return audio_TC


def _fit(waveform_T: np.ndarray, length: int) -> np.ndarray:
    """Cut or pad to the length, which resampling can miss by a sample."""
    if len(waveform_T) == length:
        return waveform_T
    return np.pad(waveform_T[:length], (0, max(0, length - len(waveform_T))))


def _at_level(target_lufs: float, waveform_T: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    gain_db = target_lufs - integrated_lufs(waveform_T, sample_rate_hz)
    return waveform_T * float(np.exp(gain_db * np.log(10) / 20))


def _fade(waveform_T: np.ndarray, samples: int) -> np.ndarray:
    """Apply quarter-sine fades at both ends, as Scaper does; a sound shorter than a fade gets its beginning
    and end.
    """
    fade_in, fade_out = _quarter_sines(samples)
    samples_in = min(samples, len(waveform_T))
    waveform_T[:samples_in] *= fade_in[:samples_in]
    waveform_T[len(waveform_T) - samples_in :] *= fade_out[-samples_in:]
    return waveform_T


@functools.lru_cache(maxsize=8)
def _quarter_sines(samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rising and the falling fade."""
    rising = np.sin(np.linspace(0, np.pi / 2, samples))
    return rising, np.sin(np.linspace(np.pi / 2, 0, samples))
