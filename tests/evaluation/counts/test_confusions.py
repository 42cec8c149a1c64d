"""Classes taken for others: counted by hand, and the hits and false alarms of the intersection F1."""

import numpy as np

from raysed.evaluation.counts.clip_counts import PAPER, intersection_counts
from raysed.evaluation.counts.confusions import Confusions
from raysed.evaluation.counts.statistics import collect
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.postprocess import THRESHOLDS
from raysed.evaluation.postprocessing.methods import MedianSettings, decoders
from tests.evaluation.postprocessing.test_setting_search import case

CAT, DOG, SPEECH = range(3)


def events(*rows):
    return Events.sort(*(zip(*rows, strict=True) if rows else ([],) * 4))


def test_by_hand():
    """Clip 0: the cat is found, the dog taken for a cat. Clip 1: speech where nothing is, and on a cat and a dog at once."""
    truth = events((0, CAT, 0, 2), (0, DOG, 4, 6), (1, CAT, 1, 4), (1, DOG, 1, 4))
    reference = Reference(("a", "b"), np.array([10.0, 10.0]), ("Cat", "Dog", "Speech"), truth)
    at = events(
        (0, CAT, 0, 2), (0, CAT, 4, 6), (1, SPEECH, 8, 9), (1, SPEECH, 1, 4)
    )  # fmt: skip
    lower = events((0, DOG, 0, 2), (0, CAT, 0, 2), (0, CAT, 4, 6), (1, SPEECH, 8, 9), (1, SPEECH, 1, 4))  # fmt: skip
    found = Confusions.of(collect(reference, at, {0.2: lower, 0.5: at, 0.9: events()}))
    assert found.threshold == 0.5
    assert found.events_K.tolist() == [2, 2, 0]
    assert found.found_K.tolist() == [1, 0, 0]
    assert found.false_K.tolist() == [1, 0, 2]
    # Down the annotated class, across the detected one.
    assert found.taken_KK.tolist() == [[0, 0, 1], [1, 0, 1], [0, 0, 0]]


def test_hits_and_false_alarms_are_those_of_the_f1():
    reference, scores = case(12)
    (decode,) = decoders(scores, (MedianSettings(1),))
    statistics = collect(reference, decode(0.5), {t: decode(t) for t in THRESHOLDS})
    found = Confusions.of(statistics)
    alone = intersection_counts(reference, decode(found.threshold), PAPER)
    hits_K, detected_K = alone.tp_NK.sum(axis=0), alone.n_sys_NK.sum(axis=0)
    np.testing.assert_array_equal(found.found_K, hits_K)
    np.testing.assert_array_equal(found.false_K, detected_K - hits_K)
    assert (found.taken_KK <= found.false_K).all()
    assert not found.taken_KK.diagonal().any()
