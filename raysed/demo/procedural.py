"""The built-in sound bank of `make demo`: a small tree in DESED's layout, made of synthetic sounds.

It holds foregrounds, backgrounds and impulse responses for Scaper, and recorded-like clips from a separate
mixer with its own draws, so that synthetic and "recorded" clips differ as two data sets do. About 10 s on one
core.
"""

import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import butter, fftconvolve, sosfilt

from raysed.config.data_job import Roots
from raysed.data.clip import Event
from raysed.data.labels import clean_events, weak_labels
from raysed.data.soundscapes.loudness import integrated_lufs
from raysed.demo.procedural_sounds import SAMPLE_RATE_HZ, SOUNDS, background, room_response

# Part of the tree's identity: raise it when the sounds or the mixer change.
VERSION = 2

# Scaper's reference level: the two domains must not differ by loudness.
_BACKGROUND_LUFS = -55.0
_SHORT_SOUNDS = ("Alarm_bell_ringing", "Cat", "Dishes", "Dog", "Speech")
_GAP_S = 0.25


@dataclass(frozen=True)
class DemoSizes:
    """The numbers of files of each kind."""

    foregrounds: tuple[int, int] = (16, 6)
    """Foregrounds of each class in the train and the validation soundbank."""
    backgrounds: tuple[int, int] = (20, 8)
    rooms: tuple[int, int] = (12, 6)
    weak: int = 200
    unlabelled: int = 200
    validation: int = 120
    duration_s: float = 5.0


def demo_roots(root: str | Path) -> Roots:
    """Return the roots of the parts of a demo tree."""
    root = Path(root)
    return Roots(
        recorded=str(root / "dataset"),
        soundbank=str(root / "synthetic"),
        rir=str(root / "rir_data"),
        cooccurrences=str(root / "synthetic" / "metadata" / "event_occurences"),
    )


def write_demo_tree(root: str | Path, *, seed: int = 0, sizes: DemoSizes | None = None) -> Roots:
    """Write the tree at `root`, all or nothing, and return its roots; a finished one is used again.

    A tree written with another seed, sizes or version is replaced; a folder that is not such a
    tree is refused with ValueError.
    """
    root, sizes = Path(root).absolute(), sizes or DemoSizes()
    identity = json.loads(json.dumps({"version": VERSION, "seed": seed, "sizes": asdict(sizes)}))
    if root.exists():
        if _identity(root) == identity:
            return demo_roots(root)
        if _identity(root) is None and any(root.iterdir()):
            raise ValueError(f"{root}: is not a demo sound bank; give a new or empty folder")
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent, prefix=f".{root.name}-") as scratch:
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        _write_soundbank(fresh, seed, sizes)
        _write_recorded(fresh, seed, sizes)
        (fresh / "demo.json").write_text(json.dumps(identity, indent=2) + "\n")
        if root.exists():
            root.rename(Path(scratch) / "old")
        fresh.rename(root)
    return demo_roots(root)


def _identity(root: Path) -> dict | None:
    path = root / "demo.json"
    return json.loads(path.read_text()) if path.is_file() else None


def _write(path: Path, waveform_T: np.ndarray) -> None:
    # 24 bits, since the mixtures peak at a hundredth of full scale.
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, waveform_T, SAMPLE_RATE_HZ, subtype="PCM_24")


def _peak(waveform_T: np.ndarray) -> np.ndarray:
    return waveform_T * (0.5 / (np.abs(waveform_T).max() + 1e-9))


def _write_soundbank(root: Path, seed: int, sizes: DemoSizes) -> None:
    """Write foregrounds, backgrounds, rooms and co-occurrences of the train and the validation split."""
    for number, split in enumerate(("train", "validation")):
        bank = root / "synthetic" / "audio" / split / "soundbank"
        for c, (label, generate) in enumerate(SOUNDS.items()):
            for i in range(sizes.foregrounds[number]):
                sound_T = generate(np.random.default_rng([seed, 1, number, c, i]))
                _write(bank / "foreground" / label / f"{split}{c}{i:03d}.wav", _peak(sound_T))
        for i in range(sizes.backgrounds[number]):
            room_T = background(np.random.default_rng([seed, 2, number, i]), sizes.duration_s)
            _write(bank / "background" / "room" / f"{split}room{i:03d}.wav", _peak(room_T))
        for i in range(sizes.rooms[number]):
            # A tenth of full scale, as FUSS stores them.
            response_T = 0.1 * room_response(np.random.default_rng([seed, 3, number, i]))
            _write(root / "rir_data" / split / f"room{i:03d}.wav", response_T)
        occurrences = Path(demo_roots(root).cooccurrences or "") / f"event_occurences_{split}.json"
        occurrences.parent.mkdir(parents=True, exist_ok=True)
        occurrences.write_text(json.dumps(_cooccurrences(), indent=1))


def _cooccurrences() -> dict:
    """Return co-occurrences: every class is equally frequent; two in five further events are of the same
    class, the others are spread evenly.
    """
    return {
        label: {
            "proba": 0.1,
            "co-occurences": {
                "max_events": 4,
                "mean_events": 2,
                "classes": list(SOUNDS),
                "probas": [0.46 if other == label else 0.06 for other in SOUNDS],
            },
        }
        for label in SOUNDS
    }


def _write_recorded(root: Path, seed: int, sizes: DemoSizes) -> None:
    """Write weak, unlabelled and validation clips with their TSVs."""
    subsets = (
        ("train/weak", sizes.weak, "filename\tevent_labels"),
        ("train/unlabel_in_domain", sizes.unlabelled, "filename"),
        ("validation/validation", sizes.validation, "filename\tonset\toffset\tevent_label"),
    )
    for number, (folder, count, header) in enumerate(subsets):
        lines = [header]
        for i in range(count):
            waveform_T, events = mixture(
                np.random.default_rng([seed, 4, number, i]), sizes.duration_s
            )
            name = f"Ydemo{number}{i:04d}_0.000_{sizes.duration_s:.3f}.wav"
            _write(root / "dataset" / "audio" / folder / name, waveform_T)
            lines += _rows(name, events, header)
        tsv = root / "dataset" / "metadata" / f"{folder}.tsv"
        tsv.parent.mkdir(parents=True, exist_ok=True)
        tsv.write_text("\n".join(lines) + "\n")


def _rows(name: str, events: tuple[Event, ...], header: str) -> list[str]:
    if header.endswith("event_label"):
        return [f"{name}\t{e.onset:.3f}\t{e.offset:.3f}\t{e.event_label}" for e in events]
    return [f"{name}\t{','.join(weak_labels(events))}" if "\t" in header else name]


def mixture(random: np.random.Generator, duration_s: float) -> tuple[np.ndarray, tuple[Event, ...]]:
    """Draw a recorded-like clip: one to three classes in one room over a background, by a cheap recorder.

    Returns float64 audio at Scaper's level (background -55 LUFS, events 6 to 26 dB over it) and
    its events.
    """
    length = int(duration_s * SAMPLE_RATE_HZ)
    mix_T = _at_level(background(random, duration_s), _BACKGROUND_LUFS)
    response_T = room_response(random) if random.random() < 0.5 else np.ones(1)
    events = []
    for label in random.choice(
        list(SOUNDS), random.choice([1, 2, 3], p=[0.4, 0.4, 0.2]), replace=False
    ):
        repeats = random.integers(1, 3) if label in _SHORT_SOUNDS else 1
        earliest_s = 0.0
        for _ in range(repeats):
            sound_T = SOUNDS[str(label)](random)
            seconds = len(sound_T) / SAMPLE_RATE_HZ
            latest_s = duration_s - min(seconds, 1.0)
            if latest_s <= earliest_s:
                break
            onset = random.uniform(
                earliest_s, latest_s if repeats == 1 else (earliest_s + latest_s) / 2
            )
            start = int(onset * SAMPLE_RATE_HZ)
            sound_T = fftconvolve(sound_T, response_T)[: length - start]
            mix_T[start : start + len(sound_T)] += _at_level(
                sound_T, _BACKGROUND_LUFS + random.uniform(6, 26)
            )
            events.append(Event(onset, min(onset + seconds, duration_s), str(label)))
            earliest_s = onset + seconds + _GAP_S
    clean = clean_events(events, duration_s, min_event_s=0.25, merge_gap_s=0.15, merge_onsets_s=0.4)
    return _recorded(mix_T, random), clean


def _at_level(waveform_T: np.ndarray, lufs: float) -> np.ndarray:
    return waveform_T * 10 ** ((lufs - integrated_lufs(waveform_T, SAMPLE_RATE_HZ)) / 20)


def _recorded(waveform_T: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Filter as a cheap recorder does: some lose the high frequencies, some the low ones."""
    for share, kind, low_hz, high_hz in ((0.3, "low", 4500, 7000), (0.3, "high", 80, 200)):
        if random.random() < share:
            edge_hz = random.uniform(low_hz, high_hz)
            sections = butter(2, edge_hz, kind, fs=SAMPLE_RATE_HZ, output="sos")
            waveform_T = np.asarray(sosfilt(sections, waveform_T))
    return waveform_T
