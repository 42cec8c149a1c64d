"""A class of one's own as an encoder: `package.module:Class`, whose instances are `FrameEncoder`s.

It is made as `Class(path=..., layers=..., device=...)`. Attributes that it may leave out: `span` (the hop), `centre`
(half the span), `window` (no limit), `fixed` (false), `licence`.
"""

from collections.abc import Sequence
from typing import Any

from raysed.config.encoder import Encoder
from raysed.data.encoders.frame_encoder import FrameEncoder
from raysed.storage.own_python import load_own

_NEEDED = ("sample_rate_hz", "hop", "width")


def own_encoder(config: Encoder, layers: Sequence[int | str] | None, device: str) -> FrameEncoder:
    """Make an encoder of a user's class. Raises ValueError naming what it lacks."""
    assert config.python is not None, "checked by Encoder"
    made: Any = load_own(config.python)(path=config.path, layers=layers, device=device)
    if lacks := [name for name in _NEEDED if not isinstance(getattr(made, name, None), int)]:
        raise ValueError(f"{config.python}: its instances lack {', '.join(lacks)} (integers)")
    defaults = {"span": made.hop, "window": None, "fixed": False}
    defaults["licence"] = config.licence or "not given"
    for name, value in defaults.items():
        if not hasattr(made, name):
            setattr(made, name, value)
    if not hasattr(made, "centre"):
        made.centre = made.span // 2
    return made
