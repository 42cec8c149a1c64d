"""Overlapping windows over a recording of any length, and one sequence of frame scores from those of the
windows.

The network sees windows as long as the clips it was trained on, one every half window, and a last one that
ends with the recording. Even windows lie end to end, as clips would, and give the scores; odd ones lie over
the joints between them, and join events that they detect across a joint. Frames are placed in samples, from
the start of their window, so nothing drifts: 157 output frames are 10.00875 s, and the frames of two windows
do not lie on one grid.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from raysed.config.data_job import Features
from raysed.config.trial import Model


@dataclass(frozen=True)
class Grid:
    """The positions of windows and their output frames, in samples of the features' rate."""

    rate_hz: int
    window: int
    frame: int
    """Samples of one output frame."""
    frames: int
    """U, output frames of a window; the last one may pass its end."""

    @property
    def reach(self) -> int:
        """Return the number of samples that a window's frames cover: its last frame may pass its end."""
        return max(self.window, self.frames * self.frame)

    @classmethod
    def of(cls, features: Features, model: Model) -> "Grid":
        """Return the grid of a trained model."""
        return cls(
            rate_hz=features.sample_rate_hz,
            window=features.n_samples,
            frame=model.time_pooling * features.hop,
            frames=features.n_frames // model.time_pooling,
        )

    @classmethod
    def of_windows(cls, features: Features) -> "Grid":
        """Return the grid of a data set's windows, which no model has scored yet: the frames end with the window."""
        samples = features.n_samples
        return cls(rate_hz=features.sample_rate_hz, window=samples, frame=samples, frames=1)

    def needs_last(self, before: int, end: int) -> bool:
        """Tell whether a last window that ends with the recording is needed after the `before` regular ones."""
        return before > 0 and self.start(before - 1) + self.reach < end

    def start(self, number: int) -> int:
        """Return the first sample of a window."""
        return number // 2 * self.window + number % 2 * (self.window // 2)


def trained_windows(starts_W: np.ndarray, grid: Grid) -> np.ndarray:
    """Return bool (W,): which of a recording's windows hold each moment once, so that training hears it once.

    They are those that lie end to end, and the last one where an eighth of it or more is new.
    """
    trained_W = starts_W % grid.window == 0
    end = starts_W[trained_W][-1] + grid.window
    trained_W[-1] |= starts_W[-1] + grid.window - end >= grid.window / 8
    return trained_W


def windows(blocks: Iterable[np.ndarray], grid: Grid) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first sample, waveform) of each window of a recording that comes in blocks of any length.

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
    elif grid.needs_last(number, end):
        yield end - grid.window, held_T[-grid.window :].copy()


@dataclass(frozen=True)
class Bridge:
    """The scores that a window over a joint gives on both sides of it.

    A frame's level is the lowest score between the frame and the joint: at any threshold up to this level,
    one event reaches from the frame to the joint.
    """

    grid: Grid
    start: int
    scores_UK: np.ndarray
    level_UK: np.ndarray

    @classmethod
    def of(cls, grid: Grid, start: int, scores_UK: np.ndarray, joint: int) -> "Bridge":
        """Return the bridge over sample `joint` by the window that starts at sample `start`."""
        at = min((joint - start) // grid.frame, grid.frames - 1)
        before_UK = np.minimum.accumulate(scores_UK[at::-1])[::-1]
        after_UK = np.minimum.accumulate(scores_UK[at:])
        return cls(grid, start, scores_UK, np.concatenate((before_UK, after_UK[1:])))

    def join(self, scores_TK: np.ndarray, edge_T1: np.ndarray, *, before: bool) -> np.ndarray:
        """Return the joined scores of a window's frames with these edges (samples), which end at the joint or
        begin there.

        Networks detect false events at the edges of windows. So an event that touches the joint and lies
        under the bridge is lowered to the thresholds at which the bridge detects some of it. Then all scores
        are raised to the bridge's level.
        """
        frame_T = (edge_T1[:-1] + edge_T1[1:] - 2 * self.start) // (2 * self.grid.frame)
        under_T = (frame_T >= 0) & (frame_T < self.grid.frames)
        heard_TK = scores_TK.copy()  # where the bridge does not reach
        heard_TK[under_T] = self.scores_UK[frame_T[under_T]]
        outward = slice(None, None, -1 if before else 1)
        joined_TK = _heard(scores_TK[outward], heard_TK[outward])[outward].copy()
        joined_TK[under_T] = np.maximum(joined_TK[under_T], self.level_UK[frame_T[under_T]])
        return joined_TK


def _heard(scores_TK: np.ndarray, heard_TK: np.ndarray) -> np.ndarray:
    """Return scores in which events that hold frame 0 are left only up to the threshold where `heard` has
    some of them.

    Events without frame 0 stay at every threshold: their frames are higher than the lowest score between them
    and frame 0.
    """
    way_TK = np.minimum.accumulate(scores_TK)
    limit_K = np.minimum(way_TK, np.maximum.accumulate(heard_TK)).max(0)
    return np.where(scores_TK > way_TK, scores_TK, np.minimum(scores_TK, limit_K))


class Timeline:
    """The scores of one recording, put together from its windows in order.

    Each moment's scores are those of one of the windows that lie end to end. At a joint, the window over it
    decides: an event that it detects across the joint is made whole, and an event that only touches the joint
    stays where that window detects it too. So every event of a single window that keeps away from the joints
    stays as it is, at every threshold, unless an event across a joint reaches over it.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._count = 0
        self._joint = 0
        """First sample after the windows that lie end to end so far."""
        self._bridge: Bridge | None = None
        """The bridge over the joint."""
        self._over: tuple[int, np.ndarray] | None = None
        """The window of the bridge, while it is the last window."""
        self._scores: list[np.ndarray] = []
        self._edges: list[np.ndarray] = []

    def add(self, start: int, scores_UK: np.ndarray) -> None:
        """Add the next window's scores, (U, K), with its first sample."""
        if start < self._joint and self._bridge is None:
            self._bridge = Bridge.of(self._grid, start, scores_UK, self._joint)
            # Without pooling a whole frame lies past the joint, where the next window decides.
            count = int(np.searchsorted(self._edges[-1][:-1], self._joint))
            self._scores[-1] = self._scores[-1][:count]
            self._edges[-1] = self._edges[-1][: count + 1]
            self._scores[-1] = self._bridge.join(self._scores[-1], self._edges[-1], before=True)
        odd = self._count % 2 == 1 and start == self._grid.start(self._count)
        self._over = (start, scores_UK) if odd else None
        if not odd:
            self._decide(start, scores_UK)
        self._count += 1

    def finish(self, duration_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Return (scores_TK, edge_T1): frame t lasts from edge t to edge t + 1, seconds float64.

        Edges past the recording's end are cut to it: such frames have no length.
        """
        assert self._count, "a recording has at least one window"
        if self._over is not None and self._over[0] + self._grid.window > self._joint:
            self._decide(*self._over)
        edge_T1 = np.concatenate([edges[:-1] for edges in self._edges] + [self._edges[-1][-1:]])
        return np.concatenate(self._scores), np.minimum(edge_T1 / self._grid.rate_hz, duration_s)

    def _decide(self, start: int, scores_UK: np.ndarray) -> None:
        """Take a window's frames from the joint on. The last frame before the joint ends there, and the first
        after it begins there.

        A last window that says less than a frame past the joint, since its frames end before it does, gives
        its last frame whole: that is as near the recording's end as it says anything.
        """
        grid = self._grid
        edges = start + np.arange(grid.frames + 1) * grid.frame
        first = min((self._joint - start) // grid.frame, grid.frames - 1)
        edges, scores_UK = edges[first:], scores_UK[first:].copy()
        if edges[1] > self._joint:
            edges[0] = self._joint
        if self._bridge is not None:
            scores_UK = self._bridge.join(scores_UK, edges, before=False)
        self._scores.append(scores_UK)
        self._edges.append(edges)
        self._joint, self._bridge = start + grid.window, None
