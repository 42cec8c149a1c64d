"""The placement rules of the four suffixes, with generators that return what the rule's bounds
are.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.data.soundscapes.placement import Placement, place, split_label


class Scripted:
    """A RandomState whose uniform draws are a fixed fraction of the range, and whose choice is
    fixed.
    """

    def __init__(self, fraction: float, part: str = "onset") -> None:
        self.fraction, self.part, self.choices = fraction, part, []

    def uniform(self, low: float, high: float) -> float:
        return low + self.fraction * (high - low)

    def choice(self, options: list[str], p: list[float] | None = None) -> str:
        self.choices.append((tuple(options), None if p is None else tuple(p)))
        return self.part


def test_plain_sources_start_anywhere_and_may_be_cut_by_the_end() -> None:
    assert place("", 2.0, 10.0, Scripted(0.0)) == Placement(0.0, 0.0, 2.0)
    assert place("", 2.0, 10.0, Scripted(1.0)) == Placement(0.0, 9.75, 0.25)
    assert place("", 10.0, 10.0, Scripted(0.0)) == Placement(0.0, 0.0, 10.0)


def test_long_plain_sources_show_their_onset_or_their_offset() -> None:
    random = Scripted(0.5, "onset")
    assert place("", 29.0, 10.0, random) == Placement(0.0, 4.875, 5.125)
    assert random.choices == [(("onset", "offset"), None)]
    assert place("", 29.0, 10.0, Scripted(0.5, "offset")) == Placement(29.0 - 4.875, 0.0, 4.875)


def test_very_long_plain_sources_may_show_their_middle() -> None:
    random = Scripted(0.5, "middle")
    assert place("", 40.0, 10.0, random) == Placement(20.0, 0.0, 10.0)
    assert random.choices == [(("onset", "middle", "offset"), (0.375, 0.25, 0.375))]


def test_a_source_without_onset_is_heard_from_the_start() -> None:
    assert place("_nOn", 6.0, 10.0, Scripted(0.0)) == Placement(0.0, 0.0, 6.0)
    assert place("_nOn", 6.0, 10.0, Scripted(1.0)) == Placement(5.75, 0.0, 0.25)
    assert place("_nOn", 30.0, 10.0, Scripted(0.0)) == Placement(0.0, 0.0, 10.0)


def test_a_source_without_offset_is_heard_to_the_end() -> None:
    assert place("_nOff", 6.0, 10.0, Scripted(0.0)) == Placement(0.0, 4.0, 6.0)
    assert place("_nOff", 6.0, 10.0, Scripted(1.0)) == Placement(0.0, 9.75, 0.25)
    assert place("_nOff", 30.0, 10.0, Scripted(0.0)) == Placement(0.0, 0.0, 10.0)


def test_a_source_without_either_fills_the_soundscape() -> None:
    assert place("_nOn_nOff", 16.0, 10.0, Scripted(0.5)) == Placement(3.0, 0.0, 10.0)
    assert place("_nOn_nOff", 9.9, 10.0, Scripted(0.5)) == Placement(0.0, 0.0, 9.9)


def test_the_parts_of_very_long_sources_come_in_their_proportions() -> None:
    random = np.random.RandomState(0)
    drawn = [place("", 45.0, 10.0, random) for _ in range(4000)]
    middle = sum(p.event_duration == 10.0 for p in drawn) / 4000
    onset = sum(p.source_time == 0.0 for p in drawn) / 4000
    assert abs(middle - 0.25) < 0.03
    assert abs(onset - 0.375) < 0.03


@given(
    st.sampled_from(["", "_nOn", "_nOff", "_nOn_nOff"]),
    st.floats(0.05, 60.0),
    st.integers(0, 2**32 - 1),
)
def test_every_placement_lies_inside_source_and_clip(
    suffix: str, source_s: float, seed: int
) -> None:
    where = place(suffix, source_s, 10.0, np.random.RandomState(seed))
    assert where.source_time >= 0 and where.event_duration > 0
    assert where.source_time + where.event_duration <= source_s + 1e-9
    assert 0 <= where.event_time <= 10.0 - min(0.25, source_s) + 1e-9
    assert where.event_time + where.event_duration <= 10.0 + 1e-9
    if "_nOn" in suffix:
        assert where.event_time == 0
    if suffix == "_nOff":
        assert where.event_time + where.event_duration == pytest.approx(10.0)


def test_labels_lose_their_suffix() -> None:
    assert split_label("Frying") == ("Frying", "")
    assert split_label("Vacuum_cleaner_nOn") == ("Vacuum_cleaner", "_nOn")
    assert split_label("Frying_nOff") == ("Frying", "_nOff")
    assert split_label("Vacuum_cleaner_nOn_nOff") == ("Vacuum_cleaner", "_nOn_nOff")


@pytest.mark.parametrize("folder", ["Frying_nof", "Frying_nOff_nOn", "Frying_NON", "Dog_nOnn"])
def test_unknown_suffixes_are_refused(folder: str) -> None:
    with pytest.raises(ValueError, match=folder):
        split_label(folder)
