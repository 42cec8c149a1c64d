"""SoX's effects on arrays: to mono at another rate, with a shift in pitch, and reverberation.

This is the only module that uses soxbindings. A shift in pitch goes around it, since that is most of a soundscape.
"""

import functools
import io
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from unittest import mock

import numpy as np

from raysed.data.soundscapes.sox_library import SoxLibrary
from raysed.data.soundscapes.stretching import pitch_factor, stretched


@contextmanager
def without_a_shell() -> Iterator[None]:
    """Import pysox within this context: it would ask a shell for the sox program and complain where there is none."""
    with mock.patch("os.popen", lambda _: io.StringIO()):
        yield


# soxbindings brings SoX as a library.
logging.getLogger("sox").setLevel(logging.ERROR)
with without_a_shell():
    import soxbindings

# SoX's own default, in per cent.
_REVERBERANCE = 50
_BITS = 32
_INT32 = float(1 << 31)
_TEST_RATE_HZ = 16000
_one_at_a_time = threading.Lock()

Effect = tuple[str, ...]
"""An effect's name and its arguments."""


def convert(
    audio_TC: np.ndarray, rate_hz: int, sample_rate_hz: int, pitch_semitones: float | None
) -> np.ndarray:
    """Convert to mono at `sample_rate_hz`, shifted in pitch, by the SoX chain that Scaper would build.

    SoX computes on 32-bit integers; `audio_TC` is rounded like them, and returned as it is where there is
    nothing to do.
    """
    if rate_hz == sample_rate_hz and audio_TC.shape[1] == 1 and pitch_semitones is None:
        return audio_TC[:, 0]
    verify_sox()
    return _converted(audio_TC, rate_hz, sample_rate_hz, pitch_semitones)


def _converted(
    audio_TC: np.ndarray, rate_hz: int, sample_rate_hz: int, pitch_semitones: float | None
) -> np.ndarray:
    """Apply the effects that pysox's transformer makes of `convert`, `pitch` and `set_output_format`; a pitch shift of
    one channel at the right rate by our own stretching, where it gives SoX's samples.
    """
    chain: list[Effect] = [
        ("rate", "-h", f"{sample_rate_hz:f}"),
        ("channels", "1"),
        ("rate", str(sample_rate_hz)),
    ]
    if pitch_semitones is None:
        return _sox(audio_TC, rate_hz, sample_rate_hz, chain)
    factor = pitch_factor(pitch_semitones)
    usual = audio_TC.shape[1] == 1 and rate_hz == sample_rate_hz and 0.5 <= factor <= 2
    # SoX leaves out a stretching by 1.
    if usual and factor != 1 and own_pitch_is_sox():
        return _pitched(audio_TC[:, 0], sample_rate_hz, factor)
    chain.insert(1, ("pitch", f"{100 * pitch_semitones:f}"))
    return _sox(audio_TC, rate_hz, sample_rate_hz, chain)


def _pitched(audio_T: np.ndarray, rate_hz: int, factor: float) -> np.ndarray:
    """Shift in pitch: stretch, then take what comes out as of another rate, from which SoX resamples."""
    samples_T = (audio_T * _INT32).astype(np.int32)
    stretched_T = stretched(samples_T, rate_hz, factor)
    return _resampled(stretched_T, rate_hz / factor, rate_hz) / _INT32


def _resampled(samples_T: np.ndarray, rate_hz: float, sample_rate_hz: int) -> np.ndarray:
    # A context for each sound, since every other use of soxbindings ends SoX for the whole process.
    with _one_at_a_time, soxbindings.sox_context():
        return _library().resampled(samples_T, rate_hz, sample_rate_hz)


@functools.lru_cache(maxsize=1)
def _library() -> SoxLibrary:
    """Return the SoX that soxbindings is linked with. OSError or AttributeError where it is not to be had."""
    extension = find_spec("soxbindings._soxbindings")
    if extension is None or extension.origin is None:
        raise OSError("soxbindings has no extension module")
    return SoxLibrary(extension.origin)


def _sox(
    audio_TC: np.ndarray, rate_hz: float, sample_rate_hz: int, chain: Sequence[Effect]
) -> np.ndarray:
    """Apply a chain of effects without a command line; the result is mono at `sample_rate_hz`."""
    effects = []
    for name, *arguments in chain:
        effect = soxbindings.SoxEffect()
        effect.effect_name, effect.effect_args = name, arguments
        effects.append(effect)
    with _one_at_a_time:
        found_TC, _ = soxbindings.build_flow_effects(
            audio_TC,
            rate_hz,
            effects,
            in_precision=_BITS,
            out_channels=1,
            sample_rate_out=sample_rate_hz,
        )
    return found_TC[:, 0]


def sox_reverb(mix_T: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Return a mixture, clipped to what SoX holds, in SoX's room."""
    verify_sox()
    transformer = soxbindings.Transformer().reverb(reverberance=_REVERBERANCE)
    clipped_T = np.clip(mix_T, -1.0, 1.0 - 1 / _INT32)
    with _one_at_a_time:
        found_TC = transformer.build_array(
            input_array=clipped_T[:, None], sample_rate_in=sample_rate_hz
        )
    return found_TC.reshape(-1)[: len(mix_T)]


def _test_noise() -> np.ndarray:
    """Return a second of noise, rounded like SoX's samples."""
    noise_T = np.random.default_rng(0).uniform(-0.5, 0.5, _TEST_RATE_HZ)
    return np.trunc(noise_T * _INT32) / _INT32


@functools.lru_cache(maxsize=1)
def own_pitch_is_sox() -> bool:
    """Tell, once per process, whether our stretching and SoX's rate are bitwise this SoX's pitch, up and down.

    Where they are not, the data sets' bytes stay those of SoX, at soxbindings' speed.
    """
    noise_T, rate_hz = _test_noise(), _TEST_RATE_HZ
    try:
        _library()
    except (OSError, AttributeError):
        return False
    return all(
        np.array_equal(
            _pitched(noise_T, rate_hz, pitch_factor(semitones)),
            _sox(
                noise_T[:, None],
                rate_hz,
                rate_hz,
                [("pitch", f"{100 * semitones:f}"), ("rate", str(rate_hz))],
            ),
        )
        for semitones in (-2.3, 1.7)
    )


@functools.lru_cache(maxsize=1)
def verify_sox() -> None:
    """Check once per process that SoX leaves a signal alone where it should, and shifts a tone as far as
    asked.

    Raises ImportError if this machine's build of soxbindings corrupts audio.
    """
    rate_hz, noise_T = _TEST_RATE_HZ, _test_noise()
    tone_TC = 0.5 * np.sin(2 * np.pi * 440.0 * np.arange(rate_hz) / rate_hz)[:, None]
    same_T = _converted(noise_T[:, None], rate_hz, rate_hz, None)
    shifted_T = _converted(tone_TC, rate_hz, rate_hz, 3.0)
    peak_hz = np.abs(np.fft.rfft(shifted_T)).argmax() * rate_hz / max(len(shifted_T), 1)
    expected_hz = 440.0 * 2 ** (3 / 12)
    identical = np.array_equal(same_T, noise_T)
    if not identical or abs(peak_hz - expected_hz) > 5.0:
        raise ImportError(
            "soxbindings corrupts audio on this machine: a signal that should pass unchanged "
            f"{'does' if identical else 'does not'}, and a 440 Hz tone shifted by 3 semitones came "
            f"out at {peak_hz:.0f} Hz instead of {expected_hz:.0f}; "
            "reinstall libsox-dev and libsox-fmt-all, then soxbindings from source"
        )
