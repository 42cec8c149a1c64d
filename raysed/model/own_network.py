"""The making and the checking of a network that a user wrote."""

import torch
from torch import Tensor, nn

from raysed.config.data_job import Features
from raysed.config.trial import Model
from raysed.model.fusion import Stream
from raysed.storage.own_python import load_own, own_hash

ROUNDING = 1e-5
"""Scores above 1 by no more are 1: a softmax over time, by which a head may average frames, adds up to 1 within rounding."""


def own_network(config: Model, n_classes: int) -> nn.Module:
    """Return an instance of the user's class. Raises ValueError where it is none, or is no longer what was trained."""
    own = config.own
    assert own is not None
    if (found := own_hash(own.python)) != own.source:
        raise ValueError(
            f"model.own: the file of {own.python} has the hash {found}, this trial belongs to {own.source}: restore"
            " that file, or train anew from the space"
        )
    made = load_own(own.python)
    if not (isinstance(made, type) and issubclass(made, nn.Module)):
        raise ValueError(f"model.own: {own.python} is no subclass of torch.nn.Module")
    if not callable(getattr(made, "initialise", None)):
        raise ValueError(
            f"model.own: {own.python} has no method initialise(generator), which draws its first weights:"
            " seeds would decide nothing"
        )
    try:
        return made(config, n_classes, **own.settings)
    except TypeError as error:
        raise ValueError(
            f"model.own: {own.python}(config, n_classes, **settings) fails: {error}"
        ) from error


def check_outputs(network: nn.Module, config: Model, features: Features, n_classes: int) -> None:
    """Let a network score silence. Raises ValueError unless strong scores are (1, U, K) and weak ones (1, K), in 0..1."""
    if config.own is None:
        return
    first = next(network.parameters())
    mel_BTF = torch.zeros(1, features.n_frames, features.n_mels, device=first.device)
    frames = features.n_frames // config.time_pooling
    given = {}
    if config.embedding is not None:
        rows_BRE = torch.zeros(1, frames, config.embedding.width, device=first.device)
        given = {"stream": Stream(rows_BRE, 1.0)}
    network.eval()
    with torch.no_grad():
        scores = network(mel_BTF, **given)
    wanted = {"strong": (1, frames, n_classes), "weak": (1, n_classes)}
    made = scores if isinstance(scores, tuple) and len(scores) == 2 else (scores, None)
    for (name, shape), found in zip(wanted.items(), made, strict=True):
        if not isinstance(found, Tensor) or tuple(found.shape) != shape:
            what = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise ValueError(
                f"model.own: {config.own.python} gives {name} scores {what} of mels {list(mel_BTF.shape)}; expected"
                f" {list(shape)}, one frame to {config.time_pooling} (model.pooling)"
            )
        if not bool(((found >= 0) & (found <= 1 + ROUNDING)).all()):
            raise ValueError(
                f"model.own: {config.own.python} gives {name} scores outside 0 to 1: end in a sigmoid"
            )
