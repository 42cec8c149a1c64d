"""The settings of the optimiser."""

from typing import Annotated, Literal

from pydantic import Field

from raysed.config.base import Config


class Optimiser(Config):
    """Adam; without weight decay, clipping or a falling learning rate as published."""

    algorithm: Literal["adam", "adamw"] = "adam"
    """`adamw` takes `weight_decay` off the weights themselves, `adam` adds it to the gradient."""
    learning_rate: float = Field(1e-3, gt=0)
    """Learning rate at the end of the ramp."""
    ramp: bool = True
    """Raise the learning rate over `ramp_epochs`; false keeps it constant."""
    decay: Literal["cosine"] | None = None
    """`cosine` lets the learning rate fall to 0 at the end of the training, along half a cosine that begins where
    the ramp ends; null keeps it."""
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (
        0.9,
        0.999,
    )
    """Decays of Adam's running means."""
    weight_decay: float = Field(0.0, ge=0)
    """Decay of every weight: biases and normalisation too, as torch does it."""
    clip_norm: float | None = Field(None, gt=0)
    """Largest norm of the gradient of all weights together, which is scaled down to it; null clips nothing."""
