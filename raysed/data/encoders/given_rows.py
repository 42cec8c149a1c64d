"""The place of an encoder's rows in time, as the configuration of its file gives it."""

from raysed.config.encoder import Encoder


class GivenRows:
    """The rate, step and width of what a network of a file hears, in samples, and its licence."""

    def __init__(self, config: Encoder) -> None:
        assert config.path and config.sample_rate_hz and config.hop, "checked by Encoder"
        self.path: str = config.path
        self.sample_rate_hz, self.hop = config.sample_rate_hz, config.hop
        self.span = config.span or config.hop
        self.centre = self.span // 2 if config.centre is None else config.centre
        self.window, self.fixed = config.fixed_length, config.fixed_length is not None
        self.licence = config.licence or "not given"
