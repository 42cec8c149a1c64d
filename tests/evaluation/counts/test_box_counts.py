"""The counts of boxes at any threshold are those of counting what the threshold keeps."""

import numpy as np
import pytest

from raysed.evaluation.counts.box_counts import box_hits
from raysed.evaluation.counts.clip_counts import PAPER, PSDS1, PSDS2, intersection_points
from raysed.evaluation.counts.intersections import EXACT, ROUNDED
from raysed.evaluation.detections.bounding_boxes import Boxes, BoxSettings, bounding_boxes
from raysed.evaluation.detections.events import Events, Reference
from tests.evaluation.metrics.test_threshold_free import scored


def counted(reference: Reference, boxes: Boxes, criteria: tuple, threshold: float) -> list[int]:
    n_columns = len(reference.classes) * (len(reference.classes) + 2)
    column_E, box_E = box_hits(reference, boxes, criteria, EXACT).T
    kept_E = boxes.confidence_E[box_E] >= threshold
    return np.bincount(column_E[kept_E], minlength=n_columns).tolist()


@pytest.mark.parametrize("criteria", [PAPER, PSDS1, PSDS2])
@pytest.mark.parametrize("seed", range(3))
def test_as_counted_at_operating_points(seed: int, criteria: tuple) -> None:
    reference, scores = scored(seed, 40)
    boxes = bounding_boxes(scores, BoxSettings(0.5, 0.1, 1.5))
    assert len(boxes) > 40
    for threshold in (0.0, 0.2, 0.35, 0.6):
        kept = boxes.above(np.full(3, threshold))
        column_E, _, _, change_E = (
            intersection_points(reference, [kept], criteria).entries().T.astype(int)
        )
        expected = np.bincount(column_E, weights=change_E, minlength=15)
        assert counted(reference, boxes, criteria, threshold) == expected.tolist()


def test_by_hand() -> None:
    """Two boxes cover an event together: it is hit from the less confident one on."""
    truth = Events.sort([0, 0], [0, 1], [0.0, 6.0], [4.0, 8.0])
    reference = Reference(("a",), np.array([10.0]), ("Cat", "Dog"), truth)
    columns = ([0] * 4, [0] * 4, [0, 2, 6, 8.5], [2, 4, 8, 9], [0.5, 0.9, 0.7, 0.8])
    boxes = Boxes.sort(tuple(map(np.array, columns)))
    found = box_hits(reference, boxes, PAPER._replace(gtc=0.6), ROUNDED).tolist()
    # Columns of Cat: 0 hits, 1 false alarms, 3 cross-triggers on Dog.
    assert sorted(found) == [[0, 0], [1, 2], [1, 3], [3, 2]]


def test_confidences_that_do_not_fit_are_refused() -> None:
    reference, scores = scored(0, 40)
    boxes = bounding_boxes(scores)
    for wrong_E in (boxes.confidence_E[1:], np.full(len(boxes), np.nan)):
        with pytest.raises(ValueError, match="need as many confidences"):
            box_hits(reference, Boxes(boxes.events, wrong_E), PAPER)
