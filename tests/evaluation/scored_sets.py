"""Sets with frame scores and their statistics, and what a resample of their clips is when it is written out."""

from dataclasses import replace

import numpy as np

from raysed.evaluation.counts.scored import Scored
from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores


def statistics_of(reference: Reference, scores: FrameScores) -> Statistics:
    counted = collect(reference, scores.decode(0.5))
    return replace(counted, scored=Scored.of(reference, scores))


def written_out(
    reference: Reference, scores: FrameScores, clip_I: np.ndarray
) -> tuple[Reference, FrameScores]:
    """The set whose clip i is clip `clip_I[i]`, under a name of its own."""
    events = reference.events
    rows = [np.flatnonzero(events.clip_E == clip) for clip in clip_I]
    row_E = np.concatenate(rows)
    new_clip_E = np.repeat(np.arange(len(clip_I)), [len(row) for row in rows])
    truth = Events.sort(
        new_clip_E, events.label_E[row_E], events.onset_E[row_E], events.offset_E[row_E]
    )
    names = tuple(f"clip{i:05d}.wav" for i in range(len(clip_I)))
    durations_s = np.asarray(reference.durations_s)[clip_I]
    repeated = FrameScores(scores.scores_NTK[clip_I], scores.edges_NT1[clip_I])
    return Reference(names, durations_s, reference.classes, truth), repeated
