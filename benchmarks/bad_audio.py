"""Bad recordings, made here: cut containers, broken samples, files that are no files, and one good one."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

RATE_HZ = 8000
GOOD = "good.wav"
PERCENTS = (30, 60, 90, 98)
"""The share of a cut file that is left."""
CONTAINERS = {
    **{"wav": ("WAV", "PCM_16"), "float.wav": ("WAV", "FLOAT"), "adpcm.wav": ("WAV", "IMA_ADPCM")},
    **{"flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS")},
    **{"mp3": ("MP3", "MPEG_LAYER_III"), "aiff": ("AIFF", "PCM_16"), "aifc": ("AIFF", "ULAW")},
    **{"au": ("AU", "PCM_16"), "caf": ("CAF", "PCM_16"), "alac.caf": ("CAF", "ALAC_16")},
    **{"w64": ("W64", "PCM_16"), "rf64": ("RF64", "PCM_16"), "nist": ("NIST", "PCM_16")},
    **{"voc": ("VOC", "PCM_16"), "avr": ("AVR", "PCM_16")},
}
READ_BY_DATA = ("wav", "flac", "ogg")


def write_cut(folder: Path, only: tuple[str, ...] | None = None) -> list[str]:
    """Write files of every container, cut to each share; return their names. `only` keeps some extensions."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for extension, (form, subtype) in CONTAINERS.items():
        if only is not None and extension.rpartition(".")[2] not in only:
            continue
        content = _encoded(_noise(24000), RATE_HZ, format=form, subtype=subtype)
        for percent in PERCENTS:
            names.append(f"cut{percent}.{extension}")
            (folder / names[-1]).write_bytes(content[: len(content) * percent // 100])
    return names


def write_broken(folder: Path) -> list[str]:
    """Write a file for each other fault; return the names of those that cannot be used."""
    folder.mkdir(parents=True, exist_ok=True)
    not_a_number_T, infinite_T = _noise(8000), _noise(8000)
    not_a_number_T[4000], infinite_T[0] = np.nan, np.inf
    whole = _encoded(_noise(8000), RATE_HZ, format="OGG", subtype="VORBIS")
    contents = {
        "empty.wav": b"",
        "text.wav": b"Not audio at all. " * 50,
        "head.wav": b"RIFF",
        "zeros.flac": bytes(4000),
        "nosamples.wav": _encoded(np.zeros(0), RATE_HZ, format="WAV"),
        "nan.wav": _encoded(not_a_number_T, RATE_HZ, format="WAV", subtype="FLOAT"),
        "infinite.wav": _encoded(infinite_T, RATE_HZ, format="WAV", subtype="FLOAT"),
        "onesample.wav": _encoded(_noise(1), 44100, format="WAV"),
        "joined.ogg": whole + whole,
        "lostpage.ogg": whole[: whole.rindex(b"OggS")] + whole[whole.index(b"OggS", 4) :],
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / GOOD).write_bytes(_encoded(_noise(8000), RATE_HZ, format="WAV"))
    return list(contents)


def write_no_files(folder: Path) -> dict[str, str]:
    """Write what has an audio suffix and is no file; return the argument that each is given as, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    os.mkfifo(folder / "pipe.wav")
    (folder / "loop.wav").symlink_to(folder / "loop.wav")
    names = ("pipe.wav", "absent.wav", "absent::chain.wav", "loop.wav")
    found = {name: str(folder / name) for name in names}
    return {**found, "nowhere": "nowhere://host/a.wav?key=secret", "device": "/dev/null"}


def _noise(samples: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, samples).astype(np.float32)


def _encoded(wave_T: np.ndarray, rate_hz: int, **options: Any) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, wave_T, rate_hz, **options)
    return file.getvalue()
