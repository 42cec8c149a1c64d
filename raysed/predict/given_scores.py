"""The score files of any system with their ground truth, for post-processing without a trial."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raysed.evaluation.detections.frame_scores import (
    FRAME,
    FrameScores,
    read_score_folder,
    score_files,
)
from raysed.evaluation.postprocessing.comparison import JudgedSet
from raysed.evaluation.postprocessing.setting_search import OwnSettings
from raysed.evaluation.score.ground_truth import read_scored_set
from raysed.evaluation.score.request import ScoreRequest
from raysed.storage.tab_separated import read_table

AS_GIVEN = OwnSettings(threshold=0.5, median_window=1)
"""Scores from elsewhere are taken as they are."""


@dataclass(frozen=True)
class GivenScores:
    """A system's score files, and what they are judged by."""

    folder: Path
    ground_truth: Path
    durations: Path | None = None
    clips: Path | None = None
    """The clips that are there, where recordings are missing: a TSV with filename, or a folder."""

    def read(self) -> tuple[JudgedSet, tuple[str, ...]]:
        """Return the scores with their ground truth, and remarks.

        Raises ValueError, naming file and line, for what cannot be read, and for scores that are no probabilities.
        """
        request = ScoreRequest(self.folder, self.ground_truth, self.durations, clips=self.clips)
        scored, remarks = read_scored_set(request)
        reference = scored.reference
        files = score_files(self.folder)
        if not files:
            raise ValueError(f"{self.folder}: no score file (*.tsv) in this folder")
        first = next(iter(files.values()))
        columns = read_table(first, FRAME).columns
        others = sorted({*columns} - {*FRAME} - {*reference.classes})
        read = read_score_folder(self.folder, reference, others, scored.missing)
        known = len(reference.classes)
        scores = FrameScores(np.ascontiguousarray(read.scores_NTK[..., :known]), read.edges_NT1)
        if not scores.in_unit_interval:
            raise ValueError(
                f"{self.folder}: scores outside of 0 to 1; thresholds are searched there, so give probabilities"
            )
        if others:
            remarks += (f"scores of {', '.join(others)} are left out: no event has these classes",)
        return JudgedSet(reference, scores), remarks
