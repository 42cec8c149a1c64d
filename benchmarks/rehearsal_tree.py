"""DESED's tree with made-up sound: real names and counts, or names made up where the annotations are not at
hand.

Recorded clips are hard links to a few hundred recordings of 10 s (44.1 kHz, 16 bits, mono), the soundbank has
files of its own. Every file is opened, decoded and resampled under its own name as a real one would be, but
they do not take 16 GB of disk, so reading is as fast as from memory. It takes about 100 ms for each distinct
recording.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr
import yaml

from raysed.data.soundscapes.placement import split_label
from raysed.demo.procedural import mixture
from raysed.demo.procedural_sounds import SAMPLE_RATE_HZ, SOUNDS, background

JOB = Path(__file__).parents[1] / "data_jobs" / "desed.yaml"
RATE_HZ = 44_100
COUNTS = {"weak": 1578, "unlabelled": 14_412, "val": 1168, "eval": 692}
"""Numbers of clips that DESED's annotations list; a tenth of the weak ones is kept for x-valid."""
SETS = ("train_pitch_dry", "xvalid_pitch_dry", "weak", "weak_xvalid", "unlabelled", "val", "eval")
"""The sets of desed.yaml that one training of the paper reads."""
_TSV = {
    "weak": "train/weak.tsv",
    "unlabelled": "train/unlabel_in_domain.tsv",
    "val": "validation/validation.tsv",
    "eval": "eval/public.tsv",
}
_AUDIO = {
    "weak": "train/weak",
    "unlabelled": "train/unlabel_in_domain",
    "val": "validation/validation",
    "eval": "eval/public",
}
_BANK = {"train": (900, 400), "validation": (100, 60)}
"""Numbers of foregrounds and backgrounds; DESED has about 1,000 and 2,000 in train."""
_CONTINUOUS_S = 12.0


def scaled(count: int, scale: float, least: int) -> int:
    """Return a share of this number, but not so few that nothing can be trained."""
    return min(count, max(least, round(scale * count)))


def write_tree(root: Path, scale: float, metadata: Path | None, distinct: int) -> Path:
    """Write sounds, annotations and `job.yaml` under `root`, all or nothing; return the job's file.

    `metadata` is DESED's own folder of annotations; without it the same numbers of clips are made up.
    """
    job_file = root / "job.yaml"
    if job_file.is_file():
        return job_file
    shutil.rmtree(root / "tree", ignore_errors=True)
    pool = write_pool(root / "tree" / "pool", scaled(distinct, scale, 8))
    for number, name in enumerate(COUNTS):
        lines = annotations(name, scale, metadata)
        tsv = root / "tree" / "dataset" / "metadata" / _TSV[name]
        tsv.parent.mkdir(parents=True, exist_ok=True)
        tsv.write_text("\n".join(lines) + "\n")
        names = sorted({line.split("\t")[0] for line in lines[1:]})
        link_clips(root / "tree" / "dataset" / "audio" / _AUDIO[name], names, pool, number)
    occurrences = cooccurrences(metadata)
    write_bank(root / "tree" / "synthetic", scale, occurrences)
    folder = root / "tree" / "occurrences"
    folder.mkdir()
    (folder / "event_occurences_train.json").write_text(json.dumps(occurrences))
    write_job(job_file, root, scale)
    return job_file


def write_job(path: Path, root: Path, scale: float) -> None:
    """Write desed.yaml with these roots, the sets of one training, and fewer soundscapes where scaled."""
    job, tree = yaml.safe_load(JOB.read_text()), root / "tree"
    sets = {name: job["sets"][name] for name in SETS}
    for one in sets.values():
        if one["kind"] == "synthetic":
            one["count"] = scaled(one["count"], scale, 40)
    roots = {
        "recorded": str(tree / "dataset"),
        "soundbank": str(tree / "synthetic"),
        "cooccurrences": str(tree / "occurrences"),
    }
    content = job | {"name": "rehearsal", "out": str(root / "data"), "roots": roots, "sets": sets}
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def annotations(name: str, scale: float, metadata: Path | None) -> list[str]:
    """Return the lines of a subset's TSV, header first, for a share of its clips."""
    count = scaled(COUNTS[name], scale, 20)
    if metadata is None:
        return made_up(name, count)
    header, *lines = (metadata / _TSV[name]).read_text().splitlines()
    kept = set(sorted({line.split("\t")[0] for line in lines})[:count])
    return [header, *(line for line in lines if line.split("\t")[0] in kept)]


def made_up(name: str, count: int) -> list[str]:
    """Make up annotations of this many clips: three or four events, or one or two labels, for each clip."""
    random, classes = np.random.default_rng([len(name), count]), list(SOUNDS)
    names = [f"Y{name:_<6.6}{n:05d}_0.000_10.000.wav" for n in range(count)]
    if name == "unlabelled":
        return ["filename", *names]
    if name == "weak":
        pairs = random.integers(0, len(classes), (count, 2))
        labels = [",".join(sorted({classes[a], classes[b]})) for a, b in pairs]
        return ["filename\tevent_labels", *map("\t".join, zip(names, labels, strict=True))]
    lines = ["filename\tonset\toffset\tevent_label"]
    for clip in names:
        # Each class once a clip: no overlaps within a class.
        for label in random.permutation(classes)[: random.integers(3, 5)]:
            onset = random.uniform(0, 8)
            offset = min(onset + random.uniform(0.5, 5), 10.0)
            lines.append(f"{clip}\t{onset:.3f}\t{offset:.3f}\t{label}")
    return lines


def write_pool(folder: Path, count: int) -> list[Path]:
    """Write recordings of 10 s: events over a background, as loud as a recorder would have them."""
    folder.mkdir(parents=True)
    paths = [folder / f"{n:04d}.wav" for n in range(count)]
    for n, path in enumerate(paths):
        random = np.random.default_rng([7, n])
        waveform_T, _ = mixture(random, 10.0)
        peak = random.uniform(0.05, 0.9) / (np.abs(waveform_T).max() + 1e-9)
        write_wav(path, peak * waveform_T)
    return paths


def write_wav(path: Path, waveform_T: np.ndarray) -> None:
    """Write a wav file at the rate of DESED's files, 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    resampled_T = soxr.resample(waveform_T, SAMPLE_RATE_HZ, RATE_HZ, quality="HQ")
    soundfile.write(path, resampled_T.clip(-1, 1), RATE_HZ, subtype="PCM_16")


def link_clips(folder: Path, names: Sequence[str], pool: Sequence[Path], seed: int) -> None:
    """Make every clip under its own name, as a hard link to one of the pool."""
    folder.mkdir(parents=True)
    chosen = np.random.default_rng([8, seed]).integers(0, len(pool), len(names))
    for name, n in zip(names, chosen, strict=True):
        os.link(pool[n], folder / name)


def cooccurrences(metadata: Path | None) -> dict:
    """Return DESED's own co-occurrences, or without them every class equally often."""
    if metadata is not None:
        return json.loads((metadata / "event_occurences_train.json").read_text())
    even = {"max_events": 8, "mean_events": 3, "classes": list(SOUNDS), "probas": [0.1] * 10}
    return {label: {"proba": 0.1, "co-occurences": even} for label in SOUNDS}


def write_bank(root: Path, scale: float, occurrences: dict) -> None:
    """Write foregrounds of every folder that the co-occurrences name, and backgrounds, for both splits."""
    folders = {label for row in occurrences.values() for label in row["co-occurences"]["classes"]}
    folders = sorted(folders | set(occurrences))
    for number, (split, (foregrounds, backgrounds)) in enumerate(_BANK.items()):
        bank = root / "audio" / split / "soundbank"
        each = scaled(foregrounds // len(folders), scale, 2)
        for f, folder in enumerate(folders):
            label, suffix = split_label(folder)
            for n in range(each):
                random = np.random.default_rng([9, number, f, n])
                sound_T = SOUNDS[label](random)
                if suffix:
                    # Cut on one side or both: sources of such labels go on past the soundscape.
                    times = int(_CONTINUOUS_S * SAMPLE_RATE_HZ / len(sound_T)) + 1
                    sound_T = np.tile(sound_T, times)
                sound_T *= 0.5 / (np.abs(sound_T).max() + 1e-9)
                write_wav(bank / "foreground" / folder / f"{split}{f:02d}{n:03d}.wav", sound_T)
        for n in range(scaled(backgrounds, scale, 2)):
            room_T = background(np.random.default_rng([10, number, n]), 10.0)
            path = bank / "background" / "room" / f"{split}room{n:03d}.wav"
            write_wav(path, room_T * (0.1 / (np.abs(room_T).max() + 1e-9)))
