"""The published way to do the work of a data job: Scaper's files, librosa's mel bands, np.convolve."""

from pathlib import Path

import librosa
import numpy as np

from raysed.data.soundscapes import soundscape
from raysed.data.soundscapes.soundscape import SoundscapeContext, specify


def published_soundscape(context: SoundscapeContext, index: int, folder: Path) -> Path:
    """Make one soundscape as the published generator does: with a new Scaper, and all of its files."""
    background, *events = specify(context, index)
    bank, data_set = context.soundbank, context.data_set
    scape = soundscape.scaper.Scaper(context.duration_s, bank.foreground_root, bank.background_root)
    scape.sr, scape.protected_labels = context.sample_rate_hz, []
    # Scaper documents a float; the checker infers int from its default.
    scape.ref_db = data_set.ref_db  # type: ignore[assignment]
    constant = lambda value: ("const", value)  # noqa: E731
    scape.add_background(
        constant(background.label),
        constant(background.source_file),
        constant(background.source_time),
    )
    for e in events:
        scape.add_event(
            label=constant(e.label),
            source_file=constant(e.source_file),
            source_time=constant(e.source_time),
            event_time=constant(e.event_time),
            event_duration=constant(e.event_duration),
            snr=constant(e.snr),
            pitch_shift=None if e.pitch_shift is None else constant(e.pitch_shift),
            time_stretch=None,
        )
    wav = folder / f"{index}.wav"
    scape.generate(
        str(wav),
        str(wav.with_suffix(".jams")),
        txt_path=str(wav.with_suffix(".txt")),
        save_isolated_events=True,
        disable_instantiation_warnings=True,
        reverb=None,
    )
    return wav


def published_mel(waveform_T: np.ndarray) -> np.ndarray:
    """Compute the mel bands by librosa as the published code calls it."""
    spectrum = librosa.stft(
        waveform_T, n_fft=2048, hop_length=255, window=np.hamming(2048), pad_mode="reflect"
    )
    mel_FT = librosa.feature.melspectrogram(
        S=np.abs(spectrum), sr=16000, n_mels=128, fmin=0, fmax=8000, htk=False, norm=None
    )
    return mel_FT.T.astype(np.float32)


def convolved(tracks: list[np.ndarray], responses: list[np.ndarray]) -> np.ndarray:
    """Convolve six full-length tracks, each with its response, and add them up."""
    wet = [
        np.convolve(track_T, 10 * rir_T)[: len(track_T)]
        for track_T, rir_T in zip(tracks, responses, strict=True)
    ]
    return np.sum(wet, axis=0)
