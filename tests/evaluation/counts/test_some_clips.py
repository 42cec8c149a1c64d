"""The counts of some clips are those of a set that has only these."""

import numpy as np
import pytest

from raysed.evaluation.counts.clip_counts import Counts
from raysed.evaluation.counts.some_clips import some_clips
from raysed.evaluation.counts.statistics import COUNTED, Statistics, collect
from raysed.evaluation.detections.events import Events, Reference
from tests.evaluation.oracles import Case, random_case


def counted(case: Case) -> Statistics:
    return collect(case.reference, next(iter(case.points.values())), case.points)


def only(case: Case, kept_N: np.ndarray) -> Case:
    """The case without the other clips, event by event."""
    place_N = np.cumsum(kept_N) - 1

    def kept(events: Events) -> Events:
        left = events.take(kept_N[events.clip_E])
        return Events.sort(place_N[left.clip_E], left.label_E, left.onset_E, left.offset_E)

    whole = case.reference
    names = tuple(name for name, keep in zip(whole.filenames, kept_N, strict=True) if keep)
    left = Reference(names, whole.durations_s[kept_N], whole.classes, kept(whole.events))
    return Case(left, {point: kept(events) for point, events in case.points.items()})


@pytest.mark.parametrize("seed", range(4))
def test_equals_what_is_counted_on_these_clips_alone(seed: int) -> None:
    case = random_case(seed, n_clips=15)
    kept_N = np.random.default_rng(seed).random(15) < 0.6
    alone = only(case, kept_N)
    expected, found = counted(alone), some_clips(counted(case), kept_N, alone.reference.key)
    assert (found.key, found.filenames) == (expected.key, expected.filenames)
    for name in ("durations_s", "n_gt_NK", "gt_s_NK"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for name in COUNTED:
        counts: Counts = getattr(found, name)
        for field, array in vars(counts).items():
            np.testing.assert_array_equal(array, getattr(getattr(expected, name), field))
    for criteria, deltas in expected.psds.items():
        for field, array in vars(deltas).items():
            np.testing.assert_array_equal(getattr(found.psds[criteria], field), array)


def test_other_clips_make_another_set() -> None:
    whole = counted(random_case(0))
    first, second = (some_clips(whole, np.arange(12) != n).key for n in (0, 1))
    assert len({whole.key, first, second}) == 3
    assert some_clips(whole, np.arange(12) != 0).key == first


@pytest.mark.parametrize("kept", [np.zeros(12, bool), np.ones(11, bool)])
def test_no_clips_and_other_numbers_are_refused(kept: np.ndarray) -> None:
    with pytest.raises(ValueError, match="of 12 clips some must be kept"):
        some_clips(counted(random_case(0)), kept)
