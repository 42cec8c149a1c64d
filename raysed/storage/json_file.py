"""JSON in run folders: written whole or not at all, on any file system."""

import json
import math
from typing import Any

from raysed.storage.folder import Folder


def write_json(folder: Folder, name: str, content: Any) -> None:
    """Write `content` as indented JSON."""
    folder.write(name, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def read_json(folder: Folder, name: str) -> Any:
    """Return the parsed JSON of a file, or None where there is no such file. Raises ValueError where it is
    not JSON.
    """
    content = folder.read(name)
    try:
        return None if content is None else json.loads(content)
    except ValueError as error:  # not JSON, or not even text
        raise ValueError(f"{folder.url}/{name}: not JSON ({error})") from error


def without_nan(value: Any) -> Any:
    """Replace NaN, which JSON does not have, by None."""
    if isinstance(value, dict):
        return {key: without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
