"""Reverberation by room impulse responses, as FUSS was mixed (Wisdom et al. 2021,
arXiv:2011.00803).

FFT convolution of the event region only: 7 to 12 ms for a background and five events of 10 s.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from scipy.fft import irfft, next_fast_len, rfft

from raysed.data.audio import AUDIO_EXTENSIONS
from raysed.data.containers.audio_file import open_audio
from raysed.storage.local_copies import local_copy
from raysed.storage.places import files_by_folder, files_in, is_folder, joined

# FUSS RIRs are stored at a tenth of their level.
_RIR_GAIN = 10.0

# Overlap-add by FFTs of four times the response: larger ones do not fit the cache, smaller ones are too many.
_TAPS = 4
_SMALLEST_FFT = 1 << 14

_FOLDERS = {"train": "train", "xvalid": "validation", "eval": "eval"}
_ROLE = re.compile(r"(background|foreground)(\d*)")


@dataclass(frozen=True)
class Room:
    """Impulse response files of one room, by path or URL."""

    background: str
    foreground: tuple[str, ...]


@dataclass(frozen=True)
class Stem:
    """The audible stretch of one foreground event in a soundscape."""

    label: str
    start: int
    """Index of its first sample in the soundscape."""
    waveform_T: np.ndarray


def list_rooms(root: str | Path, split: str) -> tuple[Room, ...]:
    """List the rooms of a split in the order of their names, from `root/{train,validation,eval}`.

    A subfolder is a room with `background*` and `foreground*` files (FUSS); a file that lies flat
    is a room of its own, used for background and foregrounds alike. Raises ValueError if there is
    none, or one is incomplete.
    """
    folder = joined(root, _FOLDERS[split])
    if not is_folder(folder):
        raise ValueError(f"{folder}: no such folder; roots.rir holds train/, validation/ and eval/")
    rooms = [
        _room(joined(folder, name), files) for name, files in files_by_folder(folder).items()
    ] or [
        Room(path, (path,))
        for path in (joined(folder, name) for name in files_in(folder))
        if Path(path).suffix.lower() in AUDIO_EXTENSIONS
    ]
    if not rooms:
        raise ValueError(f"{folder}: holds neither room folders nor impulse responses")
    return tuple(rooms)


def _room(folder: str, files: Sequence[str]) -> Room:
    roles: dict[str, list[tuple[int, str]]] = {"background": [], "foreground": []}
    for name in files:
        match = _ROLE.match(name)
        if match and Path(name).suffix.lower() in AUDIO_EXTENSIONS:
            roles[match[1]].append((int(match[2] or 0), joined(folder, name)))
    if not roles["background"] or not roles["foreground"]:
        raise ValueError(f"{folder}: a room needs background* and foreground* impulse responses")
    return Room(min(roles["background"])[1], tuple(path for _, path in sorted(roles["foreground"])))


def choose_room(rooms: Sequence[Room], seed: int, split: str, index: int) -> Room:
    """Return the room of soundscape `index`: every room comes once in shuffled order, then they are shuffled
    anew.
    """
    turn, position = divmod(index, len(rooms))
    random = np.random.default_rng([seed, *split.encode(), turn])
    return rooms[int(random.permutation(len(rooms))[position])]


def read_rir(path: str, sample_rate_hz: int) -> np.ndarray:
    """Read the first channel of an impulse response, float64, at `sample_rate_hz`. Raises ValueError if it
    cannot be read.
    """
    try:
        with local_copy(path) as local, open_audio(local) as file:
            audio_TC, rate_hz = file.sound.read(always_2d=True), file.sound.samplerate
    except (soundfile.LibsndfileError, OSError) as error:
        raise ValueError(f"{path}: cannot be read as an impulse response ({error})") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if len(audio_TC) < file.told:
        raise ValueError(f"{path}: ends after {len(audio_TC)} samples, its header says {file.told}")
    if not len(audio_TC) or not np.isfinite(audio_TC).all():
        raise ValueError(f"{path}: is empty or holds values that are not finite")
    if rate_hz != sample_rate_hz:
        return soxr.resample(audio_TC[:, 0], rate_hz, sample_rate_hz, quality="HQ")
    return audio_TC[:, 0]


def reverberate(
    background_T: np.ndarray, stems: Sequence[Stem], room: Room, sample_rate_hz: int
) -> np.ndarray:
    """Return background and events as heard in `room`, summed; as long as `background_T`, float64.

    Every class has one foreground response, in the order in which classes first appear in `stems`;
    a room with too few reuses them in order. Tails end with the soundscape; levels and labels stay
    as they are.
    """
    mix_T = convolve(background_T, read_rir(room.background, sample_rate_hz), len(background_T))
    labels = list(dict.fromkeys(stem.label for stem in stems))
    paths = {label: room.foreground[i % len(room.foreground)] for i, label in enumerate(labels)}
    rirs = {path: read_rir(path, sample_rate_hz) for path in set(paths.values())}
    for stem in stems:
        wet_T = convolve(stem.waveform_T, rirs[paths[stem.label]], len(mix_T) - stem.start)
        mix_T[stem.start : stem.start + len(wet_T)] += wet_T
    return mix_T


def convolve(waveform_T: np.ndarray, rir_T: np.ndarray, length: int) -> np.ndarray:
    """Convolve causally with ten times the response; at most `length` samples are returned."""
    rir_T, waveform_T = rir_T[:length] * _RIR_GAIN, waveform_T[:length]
    whole = len(waveform_T) + len(rir_T) - 1
    n_fft = next_fast_len(min(max(_TAPS * len(rir_T), _SMALLEST_FFT), whole), real=True)
    step = n_fft - len(rir_T) + 1
    response = rfft(rir_T, n_fft)
    wet_T = np.zeros(whole + n_fft)
    for start in range(0, len(waveform_T), step):
        spectrum = rfft(waveform_T[start : start + step], n_fft)
        spectrum *= response
        wet_T[start : start + n_fft] += irfft(spectrum, n_fft, overwrite_x=True)
    return wet_T[: min(length, whole)]
