"""The work of `raysed postprocess`: tune a finished trial's post-processing on x-valid and judge it on
another set.

Scores are read from the trial's folder; those of the x-valid set, which training does not keep, are made
once and stored beside them. The result is a copy of the checkpoint, `tuned-<x-valid>.pt`.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from raysed.data.features.store import FeatureSet, open_dataset
from raysed.predict.detector import read_checkpoint
from raysed.predict.settings import ClassPostProcessing
from raysed.predict.tuning import Gain, PairCounts, compare, count_pairs
from raysed.run.folders import best_checkpoint, scores_file, tuned_checkpoint
from raysed.storage.folder import Folder
from raysed.training.checkpoint import Predictor, save_checkpoint
from raysed.training.scores import Scores
from raysed.training.scoring import decode_scores, encode_scores, reference_of, score_set


def retune(
    trial: Folder, xvalid_url: str, evaluation_url: str, cache_dir: str, say: Callable[[str], None]
) -> tuple[str, list[Gain], ClassPostProcessing]:
    """Tune, compare, and write the tuned checkpoint; returns its path, the comparison, and what was chosen.

    Raises ValueError for sets that do not fit the checkpoint.
    """
    xvalid, evaluation = (open_dataset(url, cache_dir) for url in (xvalid_url, evaluation_url))
    source = best_checkpoint(xvalid.name)
    checkpoint = read_checkpoint(f"{trial.url}/{source}")
    predictor, settings = checkpoint.predictor, checkpoint.settings
    for used in (xvalid, evaluation):
        if (used.classes, used.features) != (predictor.classes, predictor.features):
            raise ValueError(f"{used.name}: other classes or features than {trial.url}/{source}")
        if used.scored_classes != predictor.classes:
            raise ValueError(
                f"{used.name} annotates {', '.join(used.scored_classes)} only: thresholds of every class are tuned on a"
                " set that annotates all"
            )
    fitted, judged = (
        _grid(trial, used, xvalid.name, predictor, say) for used in (xvalid, evaluation)
    )
    chosen_K = fitted.choose(np.arange(len(xvalid.recordings)))
    gains = compare(judged, chosen_K)
    for k, label in enumerate(predictor.classes):
        threshold, window = fitted.pairs[chosen_K[k]]
        settings = settings.with_value("threshold", label, threshold, "tuning")
        settings = settings.with_value("median_window", label, window, "tuning")
    name = tuned_checkpoint(xvalid.name)
    tuned = {**settings.as_json(), "tuned": _about(xvalid, evaluation, gains)}
    save_checkpoint(trial, name, checkpoint.tensors, {**checkpoint.about, "postprocessing": tuned})
    return f"{trial.url}/{name}", gains, settings


def comparison_lines(gains: list[Gain], settings: ClassPostProcessing) -> list[str]:
    """Return the comparison in lines: macro-F1 and its gain in points, then each class."""
    lines = []
    for gain in gains:
        change = ""
        if gain.gain is not None:
            low, high = 100 * gain.gain.low, 100 * gain.gain.high
            change = f"  gain {100 * gain.gain.difference:+.1f} [{low:+.1f}, {high:+.1f}]"
        lines.append(f"{gain.name:<22} event F1 {100 * gain.f1:5.1f} %{change}")
    lines.append("the last one was fitted to the clips it is judged on: not a result")
    for k, label in enumerate(settings.classes):
        own, tuned = gains[0].per_class_K[k], gains[1].per_class_K[k]
        lines.append(
            f"  {label}: threshold {settings.threshold[k]:g}, median window "
            f"{settings.median_window[k]}; F1 {100 * own:.1f} -> {100 * tuned:.1f} %"
        )
    return lines


def as_object(path: str, gains: list[Gain], settings: ClassPostProcessing) -> dict[str, Any]:
    """Return the comparison for `--json`: fractions, None where there are no events or no interval."""
    return {
        "checkpoint": path,
        **settings.as_json(),
        "systems": [
            {
                "name": gain.name,
                "event_f1": _known(gain.f1),
                "per_class": {
                    label: _known(f1)
                    for label, f1 in zip(settings.classes, gain.per_class_K, strict=True)
                },
                "gain": None if gain.gain is None else asdict(gain.gain),
            }
            for gain in gains
        ],
    }


def _known(f1: float) -> float | None:
    return None if np.isnan(f1) else float(f1)


def _grid(
    trial: Folder, used: FeatureSet, xvalid: str, predictor: Predictor, say: Callable[[str], None]
) -> PairCounts:
    scores = _scores(trial, scores_file(used.name, xvalid), used, predictor, say)
    return count_pairs(scores, reference_of(used), predictor.trial.postprocessing)


def _scores(
    trial: Folder, name: str, used: FeatureSet, predictor: Predictor, say: Callable[[str], None]
) -> Scores:
    """Return the stored scores of a set; they are made and stored where there are none."""
    content = trial.read(name)
    if content is not None:
        scores = decode_scores(content, f"{trial.url}/{name}")
        if scores.filenames != used.filenames:
            raise ValueError(f"{trial.url}/{name}: of other clips than data set {used.name}")
        return scores
    say(f"{name}: not stored, scoring {len(used)} clips")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    normaliser = predictor.normaliser.to(device)
    scores = score_set(predictor.model.to(device), used, normaliser, predictor.trial)
    trial.write(name, encode_scores(scores))
    return scores


def _about(xvalid: FeatureSet, evaluation: FeatureSet, gains: list[Gain]) -> dict[str, Any]:
    return {
        "tuned_on": {"name": xvalid.name, "id": xvalid.id},
        "judged_on": {"name": evaluation.name, "id": evaluation.id},
        "event_f1": {gain.name: gain.f1 for gain in gains},
        "gain": {gain.name: asdict(gain.gain) for gain in gains if gain.gain is not None},
    }
