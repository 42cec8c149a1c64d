"""The configuration of a pretrained encoder, and of what a data set stores of it."""

import json
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from raysed.config.base import Config, Line, Name

_FILES = ("onnx", "torchscript")
"""Kinds whose file does not say how its rows lie in time."""
_TIMING = ("sample_rate_hz", "hop", "span", "centre", "fixed_length")
_LARGEST = 100_000_000


class Encoder(Config):
    """A pretrained network that turns a waveform into rows of values, one every `hop` samples ([encoders](encoders.md))."""

    kind: Literal["onnx", "torchscript", "python", "openwakeword", "cnn14", "beats", "atst", "m2d"]
    """A file of any network (`onnx`, `torchscript`), a class of one's own (`python`), or a network by its checkpoint:
    `openwakeword` (Google's speech embedding), `cnn14` (PANNs), `beats`, `atst` (ATST-Frame), `m2d`."""
    path: str | None = None
    """The file; of `openwakeword` the folder of its two files. It is never downloaded."""
    python: Line | None = None
    """`python` alone: the class, as `package.module:Class`."""
    sample_rate_hz: int | None = Field(None, ge=1000, le=1_000_000)
    """Of a file: the rate of the waveforms that it takes; clips at other rates are resampled. Of `m2d` 32000, where its
    weights are for it (`p32k` in their name); null is 16000."""
    hop: int | None = Field(None, ge=1, le=_LARGEST)
    """Of a file: samples from one row to the next."""
    span: int | None = Field(None, ge=1, le=_LARGEST)
    """Of a file: samples that one row needs; null is `hop`."""
    centre: int | None = Field(None, ge=0, le=_LARGEST)
    """Of a file: the sample in the middle of what the first row hears; null is half of `span`."""
    fixed_length: int | None = Field(None, ge=1, le=_LARGEST)
    """Of a file: samples of every input, where it takes no other length; longer clips are cut into overlapping windows."""
    licence: Line | None = None
    """The licence of the weights, for the manifest; null is what is known of the named ones."""

    @model_validator(mode="after")
    def _keys_fit_the_kind(self) -> Self:
        if self.kind in _FILES:
            if missing := [key for key in ("sample_rate_hz", "hop") if getattr(self, key) is None]:
                raise ValueError(f"kind: {self.kind} needs {', '.join(missing)}")
        elif given := [key for key in self._own_timing() if getattr(self, key) is not None]:
            raise ValueError(f"kind: {self.kind} knows its own {', '.join(given)}; leave it out")
        if self.kind == "m2d" and self.sample_rate_hz not in (None, 16000, 32000):
            raise ValueError(f"kind: m2d is for 16000 or 32000 Hz, not {self.sample_rate_hz}")
        if (self.kind == "python") != (self.python is not None):
            raise ValueError(
                "`python: package.module:Class` belongs to kind: python, and it needs it"
            )
        if self.kind != "python" and self.path is None:
            raise ValueError(f"kind: {self.kind} needs `path`")
        return self

    def _own_timing(self) -> tuple[str, ...]:
        """Return the keys that a network with a name of its own decides."""
        return _TIMING[1:] if self.kind == "m2d" else _TIMING


class Embeddings(Config):
    """The rows of an encoder that a data set stores beside each clip's mel."""

    encoder: Name
    """The name of an encoder of the job."""
    layers: tuple[int | Line, ...] | None = Field(None, min_length=1)
    """The layers whose values stand side by side in a row: numbers of a network's blocks from 1, names of an ONNX
    file's outputs, numbers of a TorchScript file's outputs from 0. Null: the last block, the first output."""


TRAINED_KINDS = {"atst": 16000, "beats": 16000, "cnn14": 32000, "m2d": None, "python": None}
"""The kinds that can learn with the network, and the sample rate of those that have one alone."""


class FineTuning(Config):
    """The training of the encoder itself, from the waveforms that data sets hold beside its rows."""

    learning_rate: float = Field(ge=0)
    """Learning rate of the encoder's last block, which follows the ramp and the decay of `optimiser`; 0 trains nothing of
    it."""
    layer_decay: float = Field(1.0, gt=0, le=1)
    """Factor from a block's learning rate to that of the block before it: block l of L has learning_rate *
    layer_decay^(L - l), and what comes before the first block has l = 0."""


class EmbeddingFusion(Config):
    """The way in which a network takes the rows of an encoder, which stays as it is but for `finetune`."""

    fusion: Literal["pool", "interpolate", "attention"]
    """The way of rows to the time of the output frames: the mean of those that reach into a frame, what lies between
    the two nearest, or attention of each frame to all of them."""
    width: int = Field(ge=2, le=1_000_000)
    """Values of a row, as the data sets store them (BEATs: 768). Each value is standardised over the training clips."""
    finetune: FineTuning | None = None
    """The training of the encoder with the network; null takes the stored rows."""


class EncoderFacts(Config):
    """An encoder as data sets and checkpoints know it: all but the place where its file lies."""

    encoder: dict[str, Any]
    """Its configuration, without `path`."""
    layers: tuple[int | str, ...] | None
    sha256: str
    """Of its files; of a class of one's own also of the module that holds it."""
    sample_rate_hz: int
    hop: int
    """Samples from one row to the next."""
    width: int
    """Values of a row."""
    licence: str

    @property
    def row_s(self) -> float:
        """Return the seconds from one row to the next."""
        return self.hop / self.sample_rate_hz

    def rows(self, duration_s: float) -> int:
        """Return the rows of a clip: the last one may begin just before its end."""
        return max(1, -(-round(duration_s * self.sample_rate_hz) // self.hop))

    def decides(self) -> dict[str, Any]:
        """Return what of it decides the bytes of a data set."""
        return self.model_dump(mode="json", exclude={"licence"})

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "EncoderFacts":
        """Read what a manifest or a checkpoint holds. Raises ValueError for anything else."""
        return cls.model_validate_json(json.dumps(stored))


def configured(facts: EncoderFacts, path: str | None) -> Encoder:
    """Return the configuration of a stored encoder whose file lies at `path`."""
    return Encoder.model_validate_json(json.dumps({**facts.encoder, "path": path}))
