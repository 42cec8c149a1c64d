"""Floors: below them there are too many false alarms at every threshold, by counting each."""

import numpy as np
import pytest

from raysed.evaluation.counts.clip_counts import arrays_of
from raysed.evaluation.counts.score_floors import count_rises, drawn_need, floors, levels_of
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from tests.evaluation.metrics.test_threshold_free import on_a_grid, scored


def false_alarms(reference: Reference, scores: FrameScores, label: int, level: float) -> int:
    """Runs of frames at or above the level in clips without events of the class."""
    truth, found = reference.events.positive(), scores.decode(level)
    with_events = {*truth.clip_E[truth.label_E == label].tolist()}
    clips = found.clip_E[found.label_E == label].tolist()
    return sum(clip not in with_events for clip in clips)


def floors_of(reference: Reference, scores: FrameScores, need: float) -> np.ndarray:
    n_clips = len(reference.filenames)
    truth = arrays_of(reference.events.positive(), n_clips)
    level_KQ = levels_of(scores.part(slice(None, None, 3)), need, n_clips)
    counts_3KQ = count_rises(truth, scores, np.asarray(reference.durations_s), level_KQ)
    return floors(counts_3KQ, level_KQ, need)


@pytest.mark.parametrize("need", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("seed", range(4))
def test_every_threshold_below_a_floor_has_the_false_alarms(seed: int, need: float) -> None:
    reference, scores = scored(seed, 40, 90)
    floor_K = floors_of(reference, scores, need)
    assert np.isfinite(floor_K).any()
    for label, floor in enumerate(floor_K):
        levels = np.unique(scores.scores_NTK[..., label])
        fewest = [false_alarms(reference, scores, label, at) for at in levels[levels < floor]]
        assert min(fewest, default=np.inf) >= min(drawn_need(need), drawn_need(need, 1.0))


def test_a_floor_is_near_the_lowest_score_with_too_few() -> None:
    """Each rise is a level here, and scores are 1/40 apart; of so many false alarms draws have 1 or more."""
    need = 0.4
    at_least = min(drawn_need(need), drawn_need(need, 1.0))
    assert 6 < at_least < 8
    reference, scores = scored(1, 40, 60)
    whole = scores.part(slice(None))
    levels = levels_of(whole, need, len(reference.filenames))
    truth = arrays_of(reference.events.positive(), 60)
    counts_3KQ = count_rises(truth, scores, np.asarray(reference.durations_s), levels)
    for label, floor in enumerate(floors(counts_3KQ, levels, need)):
        at = np.unique(scores.scores_NTK[..., label])
        few = [level for level in at if false_alarms(reference, scores, label, level) < at_least]
        assert min(few) - 2.5 / 40 < floor <= max(few)


def test_clips_with_a_false_alarm_are_enough_where_draws_keep_what_is_needed() -> None:
    """400 clips of one run each: for draws with 100, 100 + 10 sqrt(100) clips, or 100 + 10 sqrt(500) false alarms."""
    counts_3KQ = np.zeros((3, 1, 401), np.int64)
    counts_3KQ[0, 0, :400] = counts_3KQ[2, 0, :400] = 1
    level_KQ = np.arange(400, 0, -1, dtype=np.float64)[None]
    assert floors(counts_3KQ, level_KQ, 100.0).tolist() == [400.0 - 199]
    counts_3KQ[2] = 0
    assert floors(counts_3KQ, level_KQ, 100.0).tolist() == [400.0 - 323]
    assert floors(counts_3KQ, level_KQ, 150.0).tolist() == [-np.inf]


def test_clips_of_unknown_duration_and_boxes_without_enough_have_none() -> None:
    reference, scores = on_a_grid(2, boxes=True)
    assert (floors_of(reference, scores, 1000.0) == -np.inf).all()
    unknown = Reference(
        reference.filenames, np.full(12, np.nan), reference.classes, reference.events
    )
    assert (floors_of(unknown, scores, 1.0) == -np.inf).all()
