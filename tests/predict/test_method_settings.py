"""Named post-processings: what each changes, and what it leaves."""

import pytest

from raysed.config.trial import PostProcessing
from raysed.evaluation.detections.bounding_boxes import PUBLISHED_BOXES
from raysed.evaluation.postprocessing.methods import METHODS
from raysed.predict.method_settings import NAMED, is_name, settings_of
from raysed.predict.settings import ClassPostProcessing

TRAINED = ClassPostProcessing.uniform(
    ("Cat", "Dog"), PostProcessing(threshold=0.5, median_window=7)
)
OWN = TRAINED.with_value("threshold", "Cat", 0.3, "").with_value("median_window", "Cat", 9, "")


def test_each_method():
    raw, median, hysteresis, boxes = (settings_of(name, OWN, TRAINED) for name in NAMED)
    assert median == TRAINED
    assert (raw.threshold, raw.median_window, raw.method) == ((0.3, 0.5), (1, 1), "median")
    assert (hysteresis.low_share, hysteresis.median_window) == ((0.5, 0.5), (9, 7))
    assert boxes.boxes == (PUBLISHED_BOXES,) * 2 and boxes.threshold == (0.3, 0.5)
    # What a tuned checkpoint holds of another method is left behind.
    assert settings_of("raw", boxes, TRAINED) == raw


def test_names_are_the_methods_and_no_paths():
    assert all(is_name(name) for name in METHODS)
    assert not is_name("./boxes") and not is_name("boxes.json")
    with pytest.raises(ValueError, match="class_median: has no settings before it is tuned"):
        settings_of("class_median", OWN, TRAINED)
