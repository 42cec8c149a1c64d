"""YAML to configuration models: every fault at once, each with file, line, key and the nearest valid key."""

import difflib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from raysed.config.aliases import check_size
from raysed.config.fault import ConfigError, Fault, KeyPath, Places, dotted

ModelT = TypeVar("ModelT", bound=BaseModel)

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


_LARGEST_BYTES = 4_000_000


class _Loader(yaml.SafeLoader):
    """A SafeLoader that also reads 1e-3 as a number, as YAML 1.2 does and researchers expect."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Construct a value; what it cannot be made from (the date 2020-13-45) is named with its line."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            raise yaml.constructor.ConstructorError(
                problem=f"{str(node.value)[:40]!r} is no {node.tag.rpartition(':')[2]}",
                problem_mark=node.start_mark,
            ) from error


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def read_config(
    path: str | Path, model: type[ModelT], *, unset: list[Fault] | None = None
) -> ModelT:
    """Read a YAML file into `model`. Raises ConfigError naming every fault, before anything is built.

    If the list `unset` is given, keys whose environment variables are not set are added to it instead of
    raised, and their `${VAR}` stay in the text.
    """
    content, places = read_yaml(path, unset=unset)
    return validate(content, model, source=str(path), places=places)


def read_yaml(path: str | Path, *, unset: list[Fault] | None = None) -> tuple[Any, Places]:
    """Return the content of a YAML file with `${VAR}` and `${VAR:-default}` expanded, and the place of every
    key.
    """
    path = Path(path)
    _check_file(path)
    try:
        content, places, faults = _parse(path)
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
        raise ConfigError([_unreadable(path, error)]) from error
    variables = [fault.at(places) for fault in _unset_variables(content, ())]
    if unset is not None:
        unset += variables
        variables = []
    if faults or variables:
        raise ConfigError([*faults, *variables])
    return _expand(content), places


def _check_file(path: Path) -> None:
    """Raise ConfigError for what is no file, or too large a one."""
    if not path.is_file():
        found = "a folder, expected a YAML file" if path.is_dir() else "no such file"
        raise ConfigError([f"{path}: {found}"])
    if (size := path.stat().st_size) > _LARGEST_BYTES:
        raise ConfigError([f"{path}: {size:,} bytes, more than a configuration ever has"])


def _parse(path: Path) -> tuple[Any, Places, list[str]]:
    """Return the content of a YAML file, the place of every key, and the keys that are given twice."""
    loader = _Loader(path.read_text(encoding="utf-8"))
    root = loader.get_single_node()
    if root is None:
        raise ConfigError([f"{path}: the file is empty"])
    check_size(root, str(path))
    places: Places = {}
    # This runs before construction, which flattens merge keys (`<<`) so that they look like duplicates.
    faults = list(_walk(root, (), places, str(path)))
    return loader.construct_document(root), places, faults


def _unreadable(path: Path, error: yaml.YAMLError | RecursionError | UnicodeDecodeError) -> str:
    """Return the line that says why a file cannot be read, with the line of the file where it is known."""
    if isinstance(error, yaml.MarkedYAMLError):
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        return f"{path}:{line}: not valid YAML: {error.problem}"
    if isinstance(error, yaml.YAMLError):
        return f"{path}: not valid YAML: {error}"
    if isinstance(error, RecursionError):
        return f"{path}: nested too deeply"
    return f"{path}: not UTF-8 text ({error.reason})"


def validate(
    content: Any, model: type[ModelT], *, source: str, places: Places | None = None
) -> ModelT:
    """Return `content` as a frozen `model`, or raise a ConfigError with one line per fault."""
    made, faults = check(content, model)
    if made is None:
        raise ConfigError(fault.at(places or {(): source}) for fault in faults)
    return made


def check(content: Any, model: type[ModelT]) -> tuple[ModelT | None, list[Fault]]:
    """Return `content` as a frozen `model`, or None and every fault by its key, not yet by its place."""
    try:
        # Through JSON, so that strict models still take a list where a tuple is declared.
        return model.model_validate_json(json.dumps(content)), []
    except ValidationError as error:
        return None, [_describe(fault, model, content) for fault in _causes(error.errors())]
    except TypeError as error:
        return None, [Fault((), f"{error}; quote dates and other special values")]


def _walk(node: yaml.Node, key_path: KeyPath, places: Places, source: str) -> Iterator[str]:
    """Note the place of every key; yield duplicate keys."""
    places[key_path] = f"{source}:{node.start_mark.line + 1}"
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in seen:
                yield (
                    f"{source}:{line}: {dotted((*key_path, key))}: given twice"
                    f" (first on line {seen[key]})"
                )
            seen[key] = line
            yield from _walk(value_node, (*key_path, key), places, source)
            places[(*key_path, key)] = f"{source}:{line}"
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*key_path, index), places, source)


def _unset_variables(content: Any, key_path: KeyPath) -> Iterator[Fault]:
    """Yield a fault for every `${VAR}` without default whose variable is not set."""
    if isinstance(content, dict | list):
        items = content.items() if isinstance(content, dict) else enumerate(content)
        for key, value in items:
            yield from _unset_variables(value, (*key_path, key))
    elif isinstance(content, str):
        for match in _VARIABLE.finditer(content):
            if match["default"] is None and match["name"] not in os.environ:
                yield Fault(
                    key_path,
                    f"{dotted(key_path)}: environment variable {match['name']} is not set (export it,"
                    f" or write ${{{match['name']}:-default}})",
                )


def _expand(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _expand(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_expand(value) for value in content]
    if isinstance(content, str):
        return _VARIABLE.sub(_value_of, content)
    return content


def _value_of(match: re.Match[str]) -> str:
    default = match[0] if match["default"] is None else match["default"]
    return os.environ.get(match["name"], default)


def _causes(faults: list[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Yield the faults that are no consequence of others: a list that is too short for items that were refused is long enough."""
    for fault in faults:
        place = fault["loc"]
        inside = any(other["loc"][: len(place)] == place != other["loc"] for other in faults)
        if fault["type"] != "too_short" or not inside:
            yield fault


def _describe(fault: ErrorDetails, model: type[BaseModel], content: Any) -> Fault:
    # pydantic puts the tag of a discriminated union into the location; the file has no such key.
    location = _in_file(fault["loc"], content, lacks_last=fault["type"] == "missing")
    key = dotted(location)
    match fault["type"]:
        case "extra_forbidden":
            return Fault(location, f"{key}: unknown key{_nearest(fault, model)}")
        case "missing":
            return Fault(location, f"{key}: missing")
        case "value_error":
            reason = str(fault["ctx"]["error"]) if "ctx" in fault else fault["msg"]
            return Fault(location, f"{key}: {reason}" if location else reason)
    given = json.dumps(fault["input"], ensure_ascii=False, default=str)
    return Fault(location, f"{key}: {fault['msg']}, given {given[:80]}")


def _in_file(location: tuple[str | int, ...], content: Any, *, lacks_last: bool) -> KeyPath:
    """Return the part of pydantic's location that exists in the file, with the key that it lacks."""
    kept: list[str | int] = []
    for index, step in enumerate(location):
        last = index == len(location) - 1
        in_dict = isinstance(content, dict) and step in content
        in_list = isinstance(content, list) and isinstance(step, int) and step < len(content)
        if in_dict or in_list:
            content = content[step]
        elif not (last and lacks_last):
            continue
        kept.append(step)
    return tuple(kept)


def _nearest(fault: ErrorDetails, model: type[BaseModel]) -> str:
    given = str(fault["loc"][-1])  # elsewhere it may be a key
    names = sorted(_known_keys(model) - {given})
    close = difflib.get_close_matches(given, names, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _known_keys(model: type[BaseModel]) -> set[str]:
    """Return the field names of a model and of every model inside it."""
    names = set(model.model_fields)
    for definition in model.model_json_schema().get("$defs", {}).values():
        names |= set(definition.get("properties", {}))
    return names
