"""A made-up system on a made-up set as large as DESED's validation set, for benchmarks.boxes."""

import numpy as np

from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores

CLASSES = tuple(f"class{k}" for k in range(10))
FRAME_S, FRAMES, CLIP_S = 0.064, 156, 10.0


def made_up_set(clips: int, seed: int = 0) -> tuple[Reference, FrameScores]:
    """Return N clips with 3.6 events on average, and scores of a system that hears most of them.

    Its logits follow the events with blurred edges, miss one in eight, and wander (a random walk), so curves have
    the dips, plateaus and saturations that post-processing is for.
    """
    rng = np.random.default_rng(seed)
    truth = _events(rng, clips)
    logit_NTK = -4 + _wander(rng, clips)
    centre_T = (np.arange(FRAMES) + 0.5) * FRAME_S
    for n, k, onset, offset in zip(
        *(array.tolist() for array in vars(truth).values()), strict=True
    ):
        height = rng.normal(7, 2) if rng.random() > 0.125 else 1
        edge_s = rng.uniform(0.02, 0.25)
        shape_T = np.tanh((centre_T - onset) / edge_s) - np.tanh((centre_T - offset) / edge_s)
        logit_NTK[n, :, k] += height * shape_T / 2
    names = tuple(f"clip{n:05d}" for n in range(clips))
    reference = Reference(names, np.full(clips, CLIP_S), CLASSES, truth)
    edges_NT1 = np.round(np.arange(FRAMES + 1) * FRAME_S, 6)[None].repeat(clips, axis=0)
    return reference, FrameScores(1 / (1 + np.exp(-logit_NTK)), edges_NT1)


def _events(rng: np.random.Generator, clips: int) -> Events:
    """Draw events of which no two of one class overlap."""
    rows: list[tuple[int, int, float, float]] = []
    for n in range(clips):
        ends = dict.fromkeys(range(len(CLASSES)), 0.0)
        for _ in range(rng.poisson(3.6)):
            k = int(rng.integers(len(CLASSES)))
            onset = round(ends[k] + rng.uniform(0, 6), 3)
            offset = round(min(onset + rng.lognormal(0, 0.9), CLIP_S), 3)
            if offset - onset > 0.1:
                rows.append((n, k, onset, offset))
                ends[k] = offset + 0.1
    columns = (np.array(column) for column in zip(*rows, strict=True))
    return Events.sort(*columns)


def _wander(rng: np.random.Generator, clips: int) -> np.ndarray:
    """Return a smooth random walk that returns to 0, of 0.7 on average, (N, T, K).

    With it a class of a clip has 25 candidates and 5.6 boxes; 12 clips of the DCASE 2023 baseline have 28 and 4.3.
    """
    walk_NTK = rng.normal(0, 1, (clips, FRAMES, len(CLASSES)))
    for _ in range(2):
        for t in range(1, FRAMES):
            walk_NTK[:, t] += 0.85 * walk_NTK[:, t - 1]
    return 0.7 * walk_NTK / walk_NTK.std()
