"""The choice of a setting for each class: found where it is, and not praised for what it fitted."""

from dataclasses import replace

import numpy as np
import pytest

from raysed.evaluation.counts.statistics import Parameters
from raysed.evaluation.detections.bounding_boxes import BoxSettings
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.evaluation.metrics.psds import psds
from raysed.evaluation.postprocessing.methods import METHODS, MedianSettings, Method
from raysed.evaluation.postprocessing.setting_search import (
    GOALS,
    Choice,
    OwnSettings,
    SettingSearch,
    cross_fit,
    folds_for,
    folds_of,
)

OWN = OwnSettings(0.5, 7)
F1_ONLY = Parameters(psds=())


def case(
    n_clips: int, *, level: float = 0.3, seed: int = 0, informative: bool = True
) -> tuple[Reference, FrameScores]:
    """Events of 2 s whose frames score `level` for Cat and 0.9 for Dog, over noise under 0.2."""
    rng = np.random.default_rng(seed)
    scores_NTK = rng.uniform(0, 0.2, (n_clips, 100, 2))
    rows = []
    for n in range(n_clips):
        for k, height in enumerate((level, 0.9)):
            first = int(rng.integers(5, 75))
            rows.append((n, k, first * 0.1, first * 0.1 + 2))
            if informative:
                scores_NTK[n, first : first + 20, k] = height
    names = tuple(f"{n:03d}" for n in range(n_clips))
    events = Events.sort(*zip(*rows, strict=True))
    reference = Reference(names, np.full(n_clips, 10.0), ("Cat", "Dog"), events)
    scores = FrameScores.uniform(scores_NTK.astype(np.float16), 0.1, reference.durations_s)
    return reference, scores


def search(method: str = "class_median", n_clips: int = 20, **about: object) -> SettingSearch:
    return SettingSearch.of(METHODS[method], *case(n_clips, **about), OWN)


def whole(searched: SettingSearch, goal: str = "event_f1") -> Choice:
    return searched.choose(goal, [np.ones(len(searched.reference.filenames), bool)])[0]


def f1(searched: SettingSearch, choice: Choice) -> float:
    return float(event_f1(searched.statistics(choice, F1_ONLY))[0][0])


def test_a_class_that_scores_low_gets_a_low_threshold_and_the_others_keep_theirs() -> None:
    found = search()
    choice = whole(found)
    thresholds = [found.thresholds[t] for t in choice.threshold]
    assert 0.2 < thresholds[0] < 0.3 and thresholds[1] == 0.5
    assert found.settings[choice.setting[1]] == MedianSettings(7) == found.settings[0]


@pytest.mark.parametrize("method", ["class_median", "hysteresis", "boxes"])
def test_what_tuning_gains_is_found_by_cross_fitting_too(method: str) -> None:
    own = search("median")
    assert f1(own, whole(own)) == 0.5
    found = search(method)
    assert f1(found, cross_fit(found, "event_f1")) > 0.9


def test_the_counts_of_a_choice_are_those_that_it_was_chosen_by() -> None:
    for method in ("class_median", "hysteresis", "boxes"):
        found = search(method, level=0.5, seed=2)
        choice = whole(found)
        f1_STK = found.f1(np.ones(20, bool))
        expected = [
            f1_STK[s, t, k]
            for k, (s, t) in enumerate(zip(choice.setting, choice.threshold, strict=True))
        ]
        assert event_f1(found.statistics(choice, F1_ONLY))[1][0].tolist() == expected
        assert expected == f1_STK.max(axis=(0, 1)).tolist()


@pytest.mark.parametrize("goal", ["psds1", "psds2"])
def test_psds_is_what_a_setting_is_chosen_for(goal: str) -> None:
    """Single loud frames are false alarms, which a filter takes away."""
    reference, scores = case(20, level=0.6, seed=4)
    rng = np.random.default_rng(1)
    loud_NTK = np.where(rng.random(scores.scores_NTK.shape) < 0.02, 0.95, scores.scores_NTK)
    spiky = FrameScores(loud_NTK.astype(np.float16), scores.edges_NT1)
    method = Method("both", "two windows", (MedianSettings(1), MedianSettings(7)))
    found = SettingSearch.of(method, reference, spiky, OwnSettings(0.5, 1))
    choice = whole(found, goal)
    assert choice.setting.tolist() == [1, 1]
    zeros = np.zeros(2, int)
    better, worse = (
        float(psds(found.statistics(Choice(each, zeros)), definition=goal)[0])
        for each in (choice.setting, zeros)
    )
    assert better > worse + 0.1


def test_noise_is_fitted_but_cross_fitting_is_not_fooled() -> None:
    """Scores that know nothing: fitted to its own clips any set gains, cross-fitted it does not."""
    fitted, honest = [], []
    for seed in range(6):
        found = search(n_clips=15, seed=seed, informative=False)
        fitted.append(f1(found, whole(found)))
        honest.append(f1(found, cross_fit(found, "event_f1")))
    assert np.mean(fitted) > np.mean(honest)


def test_a_clip_has_no_say_in_its_own_choice() -> None:
    reference, scores = case(20)
    before = cross_fit(
        SettingSearch.of(METHODS["class_median"], reference, scores, OWN), "event_f1"
    )
    changed_NTK = scores.scores_NTK.copy()
    changed_NTK[3] = 0.99
    changed = FrameScores(changed_NTK, scores.edges_NT1)
    after = cross_fit(
        SettingSearch.of(METHODS["class_median"], reference, changed, OWN), "event_f1"
    )
    alike_N = folds_of(20) == folds_of(20)[3]
    assert np.array_equal(before.setting[alike_N], after.setting[alike_N])
    assert np.array_equal(before.threshold[alike_N], after.threshold[alike_N])


def test_a_class_without_events_keeps_the_first_setting_and_its_threshold() -> None:
    reference, scores = case(10)
    only_dog = reference.events.take(reference.events.label_E == 1)
    silent = Reference(reference.filenames, reference.durations_s, reference.classes, only_dog)
    for goal in GOALS:
        found = SettingSearch.of(METHODS["boxes"], silent, scores, OWN)
        choice = whole(found, goal)
        assert found.settings[choice.setting[0]] == BoxSettings(0.32, 0.15, 1.5)
        assert found.thresholds[choice.threshold[0]] == 0.5


def test_what_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="accuracy is not one of event_f1, psds1, psds2"):
        whole(search(n_clips=5), "accuracy")
    with pytest.raises(ValueError, match=r"4 clips \(or groups\) cannot be split into 5 f"):
        cross_fit(search(n_clips=4), "event_f1")


def test_no_clip_has_a_say_in_the_choice_for_its_own_source() -> None:
    """Twenty clips of ten recordings: a clip beside one of its recording would be tuned on that."""
    reference, scores = case(20)
    groups_N = np.arange(20) // 2
    grouped = replace(reference, groups_N=groups_N)
    fold_N = folds_for(grouped)
    assert all(len(set(fold_N[groups_N == g])) == 1 for g in range(10))
    assert np.array_equal(folds_for(reference), folds_of(20))
    before = cross_fit(SettingSearch.of(METHODS["class_median"], grouped, scores, OWN), "event_f1")
    changed_NTK = scores.scores_NTK.copy()
    changed_NTK[3] = 0.99
    changed = FrameScores(changed_NTK, scores.edges_NT1)
    after = cross_fit(SettingSearch.of(METHODS["class_median"], grouped, changed, OWN), "event_f1")
    assert np.array_equal(before.threshold[2], after.threshold[2])  # of the same recording
    assert len(set(folds_for(replace(reference, groups_N=np.arange(20) // 7)))) == 3
    with pytest.raises(ValueError, match=r"1 clips \(or groups\) cannot be split into 2 folds"):
        folds_for(replace(reference, groups_N=np.zeros(20)))
