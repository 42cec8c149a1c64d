"""PSDS over all thresholds: psds_eval with a point at every score, and sed_scores_eval's values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.metrics.psds import DEFINITIONS
from raysed.evaluation.metrics.threshold_free import threshold_free_psds
from tests.evaluation.oracles import Case, psds_eval_score, random_case


def scored(seed: int, n_levels: int, n_clips: int = 8) -> tuple[Reference, FrameScores]:
    """A set and noisy frame scores of it on a coarse scale, so that scores repeat."""
    reference = random_case(seed, n_clips=n_clips).reference
    rng = np.random.default_rng([seed, n_levels])
    activity_NTK = np.zeros((n_clips, 50, 3))
    events = reference.events
    for clip, label, onset, offset in zip(*vars(events).values(), strict=True):
        activity_NTK[clip, int(onset * 5) : int(np.ceil(offset * 5)), label] = 0.5
    noise_NTK = rng.random((n_clips, 50, 3))
    for _ in range(3):
        noise_NTK = (np.roll(noise_NTK, 1, axis=1) + noise_NTK) / 2
    scores_NTK = np.round((activity_NTK + noise_NTK) / 1.5 * n_levels) / n_levels
    return reference, FrameScores.uniform(scores_NTK, 0.2, reference.durations_s)


def every_point(reference: Reference, scores: FrameScores) -> Case:
    levels = np.unique(scores.scores_NTK)
    return Case(reference, {float(level): scores.decode(level) for level in levels})


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), n_levels=st.sampled_from([4, 11, 25]))
@pytest.mark.parametrize("name", ["psds", "psds1", "psds2"])
def test_equals_psds_eval_with_a_point_at_every_score(name: str, seed: int, n_levels: int) -> None:
    reference, scores = scored(seed, n_levels)
    definition = DEFINITIONS[name]
    expected = psds_eval_score(
        every_point(reference, scores),
        criteria=tuple(definition.criteria),
        alpha_ct=definition.alpha_ct,
        alpha_st=definition.alpha_st,
    )
    assert threshold_free_psds(reference, scores, definition) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("seed", "name", "expected"),
    [
        (1, "psds", 0.24204403896005552),
        (1, "psds1", 0.04440531432285308),
        (1, "psds2", 0.7811375181989413),
        (2, "psds", 0.32101581537278195),
        (2, "psds1", 0.0016578114421451913),
        (2, "psds2", 0.8726677873442005),
        (3, "psds", 0.21520854673286094),
        (3, "psds1", 0.0038123436379021093),
        (3, "psds2", 0.8501636728502695),
    ],
)
def test_equals_sed_scores_eval(seed: int, name: str, expected: float) -> None:
    """Values of sed_scores_eval 0.0.4, `intersection_based.psds`, on the same sets."""
    reference, scores = scored(seed, 1000, 30)
    found = threshold_free_psds(reference, scores, DEFINITIONS[name])
    assert found == pytest.approx(expected, abs=1e-12)


def test_more_thresholds_find_at_least_as_much() -> None:
    reference, scores = scored(1, 1000)
    few = {threshold / 10: scores.decode(threshold / 10) for threshold in range(1, 10)}
    exact = threshold_free_psds(reference, scores)
    assert exact > psds_eval_score(Case(reference, few), alpha_ct=1.0)


def test_nothing_to_find_is_undefined() -> None:
    reference, scores = scored(0, 10)
    empty = Events.sort([], [], [], [])
    none = Reference(reference.filenames, reference.durations_s, reference.classes, empty)
    assert np.isnan(threshold_free_psds(none, scores))
