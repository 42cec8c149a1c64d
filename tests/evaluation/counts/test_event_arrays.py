"""What is said about arrays that do not fit each other."""

from dataclasses import astuple

import numpy as np
import pytest

from raysed.evaluation.counts.clip_counts import arrays_of
from raysed.evaluation.counts.event_arrays import check_arrays
from raysed.evaluation.detections.events import Events

GOOD = Events.sort([0, 1], [0, 1], [0.0, 1.0], [1.0, 1.0])


def test_events_of_tables_fit() -> None:
    check_arrays("events", arrays_of(GOOD, 2), 2, 2)
    check_arrays("none", arrays_of(GOOD.take(np.zeros(2, bool)), 2), 2, 2, positive=True)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, np.array([0, 2, 1]), "starts do not rise from 0 to 2 events"),
        (0, np.array([0, 1, 3]), "starts do not rise"),
        (0, np.array([0, 1]), r"starts \(2,\), expected"),
        (0, np.array([0.0, 1.0, 2.0]), "starts are float64"),
        (1, np.array([0, 2]), "labels from 0 to 2, expected 0 to 2 - 1"),
        (1, np.array([-1, 0]), "labels from -1"),
        (2, np.array([0.0, np.nan]), "an onset or offset is not finite"),
        (3, np.array([1.0]), "labels, onsets and offsets have the shapes"),
    ],
)
def test_what_does_not_fit_is_named(place: int, value: np.ndarray, message: str) -> None:
    arrays = list(arrays_of(GOOD, 2))
    arrays[place] = value
    with pytest.raises(ValueError, match=f"these: {message}"):
        check_arrays("these", tuple(arrays), 2, 2)


def test_an_array_too_few_and_an_event_of_no_length() -> None:
    with pytest.raises(ValueError, match="3 arrays, expected start"):
        check_arrays("these", astuple(GOOD)[:3], 2, 2)
    with pytest.raises(ValueError, match="no positive length"):
        check_arrays("these", arrays_of(GOOD, 2), 2, 2, positive=True)
