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

ModelT = TypeVar("ModelT", bound=BaseModel)
KeyPath = tuple[str | int, ...]

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


class ConfigError(ValueError):
    """One or more faults of a configuration file; `faults` holds one line each."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class _Loader(yaml.SafeLoader):
    """SafeLoader that also reads 1e-3 as a number, as YAML 1.2 and every researcher do."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def read_config(path: str | Path, model: type[ModelT]) -> ModelT:
    """Read a YAML file into `model`. Raises ConfigError naming every fault, before anything is built."""
    content, lines = read_yaml(path)
    return validate(content, model, source=str(path), lines=lines)


def read_yaml(path: str | Path) -> tuple[Any, dict[KeyPath, int]]:
    """Content of a YAML file with `${VAR}` and `${VAR:-default}` expanded, and the line of every key."""
    path = Path(path)
    if not path.is_file():
        raise ConfigError([f"{path}: no such file"])
    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        lines: dict[KeyPath, int] = {}
        # Before construction, which flattens merge keys (`<<`) into what then looks like duplicates.
        faults = list(_walk(root, (), lines, str(path))) if root is not None else []
        content = loader.construct_document(root) if root is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ConfigError([f"{path}:{line}: not valid YAML: {error.problem}"]) from error
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}: not valid YAML: {error}"]) from error
    except RecursionError as error:
        raise ConfigError([f"{path}: an alias contains itself"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 text ({error.reason})"]) from error
    if root is None:
        raise ConfigError([f"{path}: the file is empty"])
    if faults:
        raise ConfigError(faults)
    return _expand(content), lines


def validate(
    content: Any, model: type[ModelT], *, source: str, lines: dict[KeyPath, int] | None = None
) -> ModelT:
    """`content` as a frozen `model`, or a ConfigError with one line per fault."""
    try:
        # Through JSON, so that strict models still take a list where a tuple is declared.
        return model.model_validate_json(json.dumps(content))
    except ValidationError as error:
        faults = [_describe(fault, model, content, source, lines or {}) for fault in error.errors()]
        raise ConfigError(faults) from error
    except TypeError as error:
        raise ConfigError([f"{source}: {error}; quote dates and other special values"]) from error


def _walk(
    node: yaml.Node, key_path: KeyPath, lines: dict[KeyPath, int], source: str
) -> Iterator[str]:
    """Note the line of every key; yield duplicate keys and unset variables."""
    lines[key_path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in seen:
                yield (
                    f"{source}:{line}: {_dotted((*key_path, key))}: given twice"
                    f" (first on line {seen[key]})"
                )
            seen[key] = line
            yield from _walk(value_node, (*key_path, key), lines, source)
            lines[(*key_path, key)] = line
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*key_path, index), lines, source)
    elif isinstance(node, yaml.ScalarNode):
        for match in _VARIABLE.finditer(node.value):
            if match["default"] is None and match["name"] not in os.environ:
                yield (
                    f"{source}:{lines[key_path]}: {_dotted(key_path)}: environment variable"
                    f" {match['name']} is not set (export it, or write ${{{match['name']}:-default}})"
                )


def _expand(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _expand(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_expand(value) for value in content]
    if isinstance(content, str):
        return _VARIABLE.sub(lambda m: os.environ.get(m["name"], m["default"] or ""), content)
    return content


def _describe(
    fault: ErrorDetails,
    model: type[BaseModel],
    content: Any,
    source: str,
    lines: dict[KeyPath, int],
) -> str:
    # pydantic puts the tag of a discriminated union into the location; the file has no such key.
    location = _in_file(fault["loc"], content)
    line = next(
        (lines[location[:n]] for n in range(len(location), -1, -1) if location[:n] in lines), None
    )
    where = f"{source}:{line}" if line else source
    match fault["type"]:
        case "extra_forbidden":
            return f"{where}: {_dotted(location)}: unknown key{_nearest(fault, model)}"
        case "missing":
            return f"{where}: {_dotted(location)}: missing"
        case "value_error":
            reason = str(fault["ctx"]["error"]) if "ctx" in fault else fault["msg"]
            return f"{where}: {_dotted(location)}: {reason}" if location else f"{where}: {reason}"
    given = json.dumps(fault["input"], ensure_ascii=False, default=str)
    return f"{where}: {_dotted(location)}: {fault['msg']}, given {given[:80]}"


def _in_file(location: tuple[str | int, ...], content: Any) -> KeyPath:
    """The part of pydantic's location that exists in the file, with the key that is at fault."""
    kept: list[str | int] = []
    for index, step in enumerate(location):
        last = index == len(location) - 1
        in_dict = isinstance(content, dict) and step in content
        in_list = isinstance(content, list) and isinstance(step, int) and step < len(content)
        if in_dict or in_list:
            content = content[step]
        elif not last:
            continue
        kept.append(step)
    return tuple(kept)


def _nearest(fault: ErrorDetails, model: type[BaseModel]) -> str:
    names = sorted(_known_keys(model))
    close = difflib.get_close_matches(str(fault["loc"][-1]), names, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _known_keys(model: type[BaseModel]) -> set[str]:
    """The field names of a model and of every model inside it."""
    names = set(model.model_fields)
    for definition in model.model_json_schema().get("$defs", {}).values():
        names |= set(definition.get("properties", {}))
    return names


def _dotted(key_path: KeyPath) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in key_path)
    return text.lstrip(".") or "the file"
