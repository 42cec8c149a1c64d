"""Running medians by their seconds, and scores that are counted in parts."""

from pathlib import Path

import numpy as np
import pytest

from raysed.evaluation.counts import scored as module
from raysed.evaluation.counts.clip_counts import PAPER
from raysed.evaluation.counts.scored import (
    EventMatches,
    Intersections,
    Scored,
    Segments,
    median_scores,
)
from raysed.evaluation.detections import score_parts
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.postprocess import median_filter
from tests.evaluation.metrics.test_threshold_free import scored
from tests.evaluation.score_folders import files_of


@pytest.mark.parametrize(
    ("window_s", "frames"), [(0.0, 1), (0.2, 1), (0.29, 1), (0.4, 1), (0.5, 3), (1.0, 5), (2.0, 9)]
)
def test_a_median_has_the_nearest_odd_number_of_frames(window_s: float, frames: int) -> None:
    """Frames of 0.2 s; of two that are equally near the one that Python rounds to."""
    _, scores = scored(0, 1000)
    expected = median_filter(scores.scores_NTK, frames) if frames > 1 else scores.scores_NTK
    np.testing.assert_array_equal(median_scores(scores, window_s).scores_NTK, expected)


@pytest.mark.parametrize("kind", [Intersections(PAPER), EventMatches(0.2, 0.2), Segments(1.0)])
def test_parts_of_a_set_do_not_change_its_counts(
    kind: module.Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, scores = scored(2, 50, 11)
    whole = Scored.of(reference, scores).changes(kind)
    monkeypatch.setattr(score_parts, "CLIPS_AT_ONCE", 3)
    parts = Scored.of(reference, scores).changes(kind)
    for name in ("start_G", "score_E", "slot_E"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))
    assert whole.change_E.sum() == parts.change_E.sum()


def test_half_precision_is_counted_as_it_is() -> None:
    reference, scores = scored(2, 50, 4)
    half = FrameScores(scores.scores_NTK.astype(np.float16), scores.edges_NT1)
    single = FrameScores(half.scores_NTK.astype(np.float32), scores.edges_NT1)
    for kind in (Intersections(PAPER), EventMatches(0.2, 0.2), Segments(1.0)):
        found, expected = (Scored.of(reference, s).changes(kind) for s in (half, single))
        np.testing.assert_array_equal(found.change_E, expected.change_E)
        np.testing.assert_array_equal(found.score_E, expected.score_E)


def test_what_memory_does_not_hold_is_refused_with_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, scores = scored(2, 50, 4)
    files = files_of(tmp_path, reference, scores)
    Scored.of(reference, files).changes(Segments(1.0))
    monkeypatch.setattr(module, "ENTRY_BYTES", 10**12)
    for kind in (EventMatches(0.2, 0.2), Segments(1.0), Intersections(PAPER)):
        with pytest.raises(ValueError, match=r"about \d+ GB of memory.*--classes"):
            Scored.of(reference, files).changes(kind)
    Scored.of(reference, files).changes(Intersections(PAPER, per_hour=100.0))
    Scored.of(reference, scores).changes(Segments(1.0))
