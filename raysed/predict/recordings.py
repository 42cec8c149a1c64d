"""The way from recordings to frame scores: read, cut into windows, batched over recordings, put together
again.

Mels and embeddings are made in threads while the network works on the batch before. Of what is held, only scores and edges
grow with a recording (28 bytes a frame of ten classes, 38 MB for 24 h).
"""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from raysed.data.stream import Heard, blocks
from raysed.data.windows import Timeline, windows
from raysed.predict.detector import Detector, WindowInput
from raysed.predict.settings import smooth
from raysed.predict.sources import Recording

BATCH = {"cpu": 8, "cuda": 64}
"""Number of windows at once; on a CPU more cost memory and gain nothing."""


@dataclass(frozen=True)
class RecordingScores:
    """Scores of one recording: T frames, K classes."""

    scores_TK: np.ndarray
    """float16, after each class's median filter."""
    edge_T1: np.ndarray
    """float64 seconds: frame t lasts from edge t to edge t + 1."""
    duration_s: float


@dataclass(frozen=True)
class Prediction:
    """The outcome of a recording."""

    source: Recording
    scores: RecordingScores | None
    """The scores; None where the recording could not be read."""
    notes: tuple[str, ...]
    reason: str = ""
    """The reason why there are no scores."""
    lower_rate: str = ""
    """The one of the notes that is about a rate below the model's."""


@dataclass
class _Reading:
    """A recording that is being read and scored."""

    source: Recording
    timeline: Timeline
    heard: Heard
    waiting: int = 0
    """Number of windows that have no scores yet."""
    ended: bool = False
    reason: str = ""


@dataclass(frozen=True)
class _Window:
    reading: _Reading
    start: int
    input: Future[WindowInput]


def predict(detector: Detector, sources: Sequence[Recording]) -> Iterator[Prediction]:
    """Yield the scores of each recording, in order; one that cannot be read does not stop the others."""
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
    """Yield the windows of a recording, whose mels are computed in threads."""
    grid, heard = detector.grid, reading.heard
    try:
        stream = blocks(reading.source.url, grid.rate_hz, heard)
        for start, waveform_T in windows(stream, grid):
            if reading.reason:
                break
            reading.waiting += 1
            yield _Window(reading, start, threads.submit(detector.window_input, waveform_T))
    except Exception as error:  # one recording's fault, whatever it is, stops no other
        reading.reason = _reason(error)
    reading.ended = True


def _score(detector: Detector, queue: deque[_Window], batch: int) -> None:
    """Score the first windows of the queue. Raises AssertionError where the network cannot."""
    made = []
    for window in [queue.popleft() for _ in range(min(batch, len(queue)))]:
        window.reading.waiting -= 1
        try:
            made.append((window, window.input.result()))
        except Exception as error:  # as above
            window.reading.reason = window.reading.reason or _reason(error)
    if not made:
        return
    try:
        scores_BUK = detector.scores([each for _, each in made])
    except ValueError as error:  # raised by a library: no other argument would mend it
        raise AssertionError(f"the network cannot score {len(made)} windows ({error})") from error
    for (window, _), scores_UK in zip(made, scores_BUK, strict=True):
        if not window.reading.reason:
            _place(detector, window, scores_UK)


def _place(detector: Detector, window: _Window, scores_UK: np.ndarray) -> None:
    """Smooth a window's scores and put them into their recording's."""
    try:
        if not np.isfinite(scores_UK).all():
            raise ValueError(
                f"the network gives scores that are not numbers for the window at "
                f"{window.start / detector.grid.rate_hz:.1f} s"
            )
        window.reading.timeline.add(window.start, smooth(scores_UK[None], detector.settings)[0])
    except Exception as error:  # as above
        window.reading.reason = _reason(error)


def _finished(readings: deque[_Reading]) -> Iterator[Prediction]:
    """Yield the recordings at the head of the queue that have all their scores."""
    while readings and readings[0].ended and not readings[0].waiting:
        yield _outcome(readings.popleft())


def _outcome(reading: _Reading) -> Prediction:
    """Return the outcome of a recording whose windows all have their scores."""
    if not reading.reason:
        duration_s = reading.heard.duration_s
        try:
            scores = RecordingScores(*reading.timeline.finish(duration_s), duration_s)
            heard = reading.heard
            return Prediction(reading.source, scores, heard.notes(), lower_rate=heard.lower_rate)
        except Exception as error:  # as above
            reading.reason = _reason(error)
    return Prediction(reading.source, None, (), reading.reason)


def _reason(error: Exception) -> str:
    """Our own words where we found the fault, else what it was: a fault of raysed or of a library."""
    own = isinstance(error, ValueError) and str(error)
    return str(error) if own else f"{type(error).__name__}: {error}"
