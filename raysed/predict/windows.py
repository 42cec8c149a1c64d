"""Overlapping windows over a recording of any length, and one sequence of frame scores from theirs.

The network sees windows as long as the clips it was trained on, one every half window, and a last one
that ends with the recording. Even windows therefore lie end to end, as clips would; odd ones lie over
their joints. Frames are placed in samples, by the start of their window, so nothing drifts: 157 output
frames are 10.00875 s, and the frames of two windows do not lie on one grid.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from raysed.config.data_job import Features
from raysed.config.trial import Model

SEAM = 8
"""Odd windows decide what lies within 1/8 of a window of a joint; even ones the rest, as for a clip."""


@dataclass(frozen=True)
class Grid:
    """Where windows and their output frames lie, in samples of the features' rate."""

    rate_hz: int
    window: int
    frame: int
    """Samples of one output frame."""
    frames: int
    """U, output frames of a window; the last one may pass its end."""

    @property
    def reach(self) -> int:
        """Samples that a window's frames say something about: its last frame may pass its end."""
        return max(self.window, self.frames * self.frame)

    @classmethod
    def of(cls, features: Features, model: Model) -> "Grid":
        """The grid of a trained model."""
        return cls(
            rate_hz=features.sample_rate_hz,
            window=features.n_samples,
            frame=model.time_pooling * features.hop,
            frames=features.n_frames // model.time_pooling,
        )

    def start(self, number: int) -> int:
        """First sample of a window."""
        return number // 2 * self.window + number % 2 * (self.window // 2)


def windows(blocks: Iterable[np.ndarray], grid: Grid) -> Iterator[tuple[int, np.ndarray]]:
    """(first sample, its waveform) of each window of a recording that comes in blocks of any length.

    A recording shorter than a window is one short window, an empty one none. Holds at most a window
    and a block.
    """
    held_T = np.empty(0, np.float32)
    begin, number = 0, 0  # the first sample that is held; the next window
    for block_T in blocks:
        held_T = np.concatenate((held_T, block_T))
        end = begin + len(held_T)
        while (start := grid.start(number)) + grid.window <= end:
            yield start, held_T[start - begin :][: grid.window].copy()
            number += 1
        # The last window may begin anywhere within the last window's length.
        drop = max(0, min(start, end - grid.window) - begin)
        held_T, begin = held_T[drop:], begin + drop
    end = begin + len(held_T)
    if number == 0 and end:
        yield 0, held_T
    elif number and grid.start(number - 1) + grid.reach < end:
        yield end - grid.window, held_T[-grid.window :].copy()


class Timeline:
    """The scores of one recording, put together from its windows in order; float16 throughout.

    Every moment belongs to one window. Between two windows the change is at the new one's frame
    nearest to the seam; the old one's last frame is cut or stretched to it, by half a frame at most.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._count = 0
        self._last: tuple[int, int, np.ndarray] | None = None
        self._scores: list[np.ndarray] = []
        self._edges: list[np.ndarray] = []

    def add(self, start: int, scores_UK: np.ndarray) -> None:
        """The next window's scores, (U, K) float16, and its first sample."""
        first = 0
        if self._last is not None:
            seam = self._seam(self._last[0], start)
            first = round((seam - start) / self._grid.frame)
            self._keep(until=start + first * self._grid.frame)
        self._last = (start, first, scores_UK)
        self._count += 1

    def finish(self, duration_s: float) -> tuple[np.ndarray, np.ndarray]:
        """(scores_TK, edge_T1): frame t lasts from edge t to edge t + 1, seconds float64.

        Edges past the recording's end are cut to it: such frames have no length, but take part in
        median filtering, as they do in training's scores of a short clip.
        """
        assert self._last is not None, "a recording has at least one window"
        self._keep(until=None)
        edge_T1 = np.concatenate(self._edges) / self._grid.rate_hz
        return np.concatenate(self._scores), np.minimum(edge_T1, duration_s)

    def _seam(self, before: int, after: int) -> float:
        """The sample at which `after` takes over."""
        if after != self._grid.start(self._count):
            # The recording's last window: half-way through what both see.
            return (after + before + self._grid.window) / 2
        share = self._grid.window / SEAM
        # Window n - 1 was even: the odd one takes over before the joint.
        return after + share if self._count % 2 == 0 else before + self._grid.window - share

    def _keep(self, until: int | None) -> None:
        """Keep the last window's frames up to sample `until`, or all of them and the end."""
        assert self._last is not None
        start, first, scores_UK = self._last
        grid = self._grid
        stop = grid.frames if until is None else round((until - start) / grid.frame)
        stop = min(stop, grid.frames)
        edges = start + np.arange(first, stop + (until is None)) * grid.frame
        self._scores.append(scores_UK[first:stop].copy())
        self._edges.append(edges)
