"""Frame scores of a set, one curve for each clip and class, and the events above a threshold.

`read_score_folder` reads what sed_scores_eval writes: one TSV a clip, named after it, with the
columns onset and offset (seconds of each frame) and one column of scores a class. Such scores are
taken as they are, already filtered: probabilities, logits, or sound event bounding boxes (one score
for a whole box, -inf between boxes: DCASE 2024). About 4 ms a file of 250 frames and 400 classes.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.plain_frames import plain_frames
from raysed.evaluation.detections.postprocess import check_scores, regions
from raysed.storage.clip_name import clip_name, match_clips
from raysed.storage.plain_table import plain_columns
from raysed.storage.tab_separated import Table, read_table, shown

FRAME = ("onset", "offset")
GAP_S = 1e-6
"""Frames further apart than this do not touch."""
NO_SCORE = -np.inf
"""The score of a frame in which no threshold finds an event."""


@dataclass(frozen=True)
class FrameScores:
    """Frame scores of N clips of at most T frames, K classes; shorter clips end in frames of no length and
    score -inf.
    """

    scores_NTK: np.ndarray
    """float32 or float64: the scores that are compared with a threshold, after any smoothing."""
    edges_NT1: np.ndarray
    """float64 (N, T + 1), seconds: frame t lasts from edge t to edge t + 1."""

    def __post_init__(self) -> None:
        """Refuse scores that are no numbers, and edges that do not rise with the frames."""
        check_scores(self.scores_NTK)
        n_clips, n_frames, _ = self.scores_NTK.shape
        if self.edges_NT1.shape != (n_clips, n_frames + 1):
            raise ValueError(
                f"edges {self.edges_NT1.shape} do not fit scores {self.scores_NTK.shape}: "
                f"expected {(n_clips, n_frames + 1)}"
            )
        if not (np.isfinite(self.edges_NT1).all() and (np.diff(self.edges_NT1) >= 0).all()):
            raise ValueError("edges of frames must be finite seconds that do not fall")

    @classmethod
    def uniform(cls, scores_NTK: np.ndarray, frame_s: float, durations_s: np.ndarray) -> Self:
        """Make scores of frames of equal length, cut at the clip's duration (N,)."""
        edge_T1 = np.arange(scores_NTK.shape[1] + 1) * frame_s
        return cls(scores_NTK, np.minimum(edge_T1, np.asarray(durations_s, np.float64)[:, None]))

    @property
    def n_clips(self) -> int:
        """N."""
        return self.scores_NTK.shape[0]

    @property
    def n_classes(self) -> int:
        """K."""
        return self.scores_NTK.shape[2]

    @property
    def frame_s(self) -> float:
        """The median length of the frames; 1 where none has a length."""
        length_NT = np.diff(self.edges_NT1, axis=1)
        return float(np.median(length_NT[length_NT > 0])) if (length_NT > 0).any() else 1.0

    @property
    def in_unit_interval(self) -> bool:
        """Tell whether all scores but -inf lie in [0, 1]."""
        if not self.scores_NTK.size or self.scores_NTK.max() > 1:
            return not self.scores_NTK.size
        if self.scores_NTK.min() > NO_SCORE:  # which takes no copy of them
            return bool(self.scores_NTK.min() >= 0)
        return not (self.scores_NTK[self.scores_NTK > NO_SCORE] < 0).any()

    def classes(self, kept: slice) -> Self:
        """Return the scores of some of the classes."""
        return type(self)(np.ascontiguousarray(self.scores_NTK[:, :, kept]), self.edges_NT1)

    def part(self, clips: slice) -> Self:
        """Return the scores of some of the clips."""
        return type(self)(self.scores_NTK[clips], self.edges_NT1[clips])

    def decode(self, threshold: float, *, at_threshold: bool = True) -> Events:
        """Return the contiguous regions of score >= threshold as events; of score > threshold without
        `at_threshold`.
        """
        precision = self.scores_NTK.dtype.type
        compared = precision(threshold)
        if not at_threshold:
            compared = np.nextafter(compared, precision(np.inf))
        compared = float(compared)
        clip_E, label_E, first_E, stop_E = regions(self.scores_NTK, compared)
        events = Events(
            clip_E, label_E, self.edges_NT1[clip_E, first_E], self.edges_NT1[clip_E, stop_E]
        )
        return events.positive()


def read_score_folder(
    folder: Path, reference: Reference, foreign: Sequence[str] = (), others: Sequence[str] = ()
) -> FrameScores:
    """Read the scores of every clip of the set, in its order, for each of its classes and then of `foreign`.

    A file is named after its clip (`clip_name`), in sub-folders too; those of the clips `others` are passed over.
    Raises ValueError, naming the file and line, for clips without a file, files without a clip, classes that do not
    fit, frames that do not touch, and scores that are no number.
    """
    paths = clip_files(folder, reference.filenames, others)
    classes = (*reference.classes, *foreign)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return as_one_set(pool.map(lambda path: read_scores(path, classes), paths), len(paths))


def clip_files(folder: Path, filenames: Sequence[str], others: Sequence[str] = ()) -> list[Path]:
    """Return the score file of each clip. Raises ValueError as `read_score_folder` does for those that do not fit."""
    paths = score_files(folder)
    clip_of = match_clips(paths, (*filenames, *others))
    unknown = [name for name in paths if name not in clip_of]
    if unknown:
        raise ValueError(
            f"{paths[unknown[0]]}: {unknown[0]} is not one of the {len(filenames)} clips of "
            f"the set, such as {filenames[0]}, or means several ({len(unknown)} such files)"
        )
    path_of = {clip: paths[name] for name, clip in clip_of.items()}
    missing = [filename for filename in filenames if filename not in path_of]
    if missing:
        name = clip_name(missing[0])
        raise ValueError(
            f"{folder}: no scores for clip {missing[0]}: {name}.tsv is missing "
            f"({len(missing)} such clips; where their recordings are missing, name with --clips what is there)"
        )
    return [path_of[filename] for filename in filenames]


def as_one_set(read: Iterable[tuple[np.ndarray, np.ndarray]], n_clips: int) -> FrameScores:
    """Return the scores (T, K) and edges (T + 1,) of each clip as one set; each is copied as it comes, and then forgotten."""
    scores_NTK, edges_NT1, longest = np.empty((n_clips, 0, 0)), np.empty((n_clips, 1)), 0
    for n, (scores_TK, edge_T1) in enumerate(read):
        longest = max(longest, len(scores_TK))
        n_more = len(scores_TK) - scores_NTK.shape[1]
        if n == 0:
            scores_NTK = np.empty((n_clips, *scores_TK.shape))
            edges_NT1 = np.empty((n_clips, len(edge_T1)))
        elif n_more > 0:  # the longest so far: earlier ones end in frames of no length
            # Room for longer ones, too: clips in the order of their lengths are not copied at every one.
            room = ((0, 0), (0, max(n_more, scores_NTK.shape[1] // 4)))
            scores_NTK = np.pad(scores_NTK, (*room, (0, 0)), constant_values=NO_SCORE)
            edges_NT1 = np.pad(edges_NT1, room, mode="edge")
        scores_NTK[n, : len(scores_TK)], scores_NTK[n, len(scores_TK) :] = scores_TK, NO_SCORE
        edges_NT1[n] = edge_T1[-1]
        edges_NT1[n, : len(edge_T1)] = edge_T1
    kept = scores_NTK[:, :longest], edges_NT1[:, : longest + 1]
    return FrameScores(*map(np.ascontiguousarray, kept))


def score_files(folder: Path) -> dict[str, Path]:
    """Find the TSVs of a folder and its sub-folders, by their relative names without suffix; hidden ones are
    passed over.
    """
    paths = sorted(folder.rglob("*.tsv"))
    named = {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}
    return {name: path for name, path in named.items() if not f"/{name}".count("/.")}


def read_scores(path: Path, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read the scores (T, K) and edges (T + 1,) of one clip."""
    found_TC = plain_frames(path, (*FRAME, *classes))
    if found_TC is not None:
        frames = (np.ascontiguousarray(found_TC[:, 2:]), found_TC[:, 0], found_TC[:, 1])
        if not _faulty(frames):
            return frames[0], np.append(frames[1], frames[2][-1])
    found = plain_columns(path, FRAME, classes)
    if found is not None and {*found} == {*FRAME, *classes} and len(found["onset"]):
        onset_T, offset_T = (pd.to_numeric(found[name], errors="coerce") for name in FRAME)
        scores_TK = np.stack([found[name] for name in classes], axis=1)
        frames = (scores_TK, onset_T.astype(np.float64), offset_T.astype(np.float64))
        if not _faulty(frames):
            return scores_TK, np.append(frames[1], frames[2][-1])
    table = read_table(path, FRAME)  # which says what is wrong
    table.refuse_faults()
    expected = {*FRAME, *classes}
    if set(table.columns) != expected:
        raise ValueError(
            f"{path}, line 1: expected the columns onset, offset and {', '.join(classes)}; "
            f"missing {sorted(expected - set(table.columns))}, "
            f"unknown {sorted(set(table.columns) - expected)}"
        )
    if not table.rows:
        raise ValueError(f"{path}, line 2: a clip without frames")
    columns = zip(table.columns, zip(*table.rows, strict=True), strict=True)
    numbers = {
        name: pd.to_numeric(pd.Series(texts), errors="coerce").to_numpy(np.float64)
        for name, texts in columns
    }
    scores_TK = np.stack([numbers[name] for name in classes], axis=1)
    onset_T, offset_T = numbers["onset"], numbers["offset"]
    for wrong_T, complaint in _faults(scores_TK, onset_T, offset_T):
        _refuse(table, wrong_T, complaint)
    return scores_TK, np.append(onset_T, offset_T[-1])


def _faulty(frames: tuple[np.ndarray, np.ndarray, np.ndarray]) -> bool:
    return any(wrong_T.any() for wrong_T, _ in _faults(*frames))


def _faults(
    scores_TK: np.ndarray, onset_T: np.ndarray, offset_T: np.ndarray
) -> list[tuple[np.ndarray, str]]:
    """Return what may be wrong with a frame, and with which ones it is."""
    apart_T = np.append(False, np.abs(onset_T[1:] - offset_T[:-1]) > GAP_S)
    return [
        (np.any(~(scores_TK < np.inf), axis=1), "a score that is no number (-inf: none)"),
        (~((offset_T > onset_T) & np.isfinite(offset_T)), "a frame without length"),
        (apart_T, "a frame that does not begin where the last ended"),
    ]


def _refuse(table: Table, wrong_T: np.ndarray, complaint: str) -> None:
    if wrong_T.any():
        row = int(np.argmax(wrong_T))
        raise ValueError(
            f"{table.path}, line {table.lines[row]}: {complaint}: {shown(chr(9).join(table.rows[row]))}"
        )
