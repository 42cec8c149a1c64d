"""A tree of made-up sounds in DESED's layout, from numpy and soundfile alone: no code of raysed decides its bytes.

Every class is a tone of its own, every background weak noise; file sizes, names and labels never change, as
the ids of data sets are hashes of them.
"""

import json
from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 16000
CLIP_S = 2.0
CLASSES = ("Dog", "Speech")


def write_sounds(
    root: Path, classes: tuple[str, ...] = CLASSES, clips: int = 8, validation: int = 10
) -> dict[str, str]:
    """Write the tree at `root`; returns the roots of a data job."""
    for number, label in enumerate(classes):
        for cut in range(4):
            sound_T = tone(number, 0.4 + 0.2 * cut, cut)
            write(root / f"synthetic/audio/train/soundbank/foreground/{label}/t{cut}.wav", sound_T)
    for number in range(3):
        background = root / f"synthetic/audio/train/soundbank/background/room/b{number}.wav"
        write(background, noise(CLIP_S, number))
    for split in ("train", "validation"):
        for number in range(2):
            write(root / f"rir/{split}/room{number}.wav", room(number))
    write_metadata(root, classes)
    write_recorded(root / "dataset", classes, clips, validation)
    return {
        "recorded": str(root / "dataset"),
        "soundbank": str(root / "synthetic"),
        "rir": str(root / "rir"),
        "cooccurrences": str(root / "metadata"),
        "soundbank_validation": str(root / "metadata/soundbank_validation.tsv"),
    }


def write_metadata(root: Path, classes: tuple[str, ...]) -> None:
    """Co-occurrences, and which files of the bank are for validation: the last of every folder."""
    chance = round(1 / len(classes), 3)
    probas = [chance] * len(classes)
    row = {"max_events": 2, "mean_events": 1, "classes": list(classes), "probas": probas}
    occurrences = {label: {"proba": chance, "co-occurences": row} for label in classes}
    folder = root / "metadata"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "event_occurences_train.json").write_text(json.dumps(occurrences))
    held = [f"audio/validation/soundbank/foreground/{label}/t3.wav" for label in classes]
    held.append("audio/validation/soundbank/background/room/b2.wav")
    (folder / "soundbank_validation.tsv").write_text("\n".join(["filepath", *held]) + "\n")


def write_recorded(root: Path, classes: tuple[str, ...], clips: int, validation: int) -> None:
    """Clips of one event each, and their annotations."""
    subsets = {
        "train/weak": ("train/weak", clips, "filename\tevent_labels"),
        "train/unlabel_in_domain": ("train/unlabel_in_domain", clips, "filename"),
        "validation/validation": (
            "validation/validation",
            validation,
            "filename\tonset\toffset\tevent_label",
        ),
        "eval/public": ("eval/public", validation, "filename\tonset\toffset\tevent_label"),
    }
    for audio, (metadata, count, header) in subsets.items():
        lines = [header]
        for n in range(count):
            name, label = f"{audio.split('/')[1][:3]}{n:03d}.wav", classes[n % len(classes)]
            onset = round(0.1 + 0.1 * (n % 7), 3)
            length = 0.5 + 0.1 * (n % 5)
            clip_T = 0.2 * noise(CLIP_S, 100 + n)
            sound_T = tone(n % len(classes), length, n)
            start = int(onset * RATE_HZ)
            clip_T[start : start + len(sound_T)] += 0.05 * sound_T
            write(root / "audio" / audio / name, clip_T)
            row = {
                "filename": f"{name}",
                "filename\tevent_labels": f"{name}\t{label}",
            }.get(header, f"{name}\t{onset:.3f}\t{onset + length:.3f}\t{label}")
            lines.append(row)
        tsv = root / "metadata" / f"{metadata}.tsv"
        tsv.parent.mkdir(parents=True, exist_ok=True)
        tsv.write_text("\n".join(lines) + "\n")


def tone(number: int, length_s: float, seed: int) -> np.ndarray:
    """A tone of the class's own pitch, 20 ms of fade at both ends."""
    t = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    pitch_hz = 400 * 4 ** (number % 3) * (1 + 0.01 * (seed % 3))
    fade = np.minimum(1, np.minimum(t, length_s - t) / 0.02)
    return 0.4 * fade * (np.sin(2 * np.pi * pitch_hz * t) + 0.4 * np.sin(6 * np.pi * pitch_hz * t))


def noise(length_s: float, seed: int) -> np.ndarray:
    """Weak white noise."""
    return 0.01 * np.random.default_rng(seed).uniform(-1, 1, round(length_s * RATE_HZ))


def room(number: int) -> np.ndarray:
    """A response of 0.1 s that dies away."""
    tail = noise(0.1, 200 + number) * np.exp(-np.arange(round(0.1 * RATE_HZ)) / 300)
    tail[0] = 0.1
    return tail


def write(path: Path, waveform_T: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, waveform_T, RATE_HZ, subtype="PCM_16")
