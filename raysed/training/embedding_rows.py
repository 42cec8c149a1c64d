"""The rows of a pretrained encoder on their way into the network."""

import numpy as np
import torch
from torch import Tensor, nn

from raysed.config.data_job import Features
from raysed.config.encoder import EncoderFacts
from raysed.config.trial import Model, Trial
from raysed.data.features.store import FeatureSet
from raysed.model.fusion import Fusion, Stream


def check_rows(trial: Trial, sets: dict[str, FeatureSet]) -> None:
    """Raise ValueError for sets that do not hold the rows that the trial's network takes, all of one encoder."""
    fusion = trial.model.embedding
    if fusion is None:
        return
    first: EncoderFacts | None = None
    for feature_set in sets.values():
        facts = feature_set.encoder
        if facts is None or feature_set.embeddings is None:
            raise ValueError(
                f"{feature_set.name} was built without embeddings, which model.embedding needs: give its `embeddings` in"
                " the data job"
            )
        if facts.width != fusion.width:
            raise ValueError(
                f"model.embedding.width is {fusion.width}, but {feature_set.name} holds rows of {facts.width} values"
            )
        first = first or facts
        if facts.decides() != first.decides():
            raise ValueError(
                f"{feature_set.name}: its embeddings are of another encoder than the others'"
            )


def standardise(networks: list[nn.Module], sets: list[FeatureSet]) -> None:
    """Give each network the mean and standard deviation of every value of the rows of `sets`, over the clips that are
    trained on; sums are in float64. Networks that join no rows stay as they are.
    """
    fusions = [part for each in networks for part in each.modules() if isinstance(part, Fusion)]
    if not fusions:
        return
    width, count = len(fusions[0].mean_E), 0
    total_E, squares_E = np.zeros(width), np.zeros(width)
    for feature_set in sets:
        for row in feature_set.trained_rows:
            stored_BRE = feature_set.embedding([row])
            assert stored_BRE is not None, "check_rows saw to it"
            rows_RE = stored_BRE[0].astype(np.float64)
            count += len(rows_RE)
            total_E += rows_RE.sum(0)
            squares_E += np.square(rows_RE).sum(0)
    mean_E = total_E / count
    std_E = np.sqrt(np.maximum(squares_E / count - np.square(mean_E), 0))
    # A value that never changes carries no information; a scale of 1 keeps it at zero.
    std_E[std_E == 0] = 1
    for fusion in fusions:
        fusion.mean_E.copy_(torch.from_numpy(mean_E))
        fusion.std_E.copy_(torch.from_numpy(std_E))


def stream_of(rows_BRE: Tensor | None, facts: EncoderFacts | None, frame_s: float) -> Stream | None:
    """Return what the network takes of a batch's rows, None without rows; `frame_s` is an output frame's length."""
    if rows_BRE is None or facts is None:
        return None
    return Stream(rows_BRE, facts.row_s / frame_s)


def stream_of_clips(
    feature_set: FeatureSet, rows: np.ndarray, model: Model, device: str
) -> Stream | None:
    """Return the stream of some clips of a set. Raises ValueError where the set lacks what the network takes."""
    if model.embedding is None:
        return None
    stored_BRE = feature_set.embedding(rows)
    if stored_BRE is None:
        raise ValueError(
            f"{feature_set.name} holds no embeddings, which the network needs: build it with `embeddings`"
        )
    rows_BRE = torch.from_numpy(stored_BRE).to(device).float()
    frame_s = output_frame_s(feature_set.features, model)
    return stream_of(rows_BRE, feature_set.encoder, frame_s)


def output_frame_s(features: Features, model: Model) -> float:
    """Return the seconds of an output frame."""
    return model.time_pooling * features.hop / features.sample_rate_hz
