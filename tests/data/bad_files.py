"""Audio files of every fault, and one that is sound but three hours long."""

import struct
from pathlib import Path

import numpy as np
import soundfile

THREE_HOURS = 3 * 3600 * 16000


def write_hours(path: Path) -> None:
    """Three hours of 16 kHz mono, noise in the first second; a sparse file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 2 * THREE_HOURS
    head = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16
    )
    noise_T = np.random.default_rng(0).integers(-9000, 9000, 16000).astype("<i2")
    with path.open("wb") as file:
        file.write(head + struct.pack("<4sI", b"data", size) + noise_T.tobytes())
        file.truncate(44 + size)


def write_bad_files(folder: Path) -> set[str]:
    """A file for each fault; returns the names of those that cannot be used."""
    folder.mkdir(parents=True, exist_ok=True)
    noise_TC = np.random.default_rng(1).uniform(-0.5, 0.5, (16000, 8))
    (folder / "corrupt.wav").write_bytes(b"RIFF is not enough")
    (folder / "empty.wav").write_bytes(b"")
    soundfile.write(folder / "nosamples.wav", np.zeros(0), 16000)
    soundfile.write(folder / "nan.wav", np.full(16000, np.nan, np.float32), 16000, subtype="FLOAT")
    cut = folder / "cut.flac"
    soundfile.write(cut, noise_TC[:, 0], 16000)
    cut.write_bytes(cut.read_bytes()[:300])
    soundfile.write(folder / "eight.wav", noise_TC, 16000)
    soundfile.write(folder / "slow.wav", noise_TC[:8000, 0], 8000)
    soundfile.write(folder / "fast.wav", np.repeat(noise_TC[:, :2], 3, axis=0), 48000)
    soundfile.write(folder / "short.wav", noise_TC[:1, 0], 16000)
    soundfile.write(folder / "plain.wav", noise_TC[:, 0], 16000)
    write_hours(folder / "hours.wav")
    return {"corrupt.wav", "empty.wav", "nosamples.wav", "nan.wav", "cut.flac"}
