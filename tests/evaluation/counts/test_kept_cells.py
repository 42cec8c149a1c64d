"""What is kept of score files: clips with events, and clips that reach the floor."""

from pathlib import Path

import numpy as np

from raysed.evaluation.counts.kept_cells import Keeping, Packed
from raysed.evaluation.detections.frame_scores import FrameScores
from tests.evaluation.metrics.test_threshold_free import scored
from tests.evaluation.score_folders import files_of


def test_cells_are_packed_without_what_is_below_the_floor() -> None:
    scores_NTK = np.array([[[0.1, 0.9], [0.5, 0.2], [-np.inf, 0.4]]])
    scores = FrameScores(
        np.concatenate((scores_NTK, scores_NTK / 2)), np.array([np.arange(4.0)] * 2)
    )
    packed = Packed.of(np.array([0, 0, 1]), np.array([0, 1, 1]), scores, np.array([0.25, 0.2]))
    none = -np.inf
    assert packed.start_K1.tolist() == [0, 2, 3]
    assert packed.scores(slice(0, 2)).tolist() == [[none, 0.5, none], [none, 0.25, none]]
    assert packed.scores(slice(2, 3)).tolist() == [[0.45, none, 0.2]]
    assert packed.scores(slice(1, 1)).shape == (0, 3)


def test_each_class_keeps_the_clips_that_matter_to_it(tmp_path: Path) -> None:
    reference, scores = scored(2, 1000, 90)
    hours = reference.durations_s.sum() / 3600
    kept = Keeping(reference, files_of(tmp_path, reference, scores), [1], 1 / hours).cells()
    present_NK = reference.events.positive().presence(90, 3)
    assert np.isfinite(kept.floor_VK).any()
    np.testing.assert_allclose(kept.edges_NT1, scores.edges_NT1, atol=1e-12)
    for label in range(3):
        cells = kept.of(0, label)
        assert cells.floor == kept.floor_VK[0, label]
        own_NT = scores.scores_NTK[..., label]
        lasting_NT = np.diff(scores.edges_NT1, axis=1) > 0
        reached_N = np.where(lasting_NT, own_NT, -np.inf).max(axis=1) >= cells.floor
        assert {*np.flatnonzero(reached_N | present_NK[:, label])} <= {*cells.clip_C}
        above_CT = cells.score_CT >= cells.floor
        np.testing.assert_array_equal(cells.score_CT[above_CT], own_NT[cells.clip_C][above_CT])
        own_CT = np.where(lasting_NT, own_NT, -np.inf)[cells.clip_C]
        np.testing.assert_array_equal(above_CT, own_CT >= cells.floor)
