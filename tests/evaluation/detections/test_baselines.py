"""Systems that have learnt nothing do what they say."""

import numpy as np
import pytest

from raysed.evaluation.counts.statistics import collect
from raysed.evaluation.detections.baselines import always_on, derangement, permuted_clips
from raysed.evaluation.metrics.event_f1 import event_f1, tagging_f1
from tests.evaluation.oracles import random_case


def test_always_on_covers_every_clip_with_every_class() -> None:
    reference = random_case(0).reference
    events = always_on(reference)
    assert len(events) == 12 * 3
    assert events.presence(12, 3).all()
    np.testing.assert_array_equal(events.onset_E, 0)
    np.testing.assert_array_equal(events.offset_E, reference.durations_s[events.clip_E])


@pytest.mark.parametrize("n_clips", [2, 3, 100])
def test_no_clip_keeps_its_place(n_clips: int) -> None:
    for seed in range(20):
        place_N = derangement(n_clips, seed)
        assert (np.sort(place_N) == np.arange(n_clips)).all()
        assert (place_N != np.arange(n_clips)).all()
        np.testing.assert_array_equal(place_N, derangement(n_clips, seed))
    with pytest.raises(ValueError, match="exchanged"):
        derangement(1, 0)


def test_permuting_moves_whole_clips() -> None:
    events = random_case(1).points[0.05]
    moved = permuted_clips(events, 12, 3)
    place_N = derangement(12, 3)
    for clip in range(12):
        before, after = (
            events.take(events.clip_E == clip),
            moved.take(moved.clip_E == place_N[clip]),
        )
        for field in ("label_E", "onset_E", "offset_E"):
            np.testing.assert_array_equal(getattr(before, field), getattr(after, field))


def test_a_perfect_system_loses_its_score() -> None:
    reference = random_case(2, n_clips=40).reference
    perfect = collect(reference, reference.events)
    moved = collect(reference, permuted_clips(reference.events, 40, 0))
    assert event_f1(perfect)[0][0] == 1.0
    assert event_f1(moved)[0][0] < 0.2
    assert tagging_f1(moved)[0][0] < 1.0
