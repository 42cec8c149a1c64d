"""Bounding boxes: by hand, by invariants, and as the published package makes them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.evaluation.detections.bounding_boxes import (
    CONFIDENCE_FLOOR_S,
    Boxes,
    BoxSettings,
    bounding_boxes,
    box_candidates,
)
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores, read_score_folder
from tests.paths import GOLDEN, SHARED

BEATS = SHARED / "data" / "dcase2023_beats"
SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]), min_size=1, max_size=30)


def of_one_class(score_T: list[float], frame_s: float = 0.1) -> FrameScores:
    edges_NT1 = np.round(np.arange(len(score_T) + 1) * frame_s, 9)[None]
    return FrameScores(np.array(score_T)[None, :, None], edges_NT1)


def rows(boxes: Boxes) -> list[tuple[float, float, float]]:
    """Onset, offset and confidence, without what is added to the length."""
    length_E = boxes.events.offset_E - boxes.events.onset_E
    mean_E = boxes.confidence_E * (length_E + CONFIDENCE_FLOOR_S) / length_E
    columns = (boxes.events.onset_E, boxes.events.offset_E, mean_E)
    return [tuple(np.round(row, 9).tolist()) for row in zip(*columns, strict=True)]


def test_by_hand() -> None:
    """A filter of two frames rises and falls over the edges of frames: boxes of .9, .6 and .8, the lowest score
    between them .3 and .5.
    """
    scores = of_one_class([0.9] * 4 + [0.3] * 2 + [0.6] * 4 + [0.5] * 2 + [0.8] * 4)
    apart = [(0, 0.4, 0.9), (0.6, 1, 0.6), (1.2, 1.6, 0.8)]
    assert rows(bounding_boxes(scores, BoxSettings(0.2, 0.0, 9))) == apart
    # The drops are .6 and .3, the ratios .901 / .301 and .801 / .501: both must stay below.
    two = [(0, 0.4, 0.9), (0.6, 1.6, 0.66)]
    assert rows(bounding_boxes(scores, BoxSettings(0.2, 0.31, 9))) == two
    assert rows(bounding_boxes(scores, BoxSettings(0.2, 9, 1.6))) == two
    assert rows(bounding_boxes(scores, BoxSettings(0.2, 0.31, 1.59))) == apart
    assert rows(bounding_boxes(scores, BoxSettings(0.2, 0.29, 1.6))) == apart
    assert rows(bounding_boxes(scores, BoxSettings(0.2, 0.61, 3))) == [(0, 1.6, 0.675)]


def test_every_pair_is_judged_before_any_is_merged() -> None:
    """Peaks .9 .6 .4, lowest between them .5 .2: each drop is .4, although .9 is .7 above the last valley."""
    scores = of_one_class([0.9] * 4 + [0.5] * 2 + [0.6] * 4 + [0.2] * 2 + [0.4] * 4)
    assert len(bounding_boxes(scores, BoxSettings(0.2, 0, 9))) == 3
    assert len(bounding_boxes(scores, BoxSettings(0.2, 0.41, 9))) == 1


def test_silence_has_no_box_and_a_constant_has_one() -> None:
    assert len(bounding_boxes(of_one_class([0.0] * 20))) == 0
    assert rows(bounding_boxes(of_one_class([0.3] * 20))) == [(0, 2, 0.3)]
    assert rows(bounding_boxes(of_one_class([0.0] * 8 + [1.0] * 8 + [0.0] * 8))) == [(0.8, 1.6, 1)]


def test_a_shorter_clip_ends_in_frames_of_no_length() -> None:
    whole = of_one_class([0.2, 0.8, 0.4])
    padded = FrameScores(
        np.array([0.2, 0.8, 0.4, -np.inf])[None, :, None], np.array([[0, 0.1, 0.2, 0.3, 0.3]])
    )
    assert rows(bounding_boxes(padded)) == rows(bounding_boxes(whole))


@given(score_T=SCORES, step_s=st.sampled_from([0.1, 0.2, 0.3, 0.48, 5.0]))
def test_boxes_follow_each_other_and_merging_only_joins_them(
    score_T: list[float], step_s: float
) -> None:
    scores = of_one_class(score_T)
    candidates = box_candidates(scores, step_s)
    apart, some, one = (
        candidates.merged(BoxSettings(step_s, *thresholds))
        for thresholds in ((0.0, 1.0), (0.3, 2.0), (2.0, np.inf))
    )
    assert len(apart) == len(candidates.onset_E) and len(one) == (max(score_T) > 0)
    for boxes in (apart, some, one):
        onset_E, offset_E = boxes.events.onset_E, boxes.events.offset_E
        assert (offset_E > onset_E).all() and (onset_E[1:] > offset_E[:-1]).all()
        assert set(onset_E) <= set(apart.events.onset_E)
        assert set(offset_E) <= set(apart.events.offset_E)
        assert ((boxes.confidence_E > 0) & (boxes.confidence_E <= max(score_T))).all()


@given(score_T=SCORES, step_s=st.sampled_from([0.2, 0.3, 0.5]))
def test_boxes_depend_neither_on_other_clips_and_classes_nor_on_how_fine_frames_are(
    score_T: list[float], step_s: float
) -> None:
    alone = rows(bounding_boxes(of_one_class(score_T), BoxSettings(step_s)))
    fine = rows(
        bounding_boxes(of_one_class(np.repeat(score_T, 4).tolist(), 0.025), BoxSettings(step_s))
    )
    assert np.allclose(alone, fine, atol=1e-6) and len(alone) == len(fine)
    score_T1 = np.array(score_T)[:, None]
    both_NTK = np.stack([np.hstack([score_T1, 1 - score_T1]), np.hstack([1 - score_T1, score_T1])])
    edges_NT1 = of_one_class(score_T).edges_NT1.repeat(2, axis=0)
    many = bounding_boxes(FrameScores(both_NTK, edges_NT1), BoxSettings(step_s))
    for clip, label in ((0, 0), (1, 1)):
        of_cell_E = (many.events.clip_E == clip) & (many.events.label_E == label)
        assert rows(many.take(of_cell_E)) == alone


def test_thresholds_of_classes() -> None:
    boxes = bounding_boxes(of_one_class([0.5] * 4 + [0.2] * 4 + [0.9] * 4), BoxSettings(0.2, 0, 1))
    assert boxes.above(np.array([0.4])).onset_E.tolist() == [0, 0.8]
    assert len(boxes.above(np.array([0.95]))) == 0


@pytest.mark.parametrize(
    "case",
    json.loads((GOLDEN / "sebbs_boxes.json").read_text())["cases"],
    ids=lambda case: (
        f"{len(case['scores'])}x{case['frame_s']}-{case['step_filter_s']}-{case['merge_abs']:g}"
    ),
)
def test_as_the_published_package(case: dict) -> None:
    """Where a clip has a single candidate, that package adds nothing to its length: hence the tolerance."""
    settings = BoxSettings(*(case[name] for name in BoxSettings._fields))
    found = bounding_boxes(of_one_class(case["scores"], case["frame_s"]), settings)
    ours = np.array([found.events.onset_E, found.events.offset_E, found.confidence_E]).T
    theirs = np.array(case["boxes"])
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs)[:, :2].max() < 1e-9
    tolerance_E = np.where(len(theirs) == 1, 1e-5, 1e-9)
    assert (np.abs(ours - theirs)[:, 2] < tolerance_E).all()


@pytest.mark.skipif(not BEATS.exists(), reason="the scores of the DCASE 2023 baseline are not here")
def test_a_real_system() -> None:
    expected = json.loads((BEATS / "expected.json").read_text())["csebbs"]
    settings = BoxSettings(
        expected["step_filter_length_s"],
        expected["merge_threshold_abs"],
        expected["merge_threshold_rel"],
    )
    clips = tuple(sorted(expected["boxes"]))
    classes = tuple(sorted({row[2] for boxes in expected["boxes"].values() for row in boxes}))
    nothing = Events.sort([], [], [], [])
    reference = Reference(clips, np.full(len(clips), 10.0), classes, nothing)
    found = bounding_boxes(read_score_folder(BEATS / "scores", reference), settings)
    events = found.events
    ours = sorted(
        (clips[n], classes[k], onset, offset, confidence)
        for n, k, onset, offset, confidence in zip(
            *(events.clip_E, events.label_E, events.onset_E, events.offset_E, found.confidence_E),
            strict=True,
        )
    )
    theirs = sorted(
        (clip, label, onset, offset, confidence)
        for clip, boxes in expected["boxes"].items()
        for onset, offset, label, confidence in boxes
    )
    assert [row[:2] for row in ours] == [row[:2] for row in theirs]
    assert np.abs(np.array([r[2:] for r in ours]) - np.array([r[2:] for r in theirs])).max() < 1e-9


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((0, 0.1, 2), "step filter of 0 s"),
        ((np.nan, 0.1, 2), "step filter of nan s"),
        ((0.5, -0.1, 2), "absolute merge threshold -0.1, expected 0"),
        ((0.5, 0.1, 0.5), "relative merge threshold 0.5, expected 1"),
        ((0.5, np.nan, 2), "absolute merge threshold nan"),
    ],
)
def test_settings_that_mean_nothing(settings: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bounding_boxes(of_one_class([0.5]), BoxSettings(*settings))


@pytest.mark.parametrize("wrong", [-0.1, 1.5, -np.inf])
def test_scores_that_are_no_probabilities(wrong: float) -> None:
    with pytest.raises(ValueError, match="clip 0, frame 1: bounding boxes are made of scores from"):
        bounding_boxes(of_one_class([0.5, wrong]))
