"""The area of one class is the PSDS of a set that holds it alone, and a part of a set is that part alone."""

from dataclasses import replace

import numpy as np
import pytest

from raysed.evaluation.counts.statistics import collect
from raysed.evaluation.detections.bounding_boxes import BoxSettings, bounding_boxes
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.postprocess import THRESHOLDS
from raysed.evaluation.metrics.psds import DEFINITIONS, psds
from raysed.evaluation.postprocessing.class_curves import ClassCurves
from tests.evaluation.metrics.test_threshold_free import scored

GOALS = ("psds1", "psds2", "psds_2020")


def areas_of_points(reference: Reference, points: dict[float, Events], goal: str) -> np.ndarray:
    kept_N = np.ones(len(reference.filenames), bool)
    return ClassCurves.of_points(reference, points, DEFINITIONS[goal]).areas(kept_N)


@pytest.mark.parametrize("goal", GOALS)
def test_without_the_cost_of_spread_their_mean_is_the_psds(goal: str) -> None:
    reference, scores = scored(1, 30)
    points = {threshold: scores.decode(threshold) for threshold in THRESHOLDS}
    statistics = collect(reference, points[THRESHOLDS[25]], points)
    plain = replace(DEFINITIONS[goal], alpha_st=0.0)
    whole = float(psds(statistics, definition=plain)[0])
    assert areas_of_points(reference, points, goal).mean() == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize("goal", GOALS)
def test_boxes_at_every_confidence_are_operating_points_there(goal: str) -> None:
    reference, scores = scored(2, 40)
    boxes = bounding_boxes(scores, BoxSettings(0.5, 0.1, 1.5))
    points = {
        confidence: boxes.above(np.full(3, confidence))
        for confidence in np.unique(boxes.confidence_E).tolist()
    }
    kept_N = np.ones(len(reference.filenames), bool)
    found = ClassCurves.of_boxes(reference, boxes, DEFINITIONS[goal]).areas(kept_N)
    assert np.allclose(found, areas_of_points(reference, points, goal), atol=1e-12)
    assert found.max() > 0.1


@pytest.mark.parametrize("goal", GOALS)
def test_a_part_of_a_set_is_that_set(goal: str) -> None:
    reference, scores = scored(3, 40)
    kept_N = np.arange(len(reference.filenames)) % 3 > 0
    boxes = bounding_boxes(scores)
    found = ClassCurves.of_boxes(reference, boxes, DEFINITIONS[goal]).areas(kept_N)
    inside_E = kept_N[reference.events.clip_E]
    place_N = np.cumsum(kept_N) - 1
    events = reference.events.take(inside_E)
    part = Reference(
        tuple(np.array(reference.filenames)[kept_N].tolist()),
        reference.durations_s[kept_N],
        reference.classes,
        Events(place_N[events.clip_E].astype(np.int32), *list(vars(events).values())[1:]),
    )
    alone = bounding_boxes(FrameScores(scores.scores_NTK[kept_N], scores.edges_NT1[kept_N]))
    expected = ClassCurves.of_boxes(part, alone, DEFINITIONS[goal]).areas(
        np.ones(sum(kept_N), bool)
    )
    assert np.allclose(found, expected, atol=1e-12)


def test_nothing_kept_has_no_area() -> None:
    reference, scores = scored(4, 40)
    curves = ClassCurves.of_boxes(reference, bounding_boxes(scores), DEFINITIONS["psds1"])
    assert curves.areas(np.zeros(len(reference.filenames), bool)).tolist() == [0, 0, 0]
