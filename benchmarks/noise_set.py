"""A finished data set of noise, full-size, for benchmarks that read features from disk."""

from collections.abc import Iterator

import numpy as np

from raysed.config.data_job import Features
from raysed.data.clip import Clip, Event
from raysed.storage.folder import Folder
from tests.data.small_sets import write_rows

CLASSES = tuple(f"class{k}" for k in range(10))
FEATURES = Features()


def write_set(folder: Folder, clips: int) -> str:
    """Write a finished data set of full-size features of noise; return its folder."""
    return write_rows(folder, _noise(clips), FEATURES, CLASSES)


def _noise(clips: int) -> Iterator[tuple[Clip, np.ndarray]]:
    """Return clips with two events each, and their mels (T, F)."""
    random, silence = np.random.default_rng(clips), np.zeros(1, np.float32)
    for n in range(clips):
        events = (Event(1.0, 3.0, CLASSES[n % 10]), Event(4.0, 9.0, CLASSES[n % 7]))
        labels = tuple(dict.fromkeys(event.event_label for event in events))
        shape = (FEATURES.n_frames, FEATURES.n_mels)
        mel_TF = random.uniform(0, 5, shape).astype(np.float32)
        yield Clip(f"{n:05d}.wav", silence, 10.0, events, labels, "{}"), mel_TF
