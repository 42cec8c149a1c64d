"""Frame scores that stay in their files: those of sets too large for memory are read anew whenever they are needed."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from raysed.evaluation.detections.events import Reference
from raysed.evaluation.detections.frame_scores import (
    NO_SCORE,
    FrameScores,
    as_one_set,
    clip_files,
    read_score_folder,
    read_scores,
)
from raysed.pulse import Pulse, silent

LARGE = 2**30
"""Bytes of scores from which on they stay in their files."""
FEW = 64
"""Clips whose frames stand for those of all."""


@dataclass(frozen=True)
class ScoreFiles:
    """The frame scores of N clips and K classes, in one file a clip."""

    paths: tuple[Path, ...]
    columns: tuple[str, ...]
    """The columns of scores in each file."""
    own: tuple[tuple[int, ...], ...]
    """The columns of each class: its score is the highest of them; without any there is none."""
    pulse: Pulse = field(default_factory=silent, compare=False)
    """It is told how far the reading is."""

    @property
    def n_clips(self) -> int:
        """N."""
        return len(self.paths)

    @property
    def n_classes(self) -> int:
        """K."""
        return len(self.own)

    @cached_property
    def frame_s(self) -> float:
        """The median length of a frame, in a few of the clips."""
        return self.part(slice(None, None, -(-self.n_clips // FEW))).frame_s

    def part(self, clips: slice) -> FrameScores:
        """Read the scores of some of the clips. Raises ValueError as `read_score_folder` does."""
        paths = self.paths[clips]
        for path in paths:
            announce(path)
        read = (read_scores(path, self.columns) for path in paths)
        own = ((highest_of(scores_TK, self.own), edge_T1) for scores_TK, edge_T1 in read)
        return as_one_set(own, len(paths))

    def classes(self, kept: slice) -> Self:
        """Return the scores of some of the classes."""
        return replace(self, own=self.own[kept])


AnyScores = FrameScores | ScoreFiles


def announce(path: Path) -> None:
    """Tell the system that a file will be read soon: disks give many files at once several times as fast as one by one."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)


def open_score_folder(
    folder: Path,
    reference: Reference,
    foreign: Sequence[str] = (),
    others: Sequence[str] = (),
    *,
    pulse: Pulse | None = None,
) -> AnyScores:
    """Read a folder as `read_score_folder` does, or leave the scores in their files where they are many.

    What is wrong with such a file is then said when it is read.
    """
    paths = clip_files(folder, reference.filenames, others)
    columns = (*reference.classes, *foreign)
    first_TK, _ = read_scores(paths[0], columns)
    if first_TK.nbytes * len(paths) < LARGE:
        return read_score_folder(folder, reference, foreign, others)
    own = tuple((column,) for column in range(len(columns)))
    return ScoreFiles(tuple(paths), columns, own, pulse or silent())


def highest_of(scores_TK: np.ndarray, own: Sequence[Sequence[int]]) -> np.ndarray:
    """Return for each class the highest score of its columns, NO_SCORE where it has none."""
    if all(len(columns) == 1 for columns in own):
        first, count = own[0][0] if own else 0, len(own)
        if [column for (column,) in own] == list(range(first, first + count)):
            return scores_TK[:, first : first + count]
    found_TK = np.full((len(scores_TK), len(own)), NO_SCORE, scores_TK.dtype)
    for k, columns in enumerate(own):
        if columns:
            found_TK[:, k] = scores_TK[:, list(columns)].max(axis=1)
    return found_TK
