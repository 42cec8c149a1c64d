"""Post-processing by class: where its values come from, and the events that it makes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import median_filter

from raysed.config.trial import PostProcessing
from raysed.evaluation.detections.bounding_boxes import BoxSettings
from raysed.predict.settings import ClassPostProcessing, events, parse_settings, smooth

SETTINGS = ClassPostProcessing(("Cat", "Dog"), (0.5, 0.25), (1, 3))


def test_a_trials_own_settings_are_those_of_every_class():
    uniform = ClassPostProcessing.uniform(
        ["Cat", "Dog"], PostProcessing(threshold=0.3, median_window=7)
    )
    assert uniform == ClassPostProcessing(("Cat", "Dog"), (0.3, 0.3), (7, 7))


def test_only_the_named_values_change():
    changed = SETTINGS.updated({"threshold": {"Dog": 0.75}, "median_window": {"Cat": 5}}, "s.json")
    assert changed == ClassPostProcessing(("Cat", "Dog"), (0.5, 0.75), (5, 3))
    assert SETTINGS.updated(changed.as_json(), "s.json") == changed
    assert SETTINGS.threshold == (0.5, 0.25), "the first stays as it was"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "expected an object with threshold or median_window"),
        ({"thresholds": {}}, "expected an object with threshold or median_window"),
        ({"threshold": 0.5}, "threshold is not an object of classes and numbers"),
        ({"threshold": {"Cta": 0.5}}, r"Cta is not one of .* Cat, Dog; did you mean Cat\?"),
        ({"threshold": {"Zebra": 0.5}}, "Zebra is not one of the checkpoint's classes Cat, Dog$"),
        ({"threshold": {"Cat": 1.0}}, "threshold of Cat is 1.0, expected 0 to 1"),
        ({"threshold": {"Cat": True}}, "threshold of Cat is True"),
        ({"threshold": {"Cat": "0.5"}}, "threshold of Cat is '0.5'"),
        ({"median_window": {"Dog": 4}}, "median_window of Dog is 4, expected an odd number"),
        ({"median_window": {"Dog": -3}}, "median_window of Dog is -3"),
        ({"median_window": {"Dog": 3.0}}, "median_window of Dog is 3.0"),
        ({"median_window": {"Dog": True}}, "median_window of Dog is True"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_by_source_and_class(content, message):
    with pytest.raises(ValueError, match=f"^s.json: {message}"):
        SETTINGS.updated(content, "s.json")


BOXES = {"method": "boxes", "step_filter_s": {"Cat": 0.32}, "threshold": {"Cat": 0.25}}


def test_other_methods_are_read_as_they_are_written():
    boxes = SETTINGS.updated(BOXES, "s.json")
    assert boxes.method == "boxes" and boxes.threshold == (0.25, 0.25)
    assert boxes.boxes == (BoxSettings(0.32), BoxSettings())
    shares = SETTINGS.updated(
        {"method": "hysteresis", "low_share": {"Dog": 0.25}, "threshold": {}}, "s"
    )
    assert shares.low_share == (0.5, 0.25) and shares.median_window == (1, 3)
    for settings in (boxes, shares):
        assert SETTINGS.updated(settings.as_json(), "s.json") == settings
        assert settings.updated(SETTINGS.as_json(), "s.json") == SETTINGS
    assert str(boxes) == (
        "boxes, threshold 0.25, step_filter_s 0.32 to 0.48, merge_abs 0.15, merge_rel 2"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"method": "cnn"}, "method is 'cnn', expected median, hysteresis or boxes"),
        ({"method": "hysteresis", "low_share": {"Cat": 2}}, "low_share is a share"),
        ({"method": "hysteresis", "low_share": 0.5}, "low_share is not an object"),
        ({"method": "boxes", "merge_rel": {"Cat": 0.5}}, "Cat: relative merge threshold 0.5"),
        ({"method": "boxes", "merge_rel": {"Cta": 2}}, "Cta is not one of"),
        (
            {"method": "boxes", "merge_abs": {"Cat": "a"}},
            "merge_abs of Cat is 'a', expected a number",
        ),
    ],
)
def test_methods_that_cannot_be_meant_are_refused(content, message):
    with pytest.raises(ValueError, match=f"^s.json: {message}"):
        SETTINGS.updated({"threshold": {}} | content, "s.json")


def test_boxes_have_a_confidence_and_hysteresis_joins():
    edge_T1 = np.arange(9.0)
    scores_TK = np.array(
        [[0.1] * 2, *[[0.5, 0.9]] * 2, [0.4, 0.1], [0.5, 0.5], *[[0.1] * 2] * 3], np.float16
    )
    assert smooth(scores_TK[None], SETTINGS.updated(BOXES, "s"))[0] is not None
    boxes = events(
        scores_TK, edge_T1, SETTINGS.updated(BOXES | {"step_filter_s": {"Cat": 2, "Dog": 2}}, "s")
    )
    assert [event[:3] for event in boxes] == [
        (1.0, 5.0, "Cat"),
        (1.0, 3.0, "Dog"),
        (4.0, 5.0, "Dog"),
    ]
    assert [event[3] for event in boxes] == pytest.approx([0.475, 0.9, 0.5], abs=1e-3)
    both = SETTINGS.updated(
        {"method": "hysteresis", "threshold": {"Dog": 0.75}, "low_share": {"Cat": 0.75}}, "s"
    )
    assert events(scores_TK, edge_T1, both) == [(1.0, 5.0, "Cat"), (1.0, 3.0, "Dog")]


def test_the_last_threshold_of_the_command_line_counts():
    assert SETTINGS.with_thresholds(["Cat=0.1", "0.4", "Dog=0.9"]).threshold == (0.4, 0.9)
    assert SETTINGS.with_thresholds([]) == SETTINGS


def test_a_settings_file_that_is_no_json_is_named():
    for text in ("{", b"\xff\xfe"):
        with pytest.raises(ValueError, match=r"s\.json: not JSON \("):
            parse_settings(text, "s.json")
    assert parse_settings(b'{"threshold": {}}', "s.json") == {"threshold": {}}


@given(st.integers(1, 40), st.sampled_from([1, 3, 5, 9]), st.sampled_from([1, 3, 5, 9]))
def test_each_class_has_the_median_of_its_own_window(frames, first, second):
    settings = ClassPostProcessing(("Cat", "Dog"), (0.5, 0.5), (first, second))
    scores_BUK = np.random.default_rng(frames).random((2, frames, 2)).astype(np.float16)
    found_BUK = smooth(scores_BUK, settings)
    assert found_BUK.dtype == np.float16
    for k, window in enumerate((first, second)):
        expected = median_filter(scores_BUK[..., k].astype(float), (1, window), mode="reflect")
        np.testing.assert_array_equal(found_BUK[..., k], expected)


def test_events_by_hand():
    smoothed_TK = np.array([[0.5, 0.1], [0.75, 0.25], [0.1, 0.3], [0.9, 0.0]], np.float16)
    edge_T1 = np.array([0.0, 1.0, 2.5, 3.0, 3.0])
    # The last frame has no length; Cat is there at the threshold itself.
    assert events(smoothed_TK, edge_T1, SETTINGS) == [(0.0, 2.5, "Cat"), (1.0, 3.0, "Dog")]


def test_thresholds_are_compared_as_float16():
    smoothed_TK = np.array([[0.3, 0.3]], np.float16)
    settings = ClassPostProcessing(
        ("Cat", "Dog"), (0.3, float(np.nextafter(np.float16(0.3), np.float16(1)))), (1, 1)
    )
    assert events(smoothed_TK, np.array([0.0, 1.0]), settings) == [(0.0, 1.0, "Cat")]
