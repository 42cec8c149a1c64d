"""A made-up evaluation set of the size of AudioSet strong: ground truth, and score files with a column for each class.

16,996 clips of 10 s, 407 classes with a long tail, 250 frames: 1.7e9 scores, 16 GB of text. Scores rise where events
are, bumps elsewhere are false alarms, and most of the others are far below .01, as sigmoid outputs are.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from numba import njit

CLIP_S = 10.0
DIGITS = 6
"""Decimal places of a score."""


def names_of(count: int, what: str) -> list[str]:
    """Return names that sort as they are numbered."""
    return [f"{what}_{n:05d}" for n in range(count)]


def made_events(n_clips: int, n_classes: int, seed: int = 0) -> list[tuple[int, int, float, float]]:
    """Return events as clip, class, onset, offset: every class has one, a few have most, and none overlaps another of
    its class.
    """
    rng = np.random.default_rng([seed, 1])
    share_K = 1 / (np.arange(n_classes) + 3.0)
    share_K /= share_K.sum()
    found = []
    for clip in range(n_clips):
        drawn = rng.choice(n_classes, size=1 + rng.poisson(2), p=share_K)
        for label in {int(clip % n_classes), *drawn.tolist()}:
            edge_X = np.sort(rng.choice(1000, size=2 * rng.integers(1, 4), replace=False)) / 100
            found += [(clip, label, *edge_X[i : i + 2].tolist()) for i in range(0, len(edge_X), 2)]
    return found


def write_set(folder: Path, n_clips: int, n_classes: int, n_frames: int) -> None:
    """Write truth.tsv, durations.tsv and scores/CLIP.tsv."""
    (folder / "scores").mkdir(parents=True, exist_ok=True)
    clips, classes = names_of(n_clips, "clip"), names_of(n_classes, "class")
    events = made_events(n_clips, n_classes)
    rows = [f"{clips[n]}.wav\t{on:.2f}\t{off:.2f}\t{classes[k]}" for n, k, on, off in events]
    header = "filename\tonset\toffset\tevent_label"
    (folder / "truth.tsv").write_text("\n".join([header, *rows]) + "\n")
    rows = [f"{clip}.wav\t{CLIP_S}" for clip in clips]
    (folder / "durations.tsv").write_text("\n".join(["filename\tduration", *rows]) + "\n")
    jobs = len(os.sched_getaffinity(0))
    write = partial(_write_clip, folder / "scores", classes, n_frames)
    with ProcessPoolExecutor(jobs) as pool:
        list(pool.map(write, enumerate_events(events, n_clips), chunksize=64))


def enumerate_events(
    events: list[tuple[int, int, float, float]], n_clips: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each clip with its events (E, 3): class, onset, offset."""
    first = 0
    for clip in range(n_clips):
        stop = first
        while stop < len(events) and events[stop][0] == clip:
            stop += 1
        yield clip, np.array([event[1:] for event in events[first:stop]], np.float64).reshape(-1, 3)
        first = stop


def _write_clip(
    folder: Path, classes: list[str], n_frames: int, clip: tuple[int, np.ndarray]
) -> None:
    number, event_E3 = clip
    edge_T1 = np.linspace(0, CLIP_S, n_frames + 1)
    score_TK = made_scores(number, event_E3, edge_T1, len(classes))
    times = [f"{on:.3f}\t{off:.3f}".encode() for on, off in pairwise(edge_T1)]
    text = _digits(np.rint(score_TK * 10**DIGITS).astype(np.int64))
    rows = (time + row.tobytes() for time, row in zip(times, text, strict=True))
    header = "\t".join(["onset", "offset", *classes]).encode()
    (folder / f"clip_{number:05d}.tsv").write_bytes(b"\n".join([header, *rows]) + b"\n")


@njit(cache=True)
def made_scores(seed: int, event_E3: np.ndarray, edge_T1: np.ndarray, n_classes: int) -> np.ndarray:
    """Return scores (T, K) of one clip."""
    np.random.seed(seed)
    n_frames = edge_T1.size - 1
    logit_TK = np.empty((n_frames, n_classes))
    for k in range(n_classes):
        level, drift = np.random.normal(-8.0, 1.2), 0.0
        for t in range(n_frames):
            drift = 0.9 * drift + np.random.normal(0.0, 0.25)
            logit_TK[t, k] = level + drift
        if np.random.random() < 0.01:
            first, height = np.random.randint(n_frames), np.random.uniform(2.0, 8.0)
            for t in range(first, min(n_frames, first + np.random.randint(5, 60))):
                logit_TK[t, k] += height
    for e in range(len(event_E3)):
        gain = np.random.normal(9.0, 3.0)
        early, late = np.random.normal(0.0, 0.1), np.random.normal(0.0, 0.2)
        for t in range(n_frames):
            if event_E3[e, 1] + early <= edge_T1[t] < event_E3[e, 2] + late:
                logit_TK[t, int(event_E3[e, 0])] += gain
    return 1 / (1 + np.exp(-logit_TK))


@njit(cache=True)
def _digits(micro_TK: np.ndarray) -> np.ndarray:
    """Return each row as the text of its scores, each behind a tab: uint8 (T, K * (DIGITS + 3))."""
    width = DIGITS + 3
    text_TX = np.empty((micro_TK.shape[0], micro_TK.shape[1] * width), np.uint8)
    for t in range(micro_TK.shape[0]):
        for k in range(micro_TK.shape[1]):
            rest, first = micro_TK[t, k], k * width
            text_TX[t, first] = 9  # a tab
            for place in range(width - 1, 2, -1):
                text_TX[t, first + place] = 48 + rest % 10
                rest //= 10
            text_TX[t, first + 1], text_TX[t, first + 2] = 48 + rest, 46
    return text_TX
