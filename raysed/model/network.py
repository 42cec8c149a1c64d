"""The one place that makes the network of a trial, so that a network of one's own is named here alone."""

import torch
from torch import nn

from raysed.config.trial import Model
from raysed.model.crnn import CRNN


def make_network(
    config: Model, n_classes: int, generator: torch.Generator | None = None
) -> nn.Module:
    """Return the network that `config` describes, for training with initial weights from `generator`.

    It maps normalised log-mels (B, T, F) to strong (B, U, K) and weak (B, K) scores in 0..1, where
    U = T // config.time_pooling.
    """
    network = CRNN(config, n_classes)
    if generator is not None:
        network.initialise(generator)
    return network
