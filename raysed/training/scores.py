"""Frame scores of a set, and the events in them; those of long recordings are put together from their windows.

N rows (clips, or windows of long recordings), R recordings, U output frames, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from raysed.data.windows import Grid, Timeline
from raysed.evaluation.detections.events import Events
from raysed.evaluation.detections.frame_scores import NO_SCORE, FrameScores
from raysed.evaluation.detections.postprocess import decode_points, median_filter, regions


@dataclass(frozen=True)
class Scores:
    """Frame scores of every clip of a set, or of every window of its recordings."""

    filenames: tuple[str, ...]
    durations_s: np.ndarray
    """(N,), of the recordings."""
    classes: tuple[str, ...]
    frame_s: float
    scores_NUK: np.ndarray
    """float16."""
    weak_NK: np.ndarray
    """float16, the scores of whole clips."""
    starts: np.ndarray | None = None
    """(N,) int64, the first sample of each window in its recording; None where every row is a recording."""
    grid: Grid | None = None
    """The positions of windows and frames; None where every row is a recording."""

    @property
    def recordings(self) -> np.ndarray:
        """Return (R,): the first row of every recording."""
        if self.starts is None:
            return np.arange(len(self.filenames))
        names = np.array(self.filenames)
        return np.flatnonzero(np.append(True, names[1:] != names[:-1]))

    @property
    def weak_RK(self) -> np.ndarray:
        """Return the clip scores of whole recordings: the largest of their windows'."""
        return np.maximum.reduceat(self.weak_NK, self.recordings)

    def of(self, filenames: Sequence[str]) -> "Scores":
        """Return the scores of some recordings, in this order."""
        first, stop = self.recordings, np.append(self.recordings, len(self.filenames))[1:]
        place = {self.filenames[row]: r for r, row in enumerate(first)}
        runs = [np.arange(first[place[n]], stop[place[n]]) for n in filenames]
        rows = np.concatenate([np.empty(0, np.int64), *runs])
        return Scores(
            filenames=tuple(self.filenames[row] for row in rows),
            durations_s=self.durations_s[rows],
            classes=self.classes,
            frame_s=self.frame_s,
            scores_NUK=self.scores_NUK[rows],
            weak_NK=self.weak_NK[rows],
            starts=None if self.starts is None else self.starts[rows],
            grid=self.grid,
        )


def found_events(
    scores: Scores, thresholds: Sequence[float], median_window: int
) -> dict[float, Events]:
    """Return the events at each threshold, of recordings 0 to R - 1; as `decode_points`, or as prediction does.

    Windows are filtered before they are put together. Scores are compared in float16.
    """
    if scores.starts is None:
        return decode_points(
            scores.scores_NUK,
            thresholds,
            median_window=median_window,
            frame_s=scores.frame_s,
            durations_s=scores.durations_s,
        )
    filtered_NUK = median_filter(scores.scores_NUK, median_window)
    found: dict[float, list[np.ndarray]] = {
        threshold: [np.empty((4, 0))] for threshold in thresholds
    }
    stops = np.append(scores.recordings, len(scores.filenames))[1:]
    for r, rows in enumerate(map(slice, scores.recordings, stops)):
        scores_TK, edge_T1 = put_together(scores, rows, filtered_NUK)
        for threshold, events in found.items():
            _, label_E, first_E, stop_E = regions(scores_TK[None], float(np.float16(threshold)))
            onset_E, offset_E = edge_T1[first_E], edge_T1[stop_E]
            rows_4E = np.stack([np.full(len(label_E), r), label_E, onset_E, offset_E])
            events.append(rows_4E[:, offset_E > onset_E])
    return {threshold: Events.sort(*np.concatenate(e, axis=1)) for threshold, e in found.items()}


def put_together(
    scores: Scores, rows: slice, filtered_NUK: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores (T, K) of one recording, and their edges in seconds (T + 1,)."""
    grid, starts = scores.grid, scores.starts
    assert grid is not None and starts is not None
    timeline, starts_W = Timeline(grid), starts[rows]
    end = int(starts_W[-1]) + grid.window
    for number, (start, scores_UK) in enumerate(zip(starts_W, filtered_NUK[rows], strict=True)):
        # Stored are the windows that any model may need; frames that pass a window's end save the last one.
        if start == grid.start(number) or grid.needs_last(number, end):
            timeline.add(int(start), scores_UK)
    return timeline.finish(float(scores.durations_s[rows][0]))


def as_frame_scores(scores: Scores, filtered_NUK: np.ndarray) -> FrameScores:
    """Return smoothed scores (N, U, K) as those of R recordings, of which shorter ones end in frames of no length."""
    if scores.starts is None:
        return FrameScores.uniform(filtered_NUK, scores.frame_s, scores.durations_s)
    stops = np.append(scores.recordings, len(scores.filenames))[1:]
    runs = map(slice, scores.recordings, stops)
    whole = [put_together(scores, rows, filtered_NUK) for rows in runs]
    n_frames = max((len(scores_TK) for scores_TK, _ in whole), default=0)
    scores_RTK = np.full((len(whole), n_frames, len(scores.classes)), NO_SCORE, filtered_NUK.dtype)
    edges_RT1 = np.zeros((len(whole), n_frames + 1))
    for r, (scores_TK, edge_T1) in enumerate(whole):
        scores_RTK[r, : len(scores_TK)] = scores_TK
        edges_RT1[r] = edge_T1[-1]
        edges_RT1[r, : len(edge_T1)] = edge_T1
    return FrameScores(scores_RTK, edges_RT1)
