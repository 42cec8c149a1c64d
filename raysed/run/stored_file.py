"""Typed reading of a run's JSON: what is damaged or edited is refused with its file and key."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from raysed.config.reader import ConfigError, validate
from raysed.storage.folder import Folder
from raysed.storage.json_file import read_json


class Stored(BaseModel):
    """The content of a stored file. Keys that another version wrote are kept out, not refused."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


StoredT = TypeVar("StoredT", bound=Stored)


def read_stored(folder: Folder, name: str, model: type[StoredT]) -> StoredT | None:
    """Read a JSON file as a `model`, or None where there is no such file.

    Raises ValueError naming the file, and the key that is missing or wrong.
    """
    content = read_json(folder, name)
    return None if content is None else parse_stored(content, f"{folder.url}/{name}", model)


def parse_stored(content: Any, path: str, model: type[StoredT]) -> StoredT:
    """Return the content of the file at `path` as a `model`. Raises ValueError as `read_stored` does."""
    try:
        return validate(content, model, source=path)
    except ConfigError as error:
        advice = "the file was edited or damaged: restore it, or remove it and run again"
        raise ValueError(f"{error}\n  {advice}") from error
