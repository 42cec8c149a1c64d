"""Baseline systems that have learnt nothing; a system that has learnt something must beat them."""

import numpy as np

from raysed.evaluation.detections.events import Events, Reference


def always_on(reference: Reference) -> Events:
    """Return events of every class in every clip, from its start to its end."""
    n_clips, n_classes = len(reference.filenames), len(reference.classes)
    clip_E = np.repeat(np.arange(n_clips), n_classes)
    label_E = np.tile(np.arange(n_classes), n_clips)
    return Events.sort(
        clip_E, label_E, np.zeros(clip_E.size), np.asarray(reference.durations_s)[clip_E]
    )


def permuted_clips(events: Events, n_clips: int, seed: int) -> Events:
    """Return the same detections in other clips: those of clip n go to clip `derangement(n_clips, seed)[n]`.

    The same seed moves the detections of every operating point alike.
    """
    moved_E = derangement(n_clips, seed)[events.clip_E]
    return Events.sort(moved_E, events.label_E, events.onset_E, events.offset_E)


def derangement(n_clips: int, seed: int) -> np.ndarray:
    """Return int64 (N,): a random permutation in which no clip keeps its place (Sattolo's algorithm)."""
    if n_clips < 2:
        raise ValueError(f"{n_clips} clips cannot be exchanged: at least 2 are needed")
    generator = np.random.default_rng([seed, n_clips])
    place_N = np.arange(n_clips)
    for last in range(n_clips - 1, 0, -1):
        other = int(generator.integers(last))
        place_N[last], place_N[other] = int(place_N[other]), int(place_N[last])
    return place_N
