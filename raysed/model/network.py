"""The one place that makes the network of a trial: the CRNN, or one that its configuration names."""

import functools
from typing import Any

import torch
from torch import nn

from raysed.config.trial import Model
from raysed.draws import draws
from raysed.model.crnn import CRNN
from raysed.model.own_network import own_network


def make_network(
    config: Model, n_classes: int, generator: torch.Generator | None = None
) -> nn.Module:
    """Return the network that `config` describes, for training with initial weights from `generator`.

    It maps normalised log-mels (B, T, F) to strong (B, U, K) and weak (B, K) scores in 0..1, where
    U = T // config.time_pooling.
    """
    # torch draws weights for every layer that is made, here in vain.
    with draws():
        network = CRNN(config, n_classes) if config.own is None else own_network(config, n_classes)
    if generator is not None:
        # A class of one's own that has none is refused where it is made.
        draw: Any = network.initialise
        draw(generator)
    return network


def parameters_of(config: Model, n_classes: int) -> int:
    """Return the number of a network's parameters."""
    return _counted(config.model_dump_json(), n_classes)


@functools.cache
def _counted(config_json: str, n_classes: int) -> int:
    """Return `parameters_of`, once for the many trials of a space that share a network. None are drawn, but for a class
    of one's own, which may not know torch's `meta` device.
    """
    config = Model.model_validate_json(config_json)
    with torch.device("meta" if config.own is None else "cpu"):
        return sum(p.numel() for p in make_network(config, n_classes).parameters())
