"""Recordings to frame scores: read, cut into windows, batched over recordings, put together again.

Mels are made in threads while the network works on the batch before. What is held does not grow with a
recording but for its scores and edges (28 bytes a frame of ten classes, 38 MB for 24 h).
"""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from raysed.predict.detector import Detector
from raysed.predict.settings import smooth
from raysed.predict.sources import Source
from raysed.predict.stream import Heard, blocks
from raysed.predict.windows import Timeline, windows

BATCH = {"cpu": 8, "cuda": 64}
"""Windows at once; on a CPU more cost memory and gain nothing."""


@dataclass(frozen=True)
class FrameScores:
    """Scores of one recording: T frames, K classes."""

    scores_TK: np.ndarray
    """float16, after each class's median filter."""
    edge_T1: np.ndarray
    """float64 seconds: frame t lasts from edge t to edge t + 1."""
    duration_s: float


@dataclass(frozen=True)
class Prediction:
    """What became of a recording."""

    source: Source
    scores: FrameScores | None
    """None where it could not be read."""
    notes: tuple[str, ...]
    reason: str = ""
    """Why there are no scores."""


@dataclass
class _Reading:
    """A recording on its way."""

    source: Source
    timeline: Timeline
    heard: Heard
    waiting: int = 0
    """Windows that have no scores yet."""
    ended: bool = False
    reason: str = ""


@dataclass(frozen=True)
class _Window:
    reading: _Reading
    start: int
    mel: Future[tuple[np.ndarray, int]]


def predict(detector: Detector, sources: Sequence[Source]) -> Iterator[Prediction]:
    """The scores of each recording, in order; one that cannot be read stops no other."""
    batch = BATCH[detector.device]
    queue: deque[_Window] = deque()
    readings: deque[_Reading] = deque()
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
        for source in sources:
            readings.append(_Reading(source, Timeline(detector.grid), Heard()))
            for window in _read(detector, readings[-1], threads):
                queue.append(window)
                if len(queue) == 2 * batch:
                    _score(detector, queue, batch)
            yield from _finished(readings)
        while queue:
            _score(detector, queue, batch)
        yield from _finished(readings)


def _read(detector: Detector, reading: _Reading, threads: ThreadPoolExecutor) -> Iterator[_Window]:
    """The windows of a recording, their mels in the making."""
    grid, heard = detector.grid, reading.heard
    try:
        stream = blocks(reading.source.url, grid.rate_hz, heard)
        for start, waveform_T in windows(stream, grid):
            if reading.reason:
                break
            reading.waiting += 1
            yield _Window(reading, start, threads.submit(detector.mel, waveform_T))
    except ValueError as error:
        reading.reason = str(error)
    reading.ended = True


def _score(detector: Detector, queue: deque[_Window], batch: int) -> None:
    """Score the first windows of the queue."""
    made = []
    for window in [queue.popleft() for _ in range(min(batch, len(queue)))]:
        window.reading.waiting -= 1
        try:
            made.append((window, window.mel.result()))
        except ValueError as error:
            window.reading.reason = str(error)
    if not made:
        return
    scores_BUK = smooth(detector.scores([mel for _, mel in made]), detector.settings)
    for (window, _), scores_UK in zip(made, scores_BUK, strict=True):
        if not window.reading.reason:
            window.reading.timeline.add(window.start, scores_UK)


def _finished(readings: deque[_Reading]) -> Iterator[Prediction]:
    """The recordings at the head of the line that have all their scores."""
    while readings and readings[0].ended and not readings[0].waiting:
        reading = readings.popleft()
        if reading.reason:
            yield Prediction(reading.source, None, (), reading.reason)
            continue
        duration_s = reading.heard.duration_s
        scores = FrameScores(*reading.timeline.finish(duration_s), duration_s)
        yield Prediction(reading.source, scores, reading.heard.notes())
