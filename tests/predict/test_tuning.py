"""Post-processing chosen after training: found where it is, and not praised for what it fitted."""

import numpy as np
import pytest

from raysed.config.trial import PostProcessing
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.predict.detector import read_checkpoint
from raysed.predict.tuning import compare, count_pairs, cross_fitted
from raysed.storage.folder import Folder
from raysed.training.checkpoint import load_checkpoint, save_checkpoint
from raysed.training.scores import Scores
from raysed.training.scoring import strong_macro_f1
from tests.predict.small import checkpoint

OWN = PostProcessing(threshold=0.5, median_window=7)
FRAME_S = 0.1


def case(n_clips, *, level=0.3, seed=0, informative=True):
    """Events of 2 s whose frames score `level` for Cat and 0.9 for Dog, over noise under 0.2."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0, 0.2, (n_clips, 100, 2))
    clip, label, onset = [], [], []
    for n in range(n_clips):
        for k, height in enumerate((level, 0.9)):
            first = int(rng.integers(5, 75))
            clip.append(n), label.append(k), onset.append(first * FRAME_S)
            if informative:
                scores[n, first : first + 20, k] = height
    names = tuple(f"{n:03d}" for n in range(n_clips))
    onset = np.array(onset)
    events = Events.sort(clip, label, onset, onset + 2.0)
    reference = Reference(names, np.full(n_clips, 10.0), ("Cat", "Dog"), events)
    stored = Scores(
        names,
        reference.durations_s,
        reference.classes,
        FRAME_S,
        scores.astype(np.float16),
        np.zeros((n_clips, 2), np.float16),
    )
    return stored, reference


def test_a_class_that_scores_low_gets_a_low_threshold_and_the_others_keep_theirs():
    grid = count_pairs(*case(20), OWN)
    chosen = [grid.pairs[p] for p in grid.choose(np.arange(20))]
    assert 0.2 < chosen[0][0] < 0.3
    assert chosen[1] == (0.5, 7) == grid.pairs[0]


def test_the_trials_own_counts_are_the_trials_own_metric():
    scores, reference = case(20, level=0.55)
    grid = count_pairs(scores, reference, OWN)
    own = grid.statistics(np.zeros((20, 2), np.int64))
    assert float(event_f1(own)[0][0]) == strong_macro_f1(scores, reference, OWN)


def test_what_tuning_gains_is_found_by_cross_fitting_too():
    grid = count_pairs(*case(20), OWN)
    gains = {g.name: g for g in compare(grid, grid.choose(np.arange(20)), draws=200)}
    assert gains["the trial's own"].f1 == 0.5 and gains["cross-fitted"].f1 > 0.95
    assert gains["cross-fitted"].gain.low > 0.3


def test_noise_is_fitted_but_cross_fitting_is_not_fooled():
    """Scores that know nothing: fitted to its own clips any set gains, cross-fitted it does not."""
    fitted, honest = [], []
    for seed in range(8):
        grid = count_pairs(*case(15, seed=seed, informative=False), OWN)
        everything = grid.choose(np.arange(15))
        fitted.append(event_f1(grid.statistics(np.tile(everything, (15, 1))))[0][0])
        honest.append(event_f1(grid.statistics(cross_fitted(grid)))[0][0])
    assert np.mean(fitted) > np.mean(honest)


def test_a_clip_has_no_say_in_its_own_pair():
    scores, reference = case(20)
    chosen = cross_fitted(count_pairs(scores, reference, OWN))
    changed = scores.scores_NUK.copy()
    changed[3] = 0
    other = cross_fitted(
        count_pairs(
            Scores(
                scores.filenames,
                scores.durations_s,
                scores.classes,
                scores.frame_s,
                changed,
                scores.weak_NK,
            ),
            reference,
            OWN,
        )
    )
    np.testing.assert_array_equal(chosen[3], other[3])


def test_too_few_clips_are_refused():
    with pytest.raises(ValueError, match="4 clips cannot be split into 5 folds"):
        cross_fitted(count_pairs(*case(4), OWN))


def test_a_tuned_checkpoint_predicts_with_its_settings(tmp_path):
    checkpoint(tmp_path)
    folder = Folder(str(tmp_path))
    tensors, about = load_checkpoint(folder, "best-dry.pt")
    about["postprocessing"] = {"threshold": {"Dog": 0.25}, "median_window": {"Dog": 3}}
    save_checkpoint(folder, "tuned-dry.pt", tensors, about)
    settings = read_checkpoint(f"{tmp_path}/tuned-dry.pt").settings
    assert settings.threshold[1] == 0.25 and settings.median_window[1] == 3
    assert settings.threshold[0] == read_checkpoint(f"{tmp_path}/best-dry.pt").settings.threshold[0]
