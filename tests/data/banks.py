"""Small data trees that tests write for themselves: every awkward source, and a procedural one."""

import json
from pathlib import Path

import numpy as np
import soundfile

from raysed.config.data_job import DataJob, Features, Roots, SyntheticSet
from raysed.demo.procedural import DemoSizes, write_demo_tree

TINY = DemoSizes(
    foregrounds=(3, 2), backgrounds=(2, 2), rooms=(3, 1), weak=6, unlabelled=4, validation=5
)


def write_audio(path: Path, seconds: float, rate_hz: int = 16000, channels: int = 1) -> None:
    """Noise under a tone, different for every path."""
    random = np.random.default_rng(list(path.name.encode()))
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    tone = 0.3 * np.sin(2 * np.pi * random.uniform(200, 2000) * time)
    noise = 0.05 * random.standard_normal((len(time), channels))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone[:, None] + noise, rate_hz, subtype="PCM_16")


def write_edge_bank(root: Path, *, validation_folder: bool = True) -> Roots:
    """All four suffixes; sources longer than 10 s and shorter than 0.5 s; a 44.1 kHz stereo
    source.
    """
    bank = root / "synthetic" / "audio" / "train" / "soundbank"
    for folder, name, seconds, rate_hz, channels in (
        ("Dog", "short_0", 0.3, 16000, 1),
        ("Dog", "stereo_0", 1.7, 44100, 2),
        ("Speech", "plain_0", 2.5, 16000, 1),
        ("Speech", "other_0", 1.1, 16000, 1),
        ("Frying", "long_0", 13.0, 16000, 1),
        ("Frying", "verylong_0", 31.0, 16000, 1),
        ("Frying_nOn", "a_0", 6.0, 16000, 1),
        ("Frying_nOff", "b_0", 12.0, 16000, 1),
        ("Frying_nOn_nOff", "c_0", 15.0, 16000, 1),
    ):
        write_audio(bank / "foreground" / folder / f"{name}.wav", seconds, rate_hz, channels)
    write_audio(bank / "background" / "room" / "exact_0.wav", 10.0)
    write_audio(bank / "background" / "room" / "short_0.wav", 3.3)
    write_audio(bank / "background" / "street" / "long_0.wav", 17.0, 44100, 2)
    if validation_folder:
        # So that nothing is held out of the train folder.
        for path in ("foreground/Dog/held_0.wav", "background/room/held_0.wav"):
            write_audio(root / "synthetic" / "audio" / "validation" / "soundbank" / path, 1.0)
    labels = ["Dog", "Speech", "Frying", "Frying_nOn", "Frying_nOff", "Frying_nOn_nOff"]
    probas = [0.2, 0.2, 0.2, 0.2, 0.1, 0.1]
    others = {"max_events": 4, "classes": ["Dog", "Frying", "Speech"], "probas": [0.5, 0.25, 0.25]}
    content = {
        label: {"proba": proba, "co-occurences": others}
        for label, proba in zip(labels, probas, strict=True)
    }
    (root / "event_occurences_train.json").write_text(json.dumps(content))
    return Roots(soundbank=str(root / "synthetic"), cooccurrences=str(root))


def edge_job(roots: Roots, **changes: object) -> DataJob:
    """One set `soundscapes` of 30 from the edge bank."""
    data_set = SyntheticSet(
        **{"kind": "synthetic", "split": "train", "count": 30, "seed": 5, **changes}
    )
    return DataJob(name="edge", out="unused", roots=roots, sets={"soundscapes": data_set})


def tiny_job(root: Path) -> DataJob:
    """Synthetic sets of 5 s from a tiny procedural tree, with and without pitch shift and
    reverberation.
    """
    roots = write_demo_tree(root, seed=1, sizes=TINY)
    base = {"kind": "synthetic", "split": "train", "count": 20, "seed": 3}
    return DataJob(
        name="tiny",
        out="unused",
        roots=roots,
        features=Features(duration_s=5.0),
        sets={
            "plain": SyntheticSet(**base, pitch_shift_semitones=0.0),
            "pitch": SyntheticSet(**base),
            "rir": SyntheticSet(**base, reverb="rir"),
            "sox": SyntheticSet(**base, pitch_shift_semitones=0.0, reverb="sox"),
            "xvalid": SyntheticSet(**{**base, "split": "xvalid"}),
        },
    )
