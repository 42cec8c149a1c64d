"""Frame scores of a set by a network, computed once. N clips, B of a batch, T frames, F mels, U output frames, K classes."""

from typing import Any

import numpy as np
import torch
from torch import nn

from raysed.config.trial import Trial
from raysed.data.features.store import FeatureSet
from raysed.data.windows import Grid
from raysed.training.inputs import Normaliser, log_mel_of
from raysed.training.scores import Scores
from raysed.training.tuned_network import encoder_arguments

_CLIPS_AT_ONCE = 32


def score_set(
    model: nn.Module, feature_set: FeatureSet, normaliser: Normaliser, trial: Trial
) -> Scores:
    """Score a set with the model (in evaluation mode), in the set's order."""
    model.eval()
    device = str(next(model.parameters()).device)
    chunks, weak_chunks = [], []
    # The classes that the set does not label are not stored: nothing could be scored against them.
    annotated_K = slice(None) if feature_set.annotates is None else feature_set.annotated_K
    known_1K = torch.from_numpy(feature_set.annotated_K).to(device)[None]
    with torch.inference_mode():
        for start in range(0, len(feature_set.filenames), _CLIPS_AT_ONCE):
            rows = np.arange(start, min(start + _CLIPS_AT_ONCE, len(feature_set.filenames)))
            log_mel_BTF = normaliser(log_mel_of(feature_set, rows, device))
            given: dict[str, Any] = {}
            if feature_set.annotates is not None:
                given["annotated_BK"] = known_1K.expand(len(rows), -1)
            given |= encoder_arguments(feature_set, rows, trial.model, device)
            strong_BUK, weak_BK = model(log_mel_BTF, **given)
            chunks.append(strong_BUK.half().cpu().numpy()[..., annotated_K])
            weak_chunks.append(weak_BK.half().cpu().numpy()[..., annotated_K])
    features = feature_set.features
    return Scores(
        filenames=feature_set.filenames,
        durations_s=feature_set.durations_s,
        classes=feature_set.scored_classes,
        frame_s=trial.model.time_pooling * features.hop / features.sample_rate_hz,
        scores_NUK=np.concatenate(chunks),
        weak_NK=np.concatenate(weak_chunks),
        starts=feature_set.starts,
        grid=None if feature_set.starts is None else Grid.of(features, trial.model),
    )
