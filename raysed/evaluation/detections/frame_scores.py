"""Frame scores of a set, one curve for each clip and class, and the events above a threshold.

`read_score_folder` reads what sed_scores_eval writes: one TSV a clip, named after it, with the
columns onset and offset (seconds of each frame) and one column of scores a class. Such scores are
taken as they are, already filtered. About 1.5 ms a file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.postprocess import regions

GAP_S = 1e-6
"""Frames further apart than this do not touch."""


@dataclass(frozen=True)
class FrameScores:
    """Frame scores of N clips of at most T frames, K classes; shorter clips end in frames of no length and
    score -1.
    """

    scores_NTK: np.ndarray
    """float32 or float64: the scores that are compared with a threshold, after any smoothing."""
    edges_NT1: np.ndarray
    """float64 (N, T + 1), seconds: frame t lasts from edge t to edge t + 1."""

    @classmethod
    def uniform(
        cls, scores_NTK: np.ndarray, frame_s: float, durations_s: np.ndarray
    ) -> "FrameScores":
        """Make scores of frames of equal length, cut at the clip's duration (N,)."""
        edge_T1 = np.arange(scores_NTK.shape[1] + 1) * frame_s
        return cls(scores_NTK, np.minimum(edge_T1, np.asarray(durations_s, np.float64)[:, None]))

    def decode(self, threshold: float) -> Events:
        """Return the contiguous regions of score >= threshold as events."""
        compared = float(self.scores_NTK.dtype.type(threshold))
        clip_E, label_E, first_E, stop_E = regions(self.scores_NTK, compared)
        events = Events(
            clip_E, label_E, self.edges_NT1[clip_E, first_E], self.edges_NT1[clip_E, stop_E]
        )
        return events.positive()


def read_score_folder(folder: Path, reference: Reference) -> FrameScores:
    """Read the scores of every clip of the set, in its order.

    Raises ValueError, naming the file and line, for clips without a file, files without a clip,
    classes that do not fit, frames that do not touch, and scores outside [0, 1].
    """
    paths = {path.stem: path for path in sorted(folder.glob("*.tsv"))}
    stems = [Path(filename).stem for filename in reference.filenames]
    unknown = sorted(set(paths) - set(stems))
    if unknown:
        raise ValueError(
            f"{paths[unknown[0]]}: {unknown[0]} is not one of the {len(stems)} clips of the set "
            f"({len(unknown)} such files)"
        )
    missing = [stem for stem in stems if stem not in paths]
    if missing:
        raise ValueError(
            f"{folder}: no scores for clip {missing[0]}: {missing[0]}.tsv is missing "
            f"({len(missing)} such clips)"
        )
    read = [_read_scores(paths[stem], reference.classes) for stem in stems]
    n_frames = max(len(scores_TK) for scores_TK, _ in read)
    scores_NTK = np.full((len(read), n_frames, len(reference.classes)), -1.0)
    edges_NT1 = np.empty((len(read), n_frames + 1))
    for n, (scores_TK, edge_T1) in enumerate(read):
        scores_NTK[n, : len(scores_TK)] = scores_TK
        edges_NT1[n] = edge_T1[-1]
        edges_NT1[n, : len(edge_T1)] = edge_T1
    return FrameScores(scores_NTK, edges_NT1)


def _read_scores(path: Path, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read the scores (T, K) and edges (T + 1,) of one clip."""
    try:
        frame = pd.read_csv(path, sep="\t", index_col=False)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a tab-separated table with a header ({error})") from error
    expected = {"onset", "offset", *classes}
    if set(frame.columns) != expected:
        raise ValueError(
            f"{path}, line 1: expected the columns onset, offset and {', '.join(classes)}; "
            f"missing {sorted(expected - set(frame.columns))}, "
            f"unknown {sorted(set(frame.columns) - expected)}"
        )
    if frame.empty:
        raise ValueError(f"{path}, line 2: a clip without frames")
    numbers = frame.apply(pd.to_numeric, errors="coerce")
    scores_TK = numbers[list(classes)].to_numpy(np.float64)
    onset_T, offset_T = (numbers[name].to_numpy(np.float64) for name in ("onset", "offset"))
    wrong_T = ~((scores_TK >= 0) & (scores_TK <= 1)).all(axis=1)
    _refuse(path, wrong_T, f"scores outside [0, 1] or no number: {_row(frame, wrong_T)}")
    wrong_T = ~((offset_T > onset_T) & np.isfinite(offset_T))
    _refuse(path, wrong_T, f"a frame without length: {_row(frame, wrong_T)}")
    wrong_T = np.append(False, np.abs(onset_T[1:] - offset_T[:-1]) > GAP_S)
    _refuse(
        path, wrong_T, f"a frame that does not begin where the last ended: {_row(frame, wrong_T)}"
    )
    return scores_TK, np.append(onset_T, offset_T[-1])


def _row(frame: pd.DataFrame, wrong_T: np.ndarray) -> str:
    return repr("\t".join(str(value) for value in frame.iloc[int(np.argmax(wrong_T))]))


def _refuse(path: Path, wrong_T: np.ndarray, complaint: str) -> None:
    if wrong_T.any():
        raise ValueError(f"{path}, line {int(np.argmax(wrong_T)) + 2}: {complaint}")
