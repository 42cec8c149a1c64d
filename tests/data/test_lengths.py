"""Which recordings are cut, windowed and refused."""

import pytest

from raysed.config.data_job import Features
from raysed.data.lengths import LONGEST_S, is_long, length_fault, unheard_from_s

TEN_S = Features()


@pytest.mark.parametrize(
    ("seconds", "long"),
    [(0.1, False), (10.0, False), (11.0, False), (11.25, False), (11.3, True), (60.0, True)],
)
def test_a_clip_of_desed_is_never_long(seconds: float, long: bool) -> None:
    assert is_long(seconds, TEN_S) is long
    assert is_long(seconds / 2, Features(duration_s=5.0)) is long


def test_without_tolerance_a_sample_more_is_long() -> None:
    assert is_long(10 + 1 / 16000, TEN_S, 0.0) and not is_long(10.0, TEN_S, 0.0)


def test_long_clips_with_labels_of_the_whole_are_refused_with_what_to_do() -> None:
    fault = length_fault(30.0, TEN_S, clip_labels_only=True)
    assert fault is not None and "lasts 30.0 s" in fault and "set features.duration_s" in fault
    assert length_fault(11.0, TEN_S, clip_labels_only=True) is None
    assert length_fault(30.0, TEN_S, clip_labels_only=False) is None


def test_recordings_of_many_hours_are_refused() -> None:
    assert length_fault(LONGEST_S, TEN_S, clip_labels_only=False) is None
    fault = length_fault(LONGEST_S + 3600, TEN_S, clip_labels_only=False)
    assert fault is not None and "lasts 4.0 h" in fault and "cut it into parts" in fault


def test_a_cut_clip_is_unheard_from_the_cut_on() -> None:
    assert unheard_from_s(10.5, TEN_S) == 10.0 and unheard_from_s(9.0, TEN_S) == float("inf")
