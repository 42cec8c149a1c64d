"""PSDS over all thresholds: psds_eval with a point at every score, and sed_scores_eval's values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.evaluation.counts.intersections import EXACT
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


def on_a_grid(
    seed: int, *, boxes: bool = False, n_clips: int = 12
) -> tuple[Reference, FrameScores]:
    """Times on a grid of 0.1 s, so that shares are often met exactly; frames go past the end of some clips.

    With `boxes` a score holds for a whole event and there is none (-inf) between, as DCASE 2024's systems say.
    """
    rng = np.random.default_rng([seed, boxes])
    clip_E, label_E, onset_E, offset_E = [], [], [], []
    scores_NTK = np.full((n_clips, 60, 3), -np.inf if boxes else 0.0)
    for clip in range(n_clips):
        for label in range(3):
            edges = np.sort(rng.choice(np.arange(61), 2 * rng.integers(1, 4), replace=False))
            for first, stop in edges.reshape(-1, 2):
                clip_E.append(clip)
                label_E.append(label)
                onset_E.append(first / 10)
                offset_E.append(stop / 10)
                near = np.clip(np.add((first, stop), rng.integers(-3, 4, 2)), 0, 60)
                if near[1] > near[0]:
                    scores_NTK[clip, near[0] : near[1], rng.integers(3) if rng.random() < 0.3
                               else label] = rng.integers(1, 20) / 20  # fmt: skip
    durations_s = rng.choice([5.5, 5.95, 6.0], n_clips)
    names = tuple(f"clip{n:04d}.wav" for n in range(n_clips))
    truth = Events.sort(clip_E, label_E, onset_E, offset_E)
    reference = Reference(names, durations_s, ("class0", "class1", "class2"), truth)
    edges_NT1 = np.tile(np.arange(61) / 10, (n_clips, 1))
    return reference, FrameScores(scores_NTK, edges_NT1)


def every_point(reference: Reference, scores: FrameScores) -> Case:
    levels = np.unique(scores.scores_NTK)
    return Case(reference, {float(level): scores.decode(level) for level in levels})


@pytest.mark.slow
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
    found = threshold_free_psds(reference, scores, definition, EXACT)
    assert found == pytest.approx(expected, abs=1e-12)


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


@pytest.mark.parametrize(
    ("seed", "boxes", "name", "expected"),
    [
        (1, True, "psds", 0.3106893106893107),
        (1, True, "psds2", 0.14378122658428844),
        (3, False, "psds", 0.15480658034833922),
        (3, False, "psds2", 0.5706824870827684),
        (4, False, "psds", 0.03000116384211139),
        (4, False, "psds1", 0.01534850059787843),
        (4, True, "psds2", 0.12571898682464464),
        (5, False, "psds", 0.347069597069597),
        (5, True, "psds", 0.18074074074074073),
        (5, True, "psds1", 0.01124611256650726),
    ],
)
def test_equals_sed_scores_eval_where_shares_are_met_exactly(
    seed: int, boxes: bool, name: str, expected: float
) -> None:
    """Values of sed_scores_eval 0.0.4 on the same sets, false alarms after the end of a clip included."""
    reference, scores = on_a_grid(seed, boxes=boxes)
    found = threshold_free_psds(reference, scores, DEFINITIONS[name])
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_share_met_exactly_is_met_by_sed_scores_eval_and_missed_by_psds_eval() -> None:
    """8.0 to 8.7 s of an event from 8 to 9 s, with PSDS1's .7: 0.6999... of it in floating point."""
    truth = Events.sort([0], [0], [8.0], [9.0])
    reference = Reference(("a.wav",), np.array([10.0]), ("Cat",), truth)
    scores_NTK = np.zeros((1, 3, 1))
    scores_NTK[0, 1] = 0.9
    scores = FrameScores(scores_NTK, np.array([[0.0, 8.0, 8.7, 10.0]]))
    assert threshold_free_psds(reference, scores, DEFINITIONS["psds1"]) == 1.0
    assert threshold_free_psds(reference, scores, DEFINITIONS["psds1"], EXACT) == 0.0
    case = Case(reference, {0.9: scores.decode(0.9)})
    assert psds_eval_score(case, criteria=(0.7, 0.7, None), alpha_ct=0.0, alpha_st=1.0) == 0.0


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
