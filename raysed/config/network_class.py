"""The network of the user's own in place of the CRNN."""

from typing import Any

from pydantic import Field, model_validator

from raysed.config.base import Config, Line
from raysed.storage.own_python import own_hash


class OwnNetwork(Config):
    """A network of your own ([a model](extending.md#a-model)); of the other keys of `model` it may read what it likes."""

    python: Line
    """The class, as `package.module:Class`: in an installed package, or in a file under the working directory."""
    settings: dict[str, Any] = Field({})
    """Named arguments of the class."""
    source: Line | None = None
    """The hash of the file that holds the class, which is part of the trial's id; filled in where it is null."""

    @model_validator(mode="after")
    def _source_is_known(self) -> "OwnNetwork":
        if self.source is None:
            # The model is frozen for its users only.
            self.__dict__["source"] = own_hash(self.python)
        return self
