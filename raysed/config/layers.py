"""YAML files laid over each other: `extends: PATH` starts a file from another one."""

from pathlib import Path
from typing import Any

from raysed.config.fault import ConfigError, KeyPath, Places, place_of
from raysed.config.reader import read_yaml


def read_layers(path: str | Path) -> tuple[Any, Places]:
    """Return the content of a file laid over what it extends, and the place of every key in the file that has
    it.

    Mappings merge, lists and scalars replace. Paths are relative to the working directory. Raises
    ConfigError for a file that is not there and for files that extend each other in a circle.
    """
    return _read(Path(path), ())


def _read(path: Path, above: tuple[Path, ...]) -> tuple[Any, Places]:
    content, places = read_yaml(path)
    if not isinstance(content, dict) or "extends" not in content:
        return content, places
    below = content.pop("extends")
    where = place_of(("extends",), places)
    if not isinstance(below, str):
        raise ConfigError([f"{where}: extends: a path is expected, given {below!r}"])
    below_path, chain = Path(below), (*above, path)
    if below_path.resolve() in [p.resolve() for p in chain]:
        circle = " -> ".join(map(str, (*chain, below_path)))
        raise ConfigError([f"{where}: extends: in a circle, {circle}"])
    if not below_path.is_file():
        raise ConfigError(
            [f"{where}: extends: {below}: no such file (relative to the working directory)"]
        )
    below_content, below_places = _read(below_path, chain)
    if not isinstance(below_content, dict):
        raise ConfigError([f"{where}: extends: {below} holds no mapping"])
    kept = {key: place for key, place in below_places.items() if not _replaced(key, content)}
    return merge(below_content, content), kept | places


def merge(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with `change` laid over it, mapping by mapping; a list or a null replaces what was there."""
    merged = dict(base)
    for key, value in change.items():
        below = merged.get(key)
        merged[key] = (
            merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
        )
    return merged


def _replaced(key_path: KeyPath, content: dict[str, Any]) -> bool:
    """Tell whether `content` puts a list or a scalar where this key stood."""
    value: Any = content
    for step in key_path:
        if not isinstance(value, dict):
            return True
        if step not in value:
            return False
        value = value[step]
    return not isinstance(value, dict)
