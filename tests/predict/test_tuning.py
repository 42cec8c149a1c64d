"""What tuning gains on another set: the systems, their values, and what is kept."""

import numpy as np

from raysed.config.trial import PostProcessing
from raysed.evaluation.postprocessing.methods import MedianSettings
from raysed.predict.detector import read_checkpoint
from raysed.predict.tuning import frames_of, judged_set, own_settings, tune
from raysed.storage.folder import Folder
from raysed.training.checkpoint import load_checkpoint, save_checkpoint
from raysed.training.scores import Scores
from raysed.training.scoring import strong_macro_f1
from tests.evaluation.postprocessing.test_setting_search import case
from tests.predict.small import checkpoint

OWN = PostProcessing(threshold=0.5, median_window=7)


def stored(n_clips, **about):
    reference, scores = case(n_clips, **about)
    return (
        Scores(
            reference.filenames,
            reference.durations_s,
            reference.classes,
            0.1,
            scores.scores_NTK,
            np.zeros((n_clips, 2), np.float16),
        ),
        reference,
    )


def test_four_systems():
    xvalid, judged = (judged_set(*stored(20, seed=seed)) for seed in (1, 2))
    chosen, gains = tune(xvalid, judged, own_settings(OWN), draws=200)
    assert chosen["Dog"] == (MedianSettings(7), 0.5) and 0.2 < chosen["Cat"][1] < 0.3
    found = {gain.name: gain for gain in gains}
    assert list(found) == [
        "the trial's own", "tuned on x-valid", "cross-fitted", "fitted to these clips"
    ]  # fmt: skip
    assert found["the trial's own"].f1 == 0.5 and found["cross-fitted"].f1 > 0.95
    assert found["cross-fitted"].gain.low > 0.3
    assert found["the trial's own"].gain is found["fitted to these clips"].gain is None


def test_the_trials_own_is_the_trials_own_metric():
    scores, reference = stored(20, level=0.55)
    judged = judged_set(scores, reference)
    _, gains = tune(judged, judged, own_settings(OWN), draws=100)
    assert gains[0].f1 == gains[0].value == strong_macro_f1(scores, reference, OWN)
    assert frames_of(scores, 7).scores_NTK.dtype == np.float16


def test_a_tuned_checkpoint_predicts_with_its_settings(tmp_path):
    checkpoint(tmp_path)
    folder = Folder(str(tmp_path))
    tensors, about = load_checkpoint(folder, "best-dry.pt")
    about["postprocessing"] = {"threshold": {"Dog": 0.25}, "median_window": {"Dog": 3}}
    save_checkpoint(folder, "tuned-dry.pt", tensors, about)
    settings = read_checkpoint(f"{tmp_path}/tuned-dry.pt").settings
    assert settings.threshold[1] == 0.25 and settings.median_window[1] == 3
    assert settings.threshold[0] == read_checkpoint(f"{tmp_path}/best-dry.pt").settings.threshold[0]
